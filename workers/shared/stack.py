"""What a pool of connections keeps them in."""

from __future__ import annotations

from collections import deque
from queue import Full, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Stack(Generic[T]):
    """What was put last is taken first, by one thread at a time; the others wait.

    As ``queue.LifoQueue``, for which a job of a worker pays thirty calls of Python.
    """

    def __init__(self, maxsize: int) -> None:
        self.queue: deque[T] = deque()
        self._most = maxsize
        self._count: SimpleQueue[None] = SimpleQueue()

    def put_nowait(self, item: T) -> None:
        """Add ``item``; raises ``queue.Full`` when there are ``maxsize`` already."""
        if len(self.queue) >= self._most:
            raise Full
        self.queue.append(item)
        self._count.put(None)

    def get(self, block: bool = True, timeout: float | None = None) -> T:
        """Take an item, after at most ``timeout`` seconds; raises ``queue.Empty``."""
        self._count.get(block, timeout)
        return self.queue.pop()
