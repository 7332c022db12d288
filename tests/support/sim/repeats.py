"""What a command must answer when it is repeated at once, because its first reply was lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from checkpoint_redis.replies import (
    Answered,
    Changed,
    Committed,
    Failing,
    Parked,
    Recorded,
    Released,
    Submitted,
    Taken,
)

AGAIN: tuple[Taken, Taken] = ("gone", "dup")
TAKEN = ("go", "stop", "end", "fail", "joined")


def is_right(name: str, first: Any, again: Any) -> bool:
    """Tell whether `again` is a right answer to the repetition of what was answered `first`."""
    if name in ("sweep", "overdue", "move"):
        return True
    if isinstance(first, Submitted | Answered) and first.status in TAKEN:
        return (again.status, again.ep) == ("dup", first.ep)
    return again in _right(name, first, again)


def _right(name: str, first: Any, again: Any) -> tuple[Any, ...]:
    right: tuple[Any, ...] = (first,)
    match first:
        case Committed(status=status, ep=ep) if status in TAKEN:
            right = (Committed("again", ep, first.up),)
        case Recorded(closing="paused"):  # the thread waits, and nobody may write to it
            # Inside a task it is known, unless it is packed.
            packed, dup = (Recorded("open", (s,) * len(first.statuses), up=first.up) for s in AGAIN)
            right = (Recorded("gone"), Committed("gone"), packed, dup)
        case Recorded(statuses=statuses):
            known = tuple("dup" if status == "done" else status for status in statuses)
            right = (replace(first, statuses=known),)
        case Released(status="released"):
            right = (Released("released"),)
        case Changed(status="ok") if name == "delete":
            right = (Changed("missing"),)
        case Changed(status="more") if name == "discard":  # that may have been all
            right = (first, Changed("ok"))
        case Failing(status="failed") if name == "fail_advance":
            right = (first, Failing("gone"))
        case Parked(status="parked"):  # it may have gone up at once
            right = (replace(first, hints=again.hints), Parked("gone"))
        case _:
            pass
    return right
