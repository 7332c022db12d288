"""What a call of a function's task gives: a future for threads and for coroutines alike."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class SyncAsyncFuture(Future[T]):
    """The result of a call to come: ``future.result()`` waits for it, ``await future`` too.

    Both raise what the function raised. A thread that waits for a call which nobody has begun makes
    it itself, so that tasks which wait for tasks never wait for a thread.
    """

    def __init__(self, begin: Callable[[], object]) -> None:
        super().__init__()
        self._begin = begin

    def begin(self) -> None:
        """Make the call here, unless it is begun already."""
        self._begin()

    def result(self, timeout: float | None = None) -> T:
        """Return what the function returned, or raise what it raised.

        Raises TimeoutError after ``timeout`` seconds, CancelledError where it was cancelled.
        """
        if timeout is None:
            self._begin()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the function raised, None if it returned; raises what ``result`` raises."""
        if timeout is None:
            self._begin()
        return super().exception(timeout)

    def __await__(self) -> Generator[Any, None, T]:
        from asyncio import wrap_future  # noqa: PLC0415 only where there is a loop

        return wrap_future(self).__await__()
