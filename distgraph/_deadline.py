"""Until when a question waits for its answer, and what happens then."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

OnTimeout = Literal["resume", "fail"]
_LONGEST = timedelta(days=36_525)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MS


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a question ends that nobody answers: with an error if it ``fails``, else the default.

    ``within`` are ms from when the question is stored first, None where a time was given. ``at`` is
    that time in ms since 1970, None until it is known.
    """

    within: int | None
    at: int | None
    fails: bool
    default: Any = None


def moment(ms: int) -> datetime:
    """Return the time in UTC of so many ms since 1970."""
    return _EPOCH + timedelta(milliseconds=ms)


def is_time(stored: object) -> bool:
    """Whether what was stored can be so many ms since 1970."""
    return isinstance(stored, int) and not isinstance(stored, bool) and 0 < stored <= _LAST


def read_deadline(deadline: Any, default: Any, on_timeout: Any) -> Deadline | None:
    """Return what an interrupt() is given about its end; ``default`` is Ellipsis for none.

    Raises ValueError and TypeError that name the argument.
    """
    if on_timeout not in ("resume", "fail"):
        msg = f"on_timeout= of interrupt() is 'resume' or 'fail', not {on_timeout!r}."
        raise ValueError(msg)
    if deadline is None:
        _refuse_without_deadline(default, on_timeout)
        return None
    fails = on_timeout == "fail"
    if fails != (default is ...):
        raise ValueError(
            "A question with on_timeout='fail' has no default=: nothing would use it."
            if fails
            else "interrupt() with a deadline= needs default=, the answer when nobody gave one in "
            "time, or on_timeout='fail'."
        )
    within, at = _when(deadline)
    return Deadline(within, at, fails, None if fails else default)


def _refuse_without_deadline(default: Any, on_timeout: Any) -> None:
    if default is not ... or on_timeout == "fail":
        name = "default=" if default is not ... else "on_timeout="
        msg = f"{name} of interrupt() is for a question that has a deadline=, and there is none."
        raise ValueError(msg)


def _when(given: Any) -> tuple[int | None, int | None]:
    """Return within how many ms, or at how many ms since 1970."""
    if isinstance(given, datetime):
        return None, _at(given)
    if isinstance(given, bool) or not isinstance(given, int | float | timedelta):
        msg = (
            "deadline= of interrupt() is a number of seconds, a timedelta, or a datetime with a "
            f"time zone, not {type(given).__name__}."
        )
        raise TypeError(msg)
    return _within(given), None


def _at(given: datetime) -> int:
    if given.utcoffset() is None:
        msg = (
            f"deadline= of interrupt() is {given!r}, which has no time zone: use "
            "datetime.now(UTC) + timedelta(...), or .astimezone()."
        )
        raise ValueError(msg)
    return max(1, (given - _EPOCH) // _MS)


def _within(given: float | timedelta) -> int:
    seconds = given.total_seconds() if isinstance(given, timedelta) else given
    if math.isnan(seconds) or not 0 <= seconds <= _LONGEST.total_seconds():
        msg = (
            f"deadline= of interrupt() is {given!r}: it has to be from 0 seconds to "
            f"{_LONGEST.days:,} days."
        )
        raise ValueError(msg)
    return math.ceil(seconds * 1000)
