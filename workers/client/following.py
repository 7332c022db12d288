"""How a client follows a run: the thread's event stream, turned into the engine's events."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from checkpoint_redis import events
from checkpoint_redis.events import EntryId
from checkpoint_redis.keys import Thread
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
from distgraph.core.graph import Graph
from distgraph.core.model import Result, Task, ThreadState
from distgraph.core.plan import is_input, plan, with_caller_writes
from distgraph.effects import Tell
from distgraph.errors import RunTimeout
from distgraph.events import Concluded, Custom, Ended, Resumed, Started, Stepped
from workers.client.begun import Begun, just_before
from workers.client.concluding import (
    ENDED,
    conclude,
    concluded_at_head,
    outcome_of,
    refuse_to_wait_for_nobody,
)
from workers.client.effects import AwaitEnd, Effect, Flow, Read, Wait
from workers.client.reading import load_state
from workers.client.unserved import warn_if_unserved
from workers.client.watched import Watched
from workers.shared.served import Served

STARTED: RunKind = "start"
ROOT = ""
FIRST_SLICE_MS, SLICE_MS = 5_000, 15_000
"""For how long a stream may be silent before it is looked how the run stands."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""How long to wait after a read that failed, and after many in succession."""
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
    """Where a follower stands in a run."""

    of: Watched
    modes: frozenset[str]
    state: ThreadState | None
    after: str
    open: _Open | None = None

    @property
    def graph(self) -> Graph:
        return self.of.served.graph


def follow(
    served: Served, thread: Thread, begun: Begun, modes: frozenset[str], timeout: float | None
) -> Flow:
    """Tell a run's events from its beginning to its end; the last one is Concluded.

    Without ``modes`` that is all that is told. Raises RunTimeout after ``timeout`` seconds,
    RunCancelled, ThreadNotFound, and StoreError when Redis has lost how the run ended.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    of = Watched(served, thread, begun.run)
    if begun.outcome is not None:
        yield Tell(Concluded("", begun.state, begun.outcome))
    elif modes:
        yield from _followed(_Follower(of, modes, begun.state, begun.after), deadline)
    else:
        yield from _awaited(of, begun.since, deadline)


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


def _followed(at: _Follower, deadline: float | None) -> Generator[Effect, Any, None]:
    slice_ms, lost = FIRST_SLICE_MS, 0
    look_at = time.monotonic() + slice_ms / 1000
    while True:
        key = at.of.thread.events
        found = yield Read({key: at.after}, _slice(at, slice_ms, deadline), ENTRIES)
        for entry in (found or {}).get(key, ()):
            event = events.decode(entry)
            at.after = event.id
            if (yield from _tell(at, event)):
                return
        lost = lost + 1 if found is None else 0
        if not found and (lost == 1 or look_at <= time.monotonic()):
            slice_ms = SLICE_MS
            look_at = time.monotonic() + slice_ms / 1000
            if (yield from _ended_unseen(at)):
                return
            yield from warn_if_unserved(at.of.served, at.of.thread.namespace, at.of.run)
        if lost:
            yield Wait(min(LONGEST_PAUSE, FIRST_PAUSE * 2**lost))


def _slice(at: _Follower, slice_ms: int, deadline: float | None) -> int:
    if deadline is None:
        return slice_ms
    left = deadline - time.monotonic()
    if left <= 0:
        msg = f"Run {at.of.run} did not finish in time. It goes on: wait again, or cancel it."
        raise RunTimeout(msg)
    return max(1, min(slice_ms, int(left * 1000)))


def _ended_unseen(at: _Follower) -> Generator[Effect, Any, bool]:
    """Look at the run's outcome: its event may have been trimmed, or lost with the stream."""
    outcome = yield from outcome_of(at.of)
    if outcome.status in ENDED:
        yield from conclude(at.of, outcome.status, outcome.cp)
        return True
    yield from refuse_to_wait_for_nobody(at.of)
    return False


def _tell(at: _Follower, event: events.StreamEvent) -> Generator[Effect, Any, bool]:
    """Tell what an event of the stream means; True at the end of the run."""
    if event.run != at.of.run:
        return False
    match event.payload:
        case EndEvent(status=status, checkpoint=cp):
            yield from conclude(at.of, status, cp)
            return True
        case RunEvent(kind=kind):
            if kind != STARTED or _continues(at):
                yield from _resumed(at)
        case StepEvent(checkpoint=cp) if event.frame == ROOT:
            yield from _stepped(at, cp)
        case TaskEvent(tid=tid) if event.kind == EventKind.task and event.frame == ROOT:
            yield from _ended(at, tid, event.blob)
        case AskEvent(tid=tid) if event.frame == ROOT:
            yield from _ended(at, tid, event.blob)
        case FailEvent(tid=tid) if event.frame == ROOT:
            yield from _ended(at, tid, (yield from outcome_of(at.of)).error)
        case CustomEvent() if "custom" in at.modes:
            yield Tell(Custom("", at.of.served.wire.serializer.loads(event.blob)))
    return False


def _continues(at: _Follower) -> bool:
    """Whether a started run goes on from a checkpoint instead of an input."""
    return at.state is not None and at.state.released == at.state.checkpoint.id


def _resumed(at: _Follower) -> Generator[Effect, Any, None]:
    if at.state is None:
        return
    yield Tell(Resumed("", at.state))
    now = _open(at, at.state)
    for tid, task in now.tasks.items():
        if tid in now.results:
            step = at.state.checkpoint.step + 1
            yield Tell(Ended("", task, now.results[tid], now.values, kept=True, step=step))
    todo = tuple(task for tid, task in now.tasks.items() if tid not in now.results)
    if todo:
        yield Tell(Started("", at.state, todo))


def _stepped(at: _Follower, cp: str) -> Generator[Effect, Any, None]:
    if at.state is not None and at.state.checkpoint.id == cp:
        state: ThreadState | None = at.state
    else:
        _, state = yield from load_state(at.of.served.wire, at.of.thread, cp)
    if state is None or is_input(state.checkpoint):
        return
    at.state, at.open = ThreadState(state.checkpoint), None
    if state.checkpoint.source == "fork":
        yield Tell(Resumed("", at.state))
    else:
        yield Tell(Stepped("", at.state, state.checkpoint.changed))
    if tasks := plan(state.checkpoint):
        yield Tell(Started("", at.state, tasks))


def _ended(at: _Follower, tid: str, blob: bytes) -> Generator[Effect, Any, None]:
    if at.state is None or not blob:
        return
    now = _open(at, at.state)
    task = now.tasks.get(tid)
    if task is None:
        return
    now.results[tid] = result = at.of.served.wire.read_result(blob)
    yield Tell(Ended("", task, result, now.values, step=at.state.checkpoint.step + 1))


def _open(at: _Follower, state: ThreadState) -> _Open:
    """Plan a superstep once: doing so for each of its tasks would be quadratic in its width."""
    if at.open is None or at.open.cp != state.checkpoint.id:
        opened = with_caller_writes(at.graph, state)
        tasks = {task.id: task for task in plan(opened)}
        at.open = _Open(state.checkpoint.id, opened.values, tasks, dict(state.results))
    return at.open
