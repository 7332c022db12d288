"""How what tasks left is found again, where others get the same as they did."""

from __future__ import annotations

from typing import Any, Protocol

from distgraph._caching import CachePolicy
from distgraph.core.graph import Node
from distgraph.core.model import Completed, Task


class Recalled(Protocol):
    """The place of what a task left, where it may be found the next time."""

    def find(self, given: None) -> Completed | None:
        """Return what is there."""
        ...

    async def afind(self, given: None) -> Completed | None:
        """Do what ``find`` does."""
        ...

    def keep(self, result: Completed) -> None:
        """Put there what a task left."""
        ...

    async def akeep(self, result: Completed) -> None:
        """Do what ``keep`` does."""
        ...


class Recall(Protocol):
    """Finds what tasks left that got the same as others do."""

    def of(self, task: Task, node: Node, policy: CachePolicy, given: Any) -> Recalled:
        """Return the place of what ``task`` leaves when it gets ``given``."""
        ...
