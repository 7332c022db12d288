"""The bodies of jobs: run a task, reduce a superstep. No Celery and no Redis: all is handed in."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from distgraph.core.execute import run_task, run_task_async
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph, Node
from distgraph.core.model import (
    Checkpoint,
    Completed,
    Errored,
    Escaped,
    Failed,
    Interrupted,
    Result,
    Task,
    ThreadState,
)
from distgraph.core.plan import with_nulls
from distgraph.core.retry import retry_delay
from distgraph.engine import NewStamp, Run, Save, advance
from distgraph.errors import InvalidUpdateError, SerializationError
from distgraph.runners.stores import new_stamp
from workers.desk import Desk, Office, errored, nonce
from workers.emitter import Emitter
from workers.hints import ADVANCE, Hint
from workers.runconfig import RunConfig, unpack
from workers.served import Served
from workers.wire import head_checkpoint

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A frame as a job has it: its state without results, its run's config, what it may do."""

    desk: Desk
    served: Served
    head: Any
    run: RunConfig
    state: ThreadState
    whole: bool

    @property
    def graph(self) -> Graph:
        """The graph of the thread."""
        return self.served.graph

    def program(self, results: Mapping[str, Result]) -> Run:
        """Return the engine's loop, from the state with ``results`` on."""
        state = replace(self.state, results=results)
        return advance(self.graph, state, self.run.limits(self.head.stop))


def step(office: Office, hint: Hint) -> None:
    """Do what ``hint`` names, as far as it is still to be done."""
    desk = office.desk(hint)
    if hint.is_advance:
        _claimed_advance(desk)
        return
    claimed = desk.claim(hint.tids)
    if claimed.status == "unserved":
        _tell_unserved(office, claimed.graph, claimed.fp)
    if claimed.status != "ok":
        return
    opened = _open(desk, claimed.context)
    for task in claimed.tasks:
        if task.status == "ok":
            _run(opened, task)


def _claimed_advance(desk: Desk) -> None:
    got = desk.claim_advance()
    if got.status == "unserved":
        _tell_unserved(desk.office, got.graph, got.fp)
    if got.status == "advance":
        _reduce(desk, got)


def _tell_unserved(office: Office, graph: str, fingerprint: str) -> None:
    served = ", ".join(office.registry.labels()) or "no graph"
    log.warning(
        "A task of graph %s@%s stays queued: this worker serves %s. Start a worker that imports "
        "that graph.",
        graph,
        fingerprint,
        served,
    )


def _open(desk: Desk, context: Any) -> Opened:
    served = desk.served(context)
    checkpoint = _checkpoint(desk, served, context)
    state = ThreadState(
        checkpoint or head_checkpoint(context),
        nulls=served.wire.read_nulls(context.nulls),
        passed=context.head.passed,
    )
    run = unpack(context.cfg, served.wire.serializer)
    return Opened(desk, served, context.head, run, state, checkpoint is not None)


def _checkpoint(desk: Desk, served: Served, context: Any) -> Checkpoint | None:
    if context.checkpoint is None:
        return None
    channels = dict(context.channels)
    if missing := [name for name, blob in channels.items() if blob is None]:
        channels |= desk.channels(missing)
    return served.wire.read_checkpoint(context.checkpoint, channels)


# --- one task -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a claimed task."""

    opened: Opened
    task: Task
    rnd: str
    number: int
    frame: TaskFrame
    values: Mapping[str, Any]
    emitter: Emitter

    @property
    def node(self) -> Node:
        """The node that the task runs."""
        return self.opened.graph.nodes[self.task.node]


def _run(opened: Opened, claimed: Any) -> None:
    attempt = _attempt(opened, claimed)
    desk = opened.desk
    lease = desk.lease(attempt.task.id)
    if not is_async(attempt.node):
        with desk.office.leases.holding(lease):
            result = run_task(opened.graph, attempt.task, attempt.values, attempt.frame)
            settle(attempt, result)
        return
    desk.office.leases.add(lease)
    desk.office.spawn(_run_async(attempt, lambda: desk.office.leases.drop(lease)))


async def _run_async(attempt: Attempt, done: Callable[[], None]) -> None:
    """Run a coroutine node; the lease, not a pool slot, is its right to run."""
    try:
        graph = attempt.opened.graph
        result = await run_task_async(
            graph, attempt.task, attempt.values, attempt.frame, asyncio.to_thread
        )
        await asyncio.to_thread(settle, attempt, result)
    finally:
        done()


