"""How a client follows a run: the thread's event stream, turned into the engine's events."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from checkpoint_redis import commands, events
from checkpoint_redis.events import Entry, EntryId, StreamEvent
from checkpoint_redis.layout import RunEvent, RunStatus
from checkpoint_redis.readings import RunOutcome
from distgraph.core.model import ThreadState
from distgraph.effects import Tell
from distgraph.events import Concluded, Received

from .begun import Begun, just_before
from .concluding import (
    ENDED,
    conclude,
    concluded_at_head,
    outcome_of,
    refuse_to_wait_for_nobody,
)
from .effects import AwaitEnd, AwaitEvents, Effect, Flow, Listen
from .listeners import Listener
from .marks import Position
from .retelling import Follower, tell, tell_gap
from .returning import ENTRIES, returned
from .unserved import warn_if_unserved
from .watched import Watched


def follow(of: Watched, begun: Begun, modes: frozenset[str], timeout: float | None) -> Flow:
    """Tell a run's events from its beginning to its end; the last one is Concluded.

    Without ``modes`` an input is told besides, and no more. Raises RunTimeout after ``timeout``
    seconds, RunCancelled, ThreadNotFound, and StoreError when Redis has lost how the run ended.
    """
    if begun.outcome is not None:
        yield Tell(Concluded("", begun.state, begun.outcome))
    elif modes:
        yield from _followed(Follower(of, modes, begun, begun.state, begun.after))
    else:
        if begun.state is not None:
            yield Tell(_received(begun.state))
        deadline = None if timeout is None else time.monotonic() + timeout
        yield from _awaited(of, begun.since, deadline)


def _received(state: ThreadState) -> Received:
    """Return what is told of an input, of which ``state`` may hold what it has written already."""
    at = state.checkpoint
    written = frozenset() if at.source == "input" else at.changed
    versions = {key: ref for key, ref in at.versions.items() if key not in written}
    return Received("", replace(state, checkpoint=replace(at, source="input", versions=versions)))


def stream(of: Watched, begun: Begun, modes: frozenset[str], seen: Position | None) -> Flow:
    """Tell what ``follow`` tells, with marks: the entry before what comes of it, and gaps.

    ``seen``: how far the listener has got before.
    """
    if begun.outcome is not None:
        yield Tell(Concluded("", begun.state, begun.outcome))
        return
    at = Follower(of, modes, begun, begun.state, begun.after, marks=True)
    if seen is None or not (yield from returned(at, seen)):
        yield from _followed(at)


def _awaited(
    of: Watched, since: EntryId | None, deadline: float | None
) -> Generator[Effect, Any, None]:
    """Wait for the end of a run that was under way at ``since``; None: look first."""
    while True:
        if since is None:
            outcome = yield from outcome_of(of)
            if outcome.status in ENDED:
                yield from conclude(of, outcome.status, outcome.cp)
                return
            of = replace(of, run=outcome.cp) if outcome.status is RunStatus.joined else of
            yield from refuse_to_wait_for_nobody(of)
            since = just_before(outcome.now)
        yield AwaitEnd(of, since, deadline)
        if (yield from concluded_at_head(of)):
            return
        since = None


def _followed(at: Follower) -> Generator[Effect, Any, None]:
    """Tell what comes after the place where ``at`` stands."""
    listener: Listener = yield Listen(at.of)
    try:
        yield from _listened(at, listener)
    finally:
        listener.leave()


def _listened(at: Follower, listener: Listener) -> Generator[Effect, Any, None]:
    """Tell what ``listener`` hears.

    A stream from which nothing comes at once, or for a while, is no longer there, or has lost its
    end: then it is looked how the run stands.
    """
    found = yield commands.events_after(at.of.thread, at.after, ENTRIES)
    while not (yield from _took_all(at, found)):
        ended = None if found else (yield from _ended_unseen(at))
        if ended is not None:
            yield from _to_the_end(at, ended)
            return
        if len(found) < ENTRIES:
            found = yield AwaitEvents(listener, events.entry_id(at.after))
        else:  # behind the others: who reads for all would read for this one alone
            found = yield commands.events_after(at.of.thread, at.after, ENTRIES)


def _to_the_end(at: Follower, ended: RunOutcome) -> Generator[Effect, Any, None]:
    """Tell how the run ended, and before that what came meanwhile."""
    while found := (yield commands.events_after(at.of.thread, at.after, ENTRIES)):
        if (yield from _took_all(at, found)):
            return
    if at.number is not None:  # else it was told before that something is missing
        yield from tell_gap(at)
    yield from conclude(at.of, ended.status, ended.cp)


def _took_all(at: Follower, entries: Sequence[Entry]) -> Generator[Effect, Any, bool]:
    """Tell what comes of some events; True at the end of the run."""
    for entry in entries:
        if (yield from _took(at, events.decode(entry))):
            return True
    return False


def _ended_unseen(at: Follower) -> Generator[Effect, Any, RunOutcome | None]:
    """Look how the run stands; return its outcome when it has ended."""
    outcome = yield from outcome_of(at.of)
    if outcome.status in ENDED:
        return outcome
    yield from refuse_to_wait_for_nobody(at.of)
    yield from warn_if_unserved(at.of.served, at.of.thread.namespace, at.of.run)
    last = yield commands.last_event(at.of.thread)
    if events.entry_id(last) < events.entry_id(at.after):
        # Redis failed over to a replica that was behind: what was seen is not there any more.
        yield from tell_gap(at)
        at.after = last
    return None


def _took(at: Follower, event: StreamEvent) -> Generator[Effect, Any, bool]:
    """Tell what comes of an event, and before it what is missing; True at the end of the run."""
    begins = isinstance(event.payload, RunEvent)
    missing = at.number is not None and event.number != at.number + 1
    if event.run == at.of.run and missing and not (at.number == 0 and begins):
        yield from tell_gap(at)
    at.after = event.id
    if event.run != at.of.run:
        return False
    at.number = event.number
    if at.marks:
        yield Tell(Position(event.id))
    return (yield from tell(at, event))
