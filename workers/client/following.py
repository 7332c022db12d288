"""How a client follows a run: the thread's event stream, turned into the engine's events."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis import commands, events
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import (
    AskEvent,
    CustomEvent,
    EndEvent,
    EventKind,
    FailEvent,
    GraphName,
    RunEvent,
    RunKind,
    RunStatus,
    StepEvent,
    TaskEvent,
    ThreadStatus,
)
from distgraph.core.graph import Graph
from distgraph.core.model import (
    Errored,
    Failed,
    Finished,
    Interrupted,
    Outcome,
    Paused,
    Result,
    Task,
    ThreadState,
)
from distgraph.core.plan import is_input, plan, with_caller_writes
from distgraph.effects import Tell
from distgraph.errors import CorruptRecord, RunCancelled, RunTimeout, StoreError, ThreadNotFound
from distgraph.events import Concluded, Custom, Ended, Resumed, Started, Stepped
from workers.client.begun import Begun
from workers.client.effects import Effect, Flow, Read, Wait
from workers.client.reading import load_state
from workers.shared.served import Served
from workers.shared.serving import lives

log = logging.getLogger(__name__)
STARTED: RunKind = "start"
ROOT = ""
FIRST_SLICE_MS, SLICE_MS = 5_000, 15_000
# Who only waits for the end need not wake up for every event: it looks again after a twentieth of
# the time that it has waited, at most this many seconds.
PATIENCE, LONGEST_WAIT = 0.05, 0.02
_ENDED = frozenset((RunStatus.success, RunStatus.interrupted, RunStatus.error, RunStatus.cancelled))


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

    served: Served
    thread: Thread
    run: str
    modes: frozenset[str]
    state: ThreadState | None
    after: str
    deadline: float | None
    open: _Open | None = None

    @property
    def graph(self) -> Graph:
        return self.served.graph

    @property
    def detailed(self) -> bool:
        """Whether more than the end of the run is wanted."""
        return bool(self.modes)


def follow(
    served: Served, thread: Thread, begun: Begun, modes: frozenset[str], timeout: float | None
) -> Flow:
    """Tell a run's events from its beginning to its end; the last one is Concluded.

    Raises RunTimeout after ``timeout`` seconds, RunCancelled, ThreadNotFound, and StoreError when
    Redis has lost how the run ended.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    at = _Follower(served, thread, begun.run, modes, begun.state, begun.after, deadline)
    if begun.outcome is not None:
        yield Tell(Concluded("", begun.state, begun.outcome))
        return None
    slice_ms, began = FIRST_SLICE_MS, time.monotonic()
    while True:
        found = yield Read(thread.events, at.after, _slice(at, slice_ms))
        for entry in found:
            if not at.detailed and not events.is_end(entry):
                at.after = entry[0].decode()
                continue
            event = events.decode(entry)
            at.after = event.id
            if (yield from _tell(at, event)):
                return None
        if found and not at.detailed:
            yield Wait(min(LONGEST_WAIT, PATIENCE * (time.monotonic() - began)))
        if not found and (yield from _ended_unseen(at)):
            return None
        if not found:
            slice_ms = SLICE_MS
            yield from _warn_if_unserved(at)


def _slice(at: _Follower, slice_ms: int) -> int:
    if at.deadline is None:
        return slice_ms
    left = at.deadline - time.monotonic()
    if left <= 0:
        msg = f"Run {at.run} did not finish in time. It goes on: wait again, or cancel it."
        raise RunTimeout(msg)
    return max(1, min(slice_ms, int(left * 1000)))


def _ended_unseen(at: _Follower) -> Generator[Effect, Any, bool]:
    """Look at the run's outcome: its event may have been trimmed, or lost with the stream."""
    outcome = yield commands.outcome(at.thread, at.run)
    if outcome is None:
        raise _unknown(at)
    if outcome.status in _ENDED:
        yield from _conclude(at, outcome.status, outcome.cp)
        return True
    yield from _refuse_to_wait_for_nobody(at)
    return False


def _refuse_to_wait_for_nobody(at: _Follower) -> Generator[Effect, Any, None]:
    """Raise when nothing can end the run any more.

    A thread leaves a run in the script that writes its outcome, so an outcome that is read after
    the thread was seen without the run is the last word.
    """
    header = yield commands.header(at.thread)
    if header is not None and header.st is ThreadStatus.busy and header.run == at.run:
        return
    outcome = yield commands.outcome(at.thread, at.run)
    if outcome is not None and outcome.status is RunStatus.pending:
        stands = "gone" if header is None else f"{header.st}, its last run is '{header.run}'"
        msg = (
            f"Run {at.run} has no outcome, and nothing carries it any more: thread "
            f"{at.thread.thread_id!r} is {stands}. Look at its state and start a new run."
        )
        raise StoreError(msg)


