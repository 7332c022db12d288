"""What happens in a run, as runners tell it: the stream modes are made from these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distgraph.core.graph import Graph
from distgraph.core.model import Outcome, Result, Task, ThreadState


@dataclass(frozen=True, slots=True)
class Resumed:
    """A run goes on from ``state`` instead of starting with an input."""

    ns: str
    state: ThreadState


@dataclass(frozen=True, slots=True)
class Stepped:
    """A superstep was committed; ``state`` is the new one, ``changed`` the channels written."""

    ns: str
    state: ThreadState
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Started:
    """The ``tasks`` of the superstep that runs from ``state`` begin."""

    ns: str
    state: ThreadState
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """A task of superstep ``step`` ended; ``values`` are the state that it ran on.

    ``kept``: it ended in an earlier run, and its result counts in this one.
    """

    ns: str
    task: Task
    result: Result
    values: Mapping[str, Any]
    kept: bool = False
    step: int = 0


@dataclass(frozen=True, slots=True)
class Custom:
    """A node streamed a chunk of its own."""

    ns: str
    chunk: Any


@dataclass(frozen=True, slots=True)
class Concluded:
    """The run has its outcome; ``state`` is where the frame stands now, None if it never began."""

    ns: str
    state: ThreadState | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Inside:
    """What happened in ``graph``, which is called inside a task of the run."""

    graph: Graph
    event: Resumed | Stepped | Started | Ended

    @property
    def ns(self) -> str:
        """The namespace of the inner graph's frame."""
        return self.event.ns


Event = Resumed | Stepped | Started | Ended | Custom | Concluded | Inside
