"""Futures of calls that others make: who waits for one leaves the body that has made the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from distgraph.runners.futures import SyncAsyncFuture


class LeavingFuture(SyncAsyncFuture[Any]):
    """The result of a call; ``leave`` raises the signal in a thread that waits while there is none.

    ``timeout`` is none of waiting for others: the task waits without a worker.
    """

    def __init__(self, leave: Callable[[], object]) -> None:
        super().__init__(self._wait)
        self._leave = leave
        # What concurrent.futures.wait() and as_completed() wait with.
        self._waiters = _Waiters(self._wait)

    def _wait(self) -> None:
        if not self.done():
            self._leave()

    def result(self, timeout: float | None = None) -> Any:
        """Return what the function returned, or raise what it raised."""
        self._wait()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the function raised, None if it returned."""
        self._wait()
        return super().exception(timeout)

    def __await__(self) -> Generator[Any, None, Any]:
        self._wait()
        return super().__await__()


class _Waiters(list[Any]):
    """Tells of who waits."""

    def __init__(self, wait: Callable[[], None]) -> None:
        super().__init__()
        self._wait = wait

    def append(self, waiter: Any) -> None:
        self._wait()
        super().append(waiter)


class Expected(asyncio.Future[Any]):
    """The result of a call, on a loop; ``waits`` is told of who waits while there is none."""

    def __init__(self, waits: Callable[[], object]) -> None:
        super().__init__()
        self._waits = waits

    def add_done_callback(self, fn: Callable[[Any], object], /, *, context: Any = None) -> None:
        """Do what a future does, and tell that somebody waits."""
        if not self.done():
            self._waits()
        super().add_done_callback(fn, context=context)