def _warn_if_unserved(at: _Follower) -> Generator[Effect, Any, None]:
    """Say so when nobody serves the graph: once for all runs of it that this process waits for."""
    notice, label = at.served.unserved, at.served.label
    if not notice.takes_look(time.monotonic()):
        return
    workers = yield commands.workers(at.thread.namespace)
    alive = [worker for worker in workers if lives(worker)]
    versions = {name for worker in alive for name in worker.graphs if _is_of(name, at.graph.name)}
    if notice.is_news(versions, time.monotonic()) and label not in versions:
        log.warning(
            "Run %s waits: no live worker serves graph %s%s. Start one: distgraph worker "
            "MODULE:GRAPH. What other runs of the graph wait for is not said again.",
            at.run,
            label,
            f", but {', '.join(sorted(versions))}" if versions else "",
        )


def _is_of(label: str, graph: str) -> bool:
    """Whether what a worker serves is a version of ``graph``."""
    return label.rpartition(GraphName.separator)[0] == graph


def _tell(at: _Follower, event: events.StreamEvent) -> Generator[Effect, Any, bool]:
    """Tell what an event of the stream means; True at the end of the run."""
    if event.run != at.run:
        return False
    match event.payload:
        case EndEvent(status=status, checkpoint=cp):
            yield from _conclude(at, status, cp)
            return True
        case RunEvent(kind=kind) if at.detailed:
            if kind != STARTED or _continues(at):
                yield from _resumed(at)
        case StepEvent(checkpoint=cp) if at.detailed and event.frame == ROOT:
            yield from _stepped(at, cp)
        case TaskEvent(tid=tid) if event.kind == EventKind.task and event.frame == ROOT:
            yield from _ended(at, tid, event.blob)
        case AskEvent(tid=tid) if event.frame == ROOT:
            yield from _ended(at, tid, event.blob)
        case FailEvent(tid=tid) if at.detailed and event.frame == ROOT:
            yield from _ended(at, tid, (yield from _error(at)))
        case CustomEvent() if "custom" in at.modes:
            yield Tell(Custom("", at.served.wire.serializer.loads(event.blob)))
    return False


def _continues(at: _Follower) -> bool:
    """Whether a started run goes on from a checkpoint instead of an input."""
    return at.state is not None and at.state.released == at.state.checkpoint.id


def _error(at: _Follower) -> Generator[Effect, Any, bytes]:
    """Return the error that the run ended with."""
    outcome = yield commands.outcome(at.thread, at.run)
    if outcome is None:
        raise _unknown(at)
    error: bytes = outcome.error
    return error


def _unknown(at: _Follower) -> ThreadNotFound:
    return ThreadNotFound(
        f"Run {at.run} is not known: its thread was deleted, or Redis lost its data."
    )


def _failure(at: _Follower) -> Generator[Effect, Any, Errored]:
    blob = yield from _error(at)
    if blob:
        return at.served.wire.read_error(blob)
    msg = f"Run {at.run} failed; other runs came after it, and its error is not kept."
    raise StoreError(msg)


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
        _, state = yield from load_state(at.served.wire, at.thread, cp)
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
    now.results[tid] = result = at.served.wire.read_result(blob)
    yield Tell(Ended("", task, result, now.values, step=at.state.checkpoint.step + 1))


def _open(at: _Follower, state: ThreadState) -> _Open:
    """Plan a superstep once: doing so for each of its tasks would be quadratic in its width."""
    if at.open is None or at.open.cp != state.checkpoint.id:
        opened = with_caller_writes(at.graph, state)
        tasks = {task.id: task for task in plan(opened)}
        at.open = _Open(state.checkpoint.id, opened.values, tasks, dict(state.results))
    return at.open


def _conclude(at: _Follower, status: str, cp: str) -> Generator[Effect, Any, None]:
    """Tell how the run ended, at its own last checkpoint: a later run may have moved the thread."""
    if status == RunStatus.cancelled:
        msg = f"Run {at.run} was cancelled."
        raise RunCancelled(msg)
    _, state = yield from load_state(at.served.wire, at.thread, cp)
    yield Tell(Concluded("", state, (yield from _outcome(at, status, state))))


def _outcome(
    at: _Follower, status: str, state: ThreadState | None
) -> Generator[Effect, Any, Outcome]:
    match status:
        case RunStatus.success:
            return Finished()
        case RunStatus.interrupted:
            return Paused(_questions(at, state))
        case RunStatus.error:
            return Failed((yield from _failure(at)))
        case _:
            msg = f"Run {at.run} ended with a status that this version does not know: {status}"
            raise CorruptRecord(msg)


def _questions(at: _Follower, state: ThreadState | None) -> tuple[Any, ...]:
    if state is None:
        return ()
    opened = with_caller_writes(at.graph, state)
    asked = [state.results.get(task.id) for task in plan(opened)]
    return tuple(q for result in asked if isinstance(result, Interrupted) for q in result.questions)
