"""What nodes noted of their executions."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from tests.substrates.app import LOG
from tests.support.waiting import wait_until


class Notes:
    """The notes of all checks; each check has a folder of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def count(self) -> int:
        """How many executions were noted in all folders."""
        return sum(len(_lines(log)) for log in self._folder.glob(f"*/{LOG}"))

    def executions(self, check: str) -> Counter[str]:
        """Return how often each node or item of a check was executed."""
        return Counter(name for name, _ in self._noted(check))

    def places(self, check: str) -> dict[str, list[int]]:
        """Return the process ids in which each was executed."""
        found = defaultdict(list)
        for name, pid in self._noted(check):
            found[name].append(int(pid))
        return found

    def has(self, check: str, name: str) -> None:
        """Return when an execution is noted."""
        wait_until(lambda: self.executions(check)[name], f"{name} to be executed")

    def _noted(self, check: str) -> list[list[str]]:
        return [line.split() for line in _lines(self._folder / check / LOG)]


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []
