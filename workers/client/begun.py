"""A run as whoever started it has it."""

from __future__ import annotations

from dataclasses import dataclass

from checkpoint_redis.events import EntryId
from checkpoint_redis.layout import RunStatus
from checkpoint_redis.replies import Answered
from distgraph.core.model import Outcome, ThreadState


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that is under way, or over: ``after`` is the id of the last event before its first.

    ``state`` is where it started from. ``outcome`` is there when nothing had to be started.
    ``since``: the run was under way then, its end comes after that; None when that is not known.
    ``origin``: the checkpoint that it started from, where the state is still to be read, and
    ``released`` the one whose static stop it passes. ``before``: how it stood when it was gone on
    with.
    """

    run: str
    after: str
    state: ThreadState | None
    outcome: Outcome | None = None
    since: EntryId | None = None
    origin: str = ""
    released: str = ""
    before: ThreadState | None = None


def begun_by(answered: Answered, run: str, state: ThreadState | None) -> Begun:
    """Return the run that an answer began or joined; ``run`` is what its caller called it."""
    under_way = answered.status != "dup" or answered.outcome == RunStatus.pending
    since = just_before(answered.now) if under_way else None
    return Begun(answered.run or run, answered.event_id, state, since=since)


def just_before(now: int) -> EntryId:
    """Return an id before all that is told after ``now``, in ms by the clock of Redis."""
    return now - 1, 0
