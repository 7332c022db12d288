"""Wait on conditions, never for a guessed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds after which something hangs. No test judges by it: a busy machine takes its time."""

FIRST_PAUSE = 0.002
LONGEST_PAUSE = 0.1


def wait_until(predicate: Callable[[], T], what: str, within: float = PATIENCE) -> T:
    """Return the predicate's first true answer.

    Asks again at growing pauses; after `within` seconds raises TimeoutError, which says `what`
    was waited for and what the predicate answered last.
    """
    for pause in _pauses(within):
        if answer := predicate():
            return answer
        time.sleep(pause)
    return _last_answer(predicate, what, within)


async def wait_until_async(predicate: Callable[[], T], what: str, within: float = PATIENCE) -> T:
    """Do as `wait_until` does, leaving the event loop free between two looks."""
    for pause in _pauses(within):
        if answer := predicate():
            return answer
        await asyncio.sleep(pause)
    return _last_answer(predicate, what, within)


def wait_past(moment: float) -> None:
    """Return when the clock of this machine, in seconds since 1970, shows more than `moment`.

    For what ends by the clock and by nothing else, such as a lease while nobody can look at it.
    """
    wait_until(lambda: time.time() > moment, f"{moment} to be over")


def _pauses(within: float) -> Iterator[float]:
    deadline = time.monotonic() + within
    pause = FIRST_PAUSE
    while (left := deadline - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(2 * pause, LONGEST_PAUSE)


def _last_answer(predicate: Callable[[], T], what: str, within: float) -> T:
    answer = predicate()
    if not answer:
        message = f"waited {within:g} s for {what}; the last answer was {answer!r}"
        raise TimeoutError(message)
    return answer
