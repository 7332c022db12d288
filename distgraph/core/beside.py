"""Who stands beside an attempt at a task: who limits its time, and who watches it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

TIMED_OUT = "Timed out: a superstep took longer than the step_timeout of its graph."


class AttemptLimit(Protocol):
    """Ends an attempt that takes too long."""

    async def keep(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what ``work`` returns, within its time."""
        ...

    def call(self, work: Callable[[], Any]) -> Any:
        """Return what ``work`` returns, which blocks; ValueError where that cannot be stopped."""
        ...

    def beat(self) -> None:
        """Take note of progress."""
        ...

    def progressed(self) -> None:
        """Take note of progress that the node does not tell itself."""
        ...

    def noting(self, tell: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return ``tell``, which shows progress."""
        ...


class Watch(Protocol):
    """Who watches an attempt at a task: langchain-core's callbacks."""

    def began(self, config: Mapping[str, Any], name: str, given: Any) -> Any:
        """Return the callbacks for what the node ``name`` calls, which begins with ``given``."""
        ...

    def ended(self, output: Any) -> None:
        """Hear what the node returned."""
        ...

    def failed(self, error: BaseException) -> None:
        """Hear what the node raised."""
        ...

    def enters(self) -> None:
        """Prepare the context in which the node is called, which is a copy."""
        ...
