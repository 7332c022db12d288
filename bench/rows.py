"""The rows of the table: what is compared with what, and which result is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. ``peer`` '' means that only our own figure is of interest.

    ``size``: units of work in one measurement, times are given per unit; ``expected``: size ->
    the right result on either side; ``warm``: the size of the unmeasured first go. ``beside``: the
    peer is another workload of our own. ``most``: the ratio that is too much.
    """

    name: str
    ours: str
    peer: str
    unit: str
    size: int
    expected: Callable[[int], int]
    warm: int = 10
    peer_title: str = ""
    beside: bool = False
    most: float = 1.0

    @property
    def title(self) -> str:
        """What is compared, for people."""
        return f"{self.name} / {self.peer_name}" if self.peer else self.name

    @property
    def peer_name(self) -> str:
        """The peer in words."""
        if self.peer in ("chain", "chord"):
            return f"{self.peer}({self.size:,})"
        return self.peer_title or "LangGraph"

    def against(self, title: str, most: float) -> Row:
        """Return the row that compares ours with an earlier ours, which is called ``title``.

        One that compares ours with ours does so anyway.
        """
        if self.beside:
            return self
        return replace(self, peer=self.ours, peer_title=title, most=most)


def itself(size: int) -> int:
    """Return ``size``: all of it was done."""
    return size


def squares(size: int) -> int:
    """Return the sum of the squares below ``size``."""
    return sum(n * n for n in range(size))


ROWS: tuple[Row, ...] = (
    Row("superstep on Celery", "loop, celery", "chain", "superstep", 100, itself),
    Row("fan-out of 1,000 on Celery", "fan-out, celery", "chord", "task", 1_000, squares),
    Row("fan-out of 10,000 on Celery", "fan-out, celery", "", "task", 10_000, squares),
    Row(
        "fan-out of 1,000 through a conditional edge on Celery",
        "fan-out through an edge, celery",
        "fan-out, celery",
        "task",
        1_000,
        squares,
        peer_title="the plain one",
        beside=True,
        most=1.3,
    ),
    Row(
        "fan-out of 200 graphs of three steps on Celery",
        "graphs in tasks, celery",
        "fan-out, celery",
        "task",
        600,
        squares,
        30,
        peer_title="a flat one of 600 tasks",
        beside=True,
        most=3.0,
    ),
    Row("interrupt and resume on Celery", "approval, celery", "", "cycle", 100, itself, 20),
    Row("loop of 1,000 in process", "loop", "loop", "superstep", 1_000, itself),
    Row("the same, memory saver", "loop, memory", "loop, memory", "superstep", 1_000, itself),
    Row("fan-out of 1,000 in process", "fan-out", "fan-out", "task", 1_000, squares),
    Row("the same, memory saver", "fan-out, memory", "fan-out, memory", "task", 1_000, squares),
    Row("interrupt and resume", "approval, memory", "approval, memory", "cycle", 200, itself),
    Row("import", "import", "import", "import", 3, itself, 1),
)