def is_async(node: Node) -> bool:
    """Whether the node, or one of its path functions, only has an async form."""
    return any(c.call is None for c in (node.callee, *(branch.path for branch in node.branches)))


def _attempt(opened: Opened, claimed: Any) -> Attempt:
    wire, head, desk = opened.served.wire, opened.head, opened.desk
    task = wire.read_task(claimed.tid, claimed.blob)
    checkpoint = with_nulls(opened.graph, opened.state.checkpoint, opened.state.nulls)
    emitter = Emitter(
        wanted="custom" in head.modes.split(),
        encode=wire.serializer.dumps,
        send=lambda blobs: desk.emit(head.run, task.id, blobs),
    )
    frame = TaskFrame(
        task=task,
        checkpoint=checkpoint,
        ns="",
        token=desk.token,
        invocation=opened.run.invocation(head.thread_id, head.run),
        emit=emitter.emit,
        attempt=claimed.att,
        answers=wire.read_answers(claimed.answers),
        frames=wire.read_frames(claimed.memo),
        passes=(),
    )
    return Attempt(opened, task, claimed.rnd, claimed.att, frame, checkpoint.values, emitter)


def settle(attempt: Attempt, result: Result) -> None:
    """Record what a task left, and go on with the superstep when it was the last one."""
    attempt.emitter.flush()
    match result:
        case Completed() | Interrupted():
            _record(attempt, result)
        case Errored():
            _fail(attempt, result)
        case Escaped():
            _fail(attempt, errored(InvalidUpdateError("There is no parent graph")))


def _record(attempt: Attempt, result: Completed | Interrupted) -> None:
    opened, desk = attempt.opened, attempt.opened.desk
    try:
        finished = opened.served.wire.finished(attempt.task, attempt.rnd, result, opened.head.modes)
    except SerializationError as error:
        named = InvalidUpdateError(str(error))
        _fail(attempt, errored(named))
        return
    alone = opened.head.active == 1 and opened.whole and isinstance(result, Completed)
    done = _finish(attempt, result, finished) if alone else desk.complete(finished)
    if done is not None and done.advance is not None:
        _reduce(desk, done.advance)


def _finish(attempt: Attempt, result: Completed | Interrupted, finished: Any) -> Any:
    """Commit together with the only result of the superstep; return what is left to be done."""
    opened, desk = attempt.opened, attempt.opened.desk
    saved = _next_superstep(opened, {attempt.task.id: result})
    if saved is None:  # the reducers fail: let the barrier record the result, and say so
        return desk.complete(finished)
    answered = desk.finish(finished, saved, len(opened.state.nulls))
    if hasattr(answered, "closing"):
        return answered
    if answered.status == "go":
        desk.dispatch(saved, opened.head.queue)
    return None


def _fail(attempt: Attempt, error: Errored) -> None:
    wire = attempt.opened.served.wire
    delay = retry_delay(attempt.node, error, attempt.number, random.random())  # noqa: S311 a jitter
    memo = wire.frames(error.frames)
    attempt.opened.desk.fail(attempt.task.id, wire.error(error), delay, memo)


# --- the barrier ----------------------------------------------------------------------------


def _reduce(desk: Desk, got: Any) -> None:
    """Apply all writes of a closed superstep and commit what follows."""
    with desk.office.leases.holding(desk.lease(ADVANCE)):
        opened = _open(desk, got.context)
        wire = opened.served.wire
        results = {tid: wire.read_result(blob) for tid, blob in desk.writes(got).items()}
        try:
            saved = _next_superstep(opened, results, desk)
        except SerializationError as error:
            desk.fail_advance(wire.error(errored(InvalidUpdateError(str(error)))))
            return
        if saved is not None and desk.commit(saved).status == "go":
            desk.dispatch(saved, opened.head.queue)


def _next_superstep(
    opened: Opened, results: Mapping[str, Result], reducer: Desk | None = None
) -> Any:
    """Return the superstep to be committed; None when there is none, which a reducer records."""
    program = opened.program(results)
    answer = None
    try:
        while True:
            match program.send(answer):
                case NewStamp(parent):
                    answer = new_stamp(parent)
                case Save() as save:
                    return opened.served.wire.superstep(
                        opened.graph, nonce(), save.checkpoints, save.then, opened.head.stop
                    )
                case request:
                    msg = f"A closed superstep asked for {request}"
                    raise RuntimeError(msg)
    except StopIteration as stop:
        if reducer is not None and isinstance(stop.value, Failed):
            reducer.fail_advance(opened.served.wire.error(stop.value.error))
    return None
