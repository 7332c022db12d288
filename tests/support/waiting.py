"""Wait on conditions, never for a guessed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

FIRST_PAUSE = 0.002
LONGEST_PAUSE = 0.1


def wait_until(predicate: Callable[[], T], timeout: float, what: str) -> T:
    """Return the predicate's first true answer.

    Asks again at growing pauses; after `timeout` seconds raises TimeoutError, which says `what`
    was waited for and what the predicate answered last.
    """
    for pause in _pauses(timeout):
        if answer := predicate():
            return answer
        time.sleep(pause)
    return _last_answer(predicate, timeout, what)


async def wait_until_async(predicate: Callable[[], T], timeout: float, what: str) -> T:  # noqa: ASYNC109 - the same call as its blocking twin
    """Do as `wait_until` does, leaving the event loop free between two looks."""
    for pause in _pauses(timeout):
        if answer := predicate():
            return answer
        await asyncio.sleep(pause)
    return _last_answer(predicate, timeout, what)


def _pauses(timeout: float) -> Iterator[float]:
    deadline = time.monotonic() + timeout
    pause = FIRST_PAUSE
    while (left := deadline - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(2 * pause, LONGEST_PAUSE)


def _last_answer(predicate: Callable[[], T], timeout: float, what: str) -> T:
    answer = predicate()
    if not answer:
        message = f"waited {timeout:g} s for {what}; the last answer was {answer!r}"
        raise TimeoutError(message)
    return answer
