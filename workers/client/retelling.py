"""What an event of a thread's stream tells of a run, and what is told where some are missing."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from checkpoint_redis.events import StreamEvent
from checkpoint_redis.layout import (
    AskEvent,
    CustomEvent,
    EndEvent,
    FailEvent,
    RetryEvent,
    RunEvent,
    RunKind,
    StepEvent,
    TaskEvent,
)
from distgraph.core.failures import exception_of
from distgraph.core.graph import Graph
from distgraph.core.model import Errored, Result, Task, ThreadState
from distgraph.core.plan import is_input, plan, with_caller_writes
from distgraph.effects import Tell
from distgraph.events import Custom, Ended, Received, Resumed, Started, Stepped

from .begun import Begun
from .concluding import ENDED, conclude, outcome_of
from .effects import Effect
from .insides import told_inside
from .marks import Gap, Superseded
from .reading import load_state, with_packets
from .watched import Watched

log: Final = logging.getLogger(__name__)
STARTED: RunKind = "start"
ROOT = ""


@dataclass(slots=True)
class _Open:
    """The superstep that is under way: what its tasks read, which they are, what they left."""

    cp: str
    values: Mapping[str, Any]
    tasks: Mapping[str, Task]
    results: dict[str, Result]


@dataclass(slots=True)
class Follower:
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


def tell_gap(at: Follower) -> Generator[Effect, Any, None]:
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


def tell(at: Follower, event: StreamEvent) -> Generator[Effect, Any, bool]:
    """Tell what an event of the stream means; True at the end of the run."""
    if event.frame != ROOT:
        yield from told_inside(at.of, event, modes=at.modes, marks=at.marks)
        return False
    return (yield from _tell(at, event))


def _tell(at: Follower, event: StreamEvent) -> Generator[Effect, Any, bool]:
    match event.payload:
        case EndEvent(status=status, checkpoint=cp):
            yield from conclude(at.of, status, cp)
            return True
        case RunEvent(kind=kind):
            yield from _begun(at, kind)
        case StepEvent(checkpoint=cp, follows=follows):
            yield from _stepped(at, cp, follows)
        case TaskEvent(tid=tid):
            yield from _ended(at, tid, event.blob)
        case RetryEvent(tid=tid, attempt=attempt) if at.marks:
            yield from _superseded(at, tid, attempt)
        case AskEvent(tid=tid, iids=iids, deadlines=deadlines):
            yield from _ended(at, tid, event.blob, zip(iids, deadlines, strict=True))
        case FailEvent(tid=tid):
            yield from _ended(at, tid, (yield from outcome_of(at.of)).error)
        case CustomEvent() if "custom" in at.modes:
            yield Tell(Custom("", at.of.served.wire.serializer.loads(event.blob)))
        case _:  # of a kind that is not known
            pass
    return False


def _begun(at: Follower, kind: str) -> Generator[Effect, Any, None]:
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


def _tell_lack(at: Follower) -> Generator[Effect, Any, None]:
    """Tell, once for all that follow each other, that a checkpoint was pruned."""
    if not at.lacks:
        yield from tell_gap(at)
        at.lacks = True


def _superseded(at: Follower, tid: str, attempt: int) -> Generator[Effect, Any, None]:
    if at.state is not None and (task := _open(at, at.state).tasks.get(tid)) is not None:
        yield Tell(Superseded("", tid, task.node, attempt))


def _continues(at: Follower) -> bool:
    """Whether a started run goes on from a checkpoint instead of an input."""
    return at.state is not None and at.state.released == at.state.checkpoint.id


def _resumed(at: Follower) -> Generator[Effect, Any, None]:
    if at.state is None:
        return
    yield Tell(Resumed("", at.state, at.begun.before))
    now = _open(at, at.state)
    yield from _started(at, at.state, tuple(now.tasks.values()))
    for tid, task in now.tasks.items():
        if tid in now.results:
            step = at.state.checkpoint.step + 1
            yield Tell(Ended("", task, now.results[tid], now.values, kept=True, step=step))


def _stepped(at: Follower, cp: str, follows: str) -> Generator[Effect, Any, None]:
    if at.state is not None and at.state.checkpoint.id == cp:
        if _continues(at):  # told when the run began: a fork, with what its caller wrote onto it
            return
        state: ThreadState | None = at.state
    else:
        _, state = yield from load_state(at.of.served.wire, at.of.thread, cp)
    if state is None:
        yield from _tell_lack(at)
        return
    at.lacks = False
    if is_input(state.checkpoint):
        yield Tell(Received("", ThreadState(state.checkpoint)))
        return
    at.state, at.open = ThreadState(state.checkpoint), None
    if state.checkpoint.source == "fork":
        yield Tell(Resumed("", at.state))
    else:
        yield Tell(Stepped("", at.state, state.checkpoint.changed))
    if follows == "go" and (tasks := plan(state.checkpoint)):
        yield from _started(at, at.state, tasks)


def _started(
    at: Follower, state: ThreadState, tasks: tuple[Task, ...]
) -> Generator[Effect, Any, None]:
    """Tell which tasks begin; what was sent to them is read for those alone who are shown it."""
    if not at.modes.isdisjoint(("tasks", "debug")):
        state = yield from with_packets(at.of.served.wire, at.of.thread, state)
        shown = {task.id: task for task in plan(with_caller_writes(at.graph, state))}
        tasks = tuple(shown[task.id] for task in tasks)
    yield Tell(Started("", state, tasks))


def _ended(
    at: Follower, tid: str, blob: bytes, deadlines: Iterable[tuple[str, int]] = ()
) -> Generator[Effect, Any, None]:
    if at.state is None or not blob:
        return
    now = _open(at, at.state)
    task = now.tasks.get(tid)
    if task is None:
        return
    now.results[tid] = result = at.of.served.wire.read_asked(blob, deadlines)
    if isinstance(result, Errored):
        result = replace(result, exception=exception_of(result))
    yield Tell(Ended("", task, result, now.values, step=at.state.checkpoint.step + 1))


def _open(at: Follower, state: ThreadState) -> _Open:
    """Plan a superstep once: doing so for each of its tasks would be quadratic in its width."""
    if at.open is None or at.open.cp != state.checkpoint.id:
        opened = with_caller_writes(at.graph, state)
        tasks = {task.id: task for task in plan(opened)}
        at.open = _Open(state.checkpoint.id, opened.values, tasks, dict(state.results))
    return at.open
