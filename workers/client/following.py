"""How a client follows a run: the thread's event stream, turned into the engine's events."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from checkpoint_redis import commands, events
from checkpoint_redis.events import Entry, EntryId, StreamEvent
from checkpoint_redis.layout import (
    AskEvent,
    CustomEvent,
    EndEvent,
    EventKind,
    FailEvent,
    RunEvent,
    RunKind,
    RunStatus,
    StepEvent,
    TaskEvent,
)
from checkpoint_redis.replies import RunOutcome
from distgraph.core.graph import Graph
from distgraph.core.model import Result, Task, ThreadState
from distgraph.core.plan import is_input, plan, with_caller_writes
from distgraph.effects import Tell
from distgraph.events import Concluded, Custom, Ended, Resumed, Started, Stepped

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
from .marks import SEEN, Gap, Position, Superseded
from .reading import load_state, with_packets
from .unserved import warn_if_unserved
from .watched import Watched

log: Final = logging.getLogger(__name__)
STARTED: RunKind = "start"
ROOT = ""
ENTRIES = 200
"""How many events are read at once."""


@dataclass(slots=True)
class _Open:
    """The superstep that is under way: what its tasks read, which they are, what they left."""

    cp: str
    values: Mapping[str, Any]
    tasks: Mapping[str, Task]
    results: dict[str, Result]


@dataclass(slots=True)
class _Follower:
    """Where a follower stands in a run.

    ``number``: of the last event that was seen, 0 before the first one, None when it is not known.
    ``marks``: whether it is told of which entry an event comes, and what is missing. ``lacks``:
    the checkpoint of the superstep is gone, which was told.
    """

    of: Watched
    modes: frozenset[str]
    begun: Begun
    state: ThreadState | None
    after: str
    marks: bool = False
    number: int | None = 0
    open: _Open | None = None
    lacks: bool = False

    @property
    def graph(self) -> Graph:
        return self.of.served.graph


def follow(of: Watched, begun: Begun, modes: frozenset[str], timeout: float | None) -> Flow:
    """Tell a run's events from its beginning to its end; the last one is Concluded.

    Without ``modes`` that is all that is told. Raises RunTimeout after ``timeout`` seconds,
    RunCancelled, ThreadNotFound, and StoreError when Redis has lost how the run ended.
    """
    if begun.outcome is not None:
        yield Tell(Concluded("", begun.state, begun.outcome))
    elif modes:
        yield from _followed(_Follower(of, modes, begun, begun.state, begun.after))
    else:
        deadline = None if timeout is None else time.monotonic() + timeout
        yield from _awaited(of, begun.since, deadline)


def stream(of: Watched, begun: Begun, modes: frozenset[str], seen: Position | None) -> Flow:
    """Tell what ``follow`` tells, with marks: the entry before what comes of it, and gaps.

    ``seen``: how far the listener has got before.
    """
    if begun.outcome is not None:
        yield Tell(Concluded("", begun.state, begun.outcome))
        return
    at = _Follower(of, modes, begun, begun.state, begun.after, marks=True)
    if seen is None or not (yield from _returned(at, seen)):
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


def _followed(at: _Follower) -> Generator[Effect, Any, None]:
    """Tell what comes after the place where ``at`` stands."""
    listener: Listener = yield Listen(at.of)
    try:
        yield from _listened(at, listener)
    finally:
        listener.leave()


def _listened(at: _Follower, listener: Listener) -> Generator[Effect, Any, None]:
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


def _to_the_end(at: _Follower, ended: RunOutcome) -> Generator[Effect, Any, None]:
    """Tell how the run ended, and before that what came meanwhile."""
    while found := (yield commands.events_after(at.of.thread, at.after, ENTRIES)):
        if (yield from _took_all(at, found)):
            return
    if at.number is not None:  # else it was told before that something is missing
        yield from _tell_gap(at)
    yield from conclude(at.of, ended.status, ended.cp)


def _took_all(at: _Follower, entries: Sequence[Entry]) -> Generator[Effect, Any, bool]:
    """Tell what comes of some events; True at the end of the run."""
    for entry in entries:
        if (yield from _took(at, events.decode(entry))):
            return True
    return False


def _ended_unseen(at: _Follower) -> Generator[Effect, Any, RunOutcome | None]:
    """Look how the run stands; return its outcome when it has ended."""
    outcome = yield from outcome_of(at.of)
    if outcome.status in ENDED:
        return outcome
    yield from refuse_to_wait_for_nobody(at.of)
    yield from warn_if_unserved(at.of.served, at.of.thread.namespace, at.of.run)
    last = yield commands.last_event(at.of.thread)
    if events.entry_id(last) < events.entry_id(at.after):
        # Redis failed over to a replica that was behind: what was seen is not there any more.
        yield from _tell_gap(at)
        at.after = last
    return None


def _took(at: _Follower, event: StreamEvent) -> Generator[Effect, Any, bool]:
    """Tell what comes of an event, and before it what is missing; True at the end of the run."""
    begins = isinstance(event.payload, RunEvent)
    missing = at.number is not None and event.number != at.number + 1
    if event.run == at.of.run and missing and not (at.number == 0 and begins):
        yield from _tell_gap(at)
    at.after = event.id
    if event.run != at.of.run:
        return False
    at.number = event.number
    if at.marks:
        yield Tell(Position(event.id))
    return (yield from _tell(at, event))


def _tell_gap(at: _Follower) -> Generator[Effect, Any, None]:
    """Tell that something is missing, and what is known now instead."""
    outcome = yield from outcome_of(at.of)
    pending = outcome.status not in ENDED
    _, state = yield from load_state(at.of.served.wire, at.of.thread, "" if pending else outcome.cp)
    at.number, at.state, at.open = None, state if pending else None, None
    if at.marks:
        yield Tell(Gap(at.after, state, outcome.status))
    else:
        log.warning(
            "Run %s: some of what it streamed is not kept any more; what follows is not all of it.",
            at.of.run,
        )


def _returned(at: _Follower, seen: Position) -> Generator[Effect, Any, bool]:
    """Stand where the listener got to, or tell that this place is gone; True at the run's end.

    What the superstep did up to there is told once more, as what was seen.
    """
    found = yield from _back_to_step(at, seen.id)
    if not found:
        at.after = seen.id
        yield from _tell_gap(at)
        at.after = at.begun.after
        return False
    at.after = seen.id
    for event in found[:-1]:
        yield Tell(Position(event.id, SEEN))
        yield from _tell(at, event)
    at.number = found[-1].number
    yield Tell(seen)
    return (yield from _tell(at, found[-1]))


def _back_to_step(at: _Follower, entry: str) -> Generator[Effect, Any, list[StreamEvent]]:
    """Return the run's events from the last superstep's beginning up to ``entry``; [] = gone."""
    found: list[StreamEvent] = []
    upto = entry
    while True:
        page = yield commands.events_back(at.of.thread, upto, ENTRIES)
        for event in map(events.decode, page):
            if event.run != at.of.run or (not found and event.id != entry):
                return []
            found.append(event)
            if isinstance(event.payload, StepEvent | RunEvent) and event.frame == ROOT:
                return found[::-1]
        if not page:
            return []
        upto = f"({found[-1].id}"


def _tell(at: _Follower, event: StreamEvent) -> Generator[Effect, Any, bool]:
    """Tell what an event of the stream means; True at the end of the run."""
    match event.payload:
        case EndEvent(status=status, checkpoint=cp):
            yield from conclude(at.of, status, cp)
            return True
        case RunEvent(kind=kind):
            yield from _begun(at, kind)
        case StepEvent(checkpoint=cp) if event.frame == ROOT:
            yield from _stepped(at, cp)
        case TaskEvent(tid=tid, attempt=attempt) if event.frame == ROOT:
            if event.kind == EventKind.task:
                yield from _ended(at, tid, event.blob)
            elif at.marks:
                yield from _superseded(at, tid, attempt)
        case AskEvent(tid=tid, iids=iids, deadlines=deadlines) if event.frame == ROOT:
            yield from _ended(at, tid, event.blob, zip(iids, deadlines, strict=True))
        case FailEvent(tid=tid) if event.frame == ROOT:
            yield from _ended(at, tid, (yield from outcome_of(at.of)).error)
        case CustomEvent() if "custom" in at.modes:
            yield Tell(Custom("", at.of.served.wire.serializer.loads(event.blob)))
    return False


def _begun(at: _Follower, kind: str) -> Generator[Effect, Any, None]:
    """Tell from where the run goes on, unless it starts with an input."""
    if at.state is None and at.begun.origin:
        _, state = yield from load_state(at.of.served.wire, at.of.thread, at.begun.origin)
        # What came later is told by the events to come.
        at.state = state and ThreadState(state.checkpoint, released=at.begun.released)
        if at.state is None and (kind != STARTED or at.begun.released == at.begun.origin):
            yield from _tell_lack(at)
            return
    if kind != STARTED or _continues(at):
        yield from _resumed(at)


def _tell_lack(at: _Follower) -> Generator[Effect, Any, None]:
    """Tell, once for all that follow each other, that a checkpoint was pruned."""
    if not at.lacks:
        yield from _tell_gap(at)
        at.lacks = True


def _superseded(at: _Follower, tid: str, attempt: int) -> Generator[Effect, Any, None]:
    if at.state is not None and (task := _open(at, at.state).tasks.get(tid)) is not None:
        yield Tell(Superseded(task, attempt))


def _continues(at: _Follower) -> bool:
    """Whether a started run goes on from a checkpoint instead of an input."""
    return at.state is not None and at.state.released == at.state.checkpoint.id


def _resumed(at: _Follower) -> Generator[Effect, Any, None]:
    if at.state is None:
        return
    yield Tell(Resumed("", at.state))
    now = _open(at, at.state)
    yield from _started(at, at.state, tuple(now.tasks.values()))
    for tid, task in now.tasks.items():
        if tid in now.results:
            step = at.state.checkpoint.step + 1
            yield Tell(Ended("", task, now.results[tid], now.values, kept=True, step=step))


def _stepped(at: _Follower, cp: str) -> Generator[Effect, Any, None]:
    if at.state is not None and at.state.checkpoint.id == cp:
        state: ThreadState | None = at.state
    else:
        _, state = yield from load_state(at.of.served.wire, at.of.thread, cp)
    if state is None:
        yield from _tell_lack(at)
        return
    at.lacks = False
    if is_input(state.checkpoint):
        return
    at.state, at.open = ThreadState(state.checkpoint), None
    if state.checkpoint.source == "fork":
        yield Tell(Resumed("", at.state))
    else:
        yield Tell(Stepped("", at.state, state.checkpoint.changed))
    if tasks := plan(state.checkpoint):
        yield from _started(at, at.state, tasks)


def _started(
    at: _Follower, state: ThreadState, tasks: tuple[Task, ...]
) -> Generator[Effect, Any, None]:
    """Tell which tasks begin; what was sent to them is read for those alone who are shown it."""
    if "tasks" in at.modes:
        state = yield from with_packets(at.of.served.wire, at.of.thread, state)
        shown = {task.id: task for task in plan(with_caller_writes(at.graph, state))}
        tasks = tuple(shown[task.id] for task in tasks)
    yield Tell(Started("", state, tasks))


def _ended(
    at: _Follower, tid: str, blob: bytes, deadlines: Iterable[tuple[str, int]] = ()
) -> Generator[Effect, Any, None]:
    if at.state is None or not blob:
        return
    now = _open(at, at.state)
    task = now.tasks.get(tid)
    if task is None:
        return
    now.results[tid] = result = at.of.served.wire.read_asked(blob, deadlines)
    yield Tell(Ended("", task, result, now.values, step=at.state.checkpoint.step + 1))


def _open(at: _Follower, state: ThreadState) -> _Open:
    """Plan a superstep once: doing so for each of its tasks would be quadratic in its width."""
    if at.open is None or at.open.cp != state.checkpoint.id:
        opened = with_caller_writes(at.graph, state)
        tasks = {task.id: task for task in plan(opened)}
        at.open = _Open(state.checkpoint.id, opened.values, tasks, dict(state.results))
    return at.open
