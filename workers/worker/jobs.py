"""The bodies of jobs: run a task, reduce a superstep. No Celery and no Redis: all is handed in."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distgraph.core.execute import run_task, run_task_async
from distgraph.core.frame import TaskFrame, discard
from distgraph.core.graph import Graph, Node
from distgraph.core.model import (
    Completed,
    Errored,
    Escaped,
    Failed,
    Interrupted,
    Result,
    Task,
)
from distgraph.core.plan import plan, with_nulls
from distgraph.core.retry import retry_delay
from distgraph.errors import InvalidUpdateError, SerializationError
from workers.shared.hints import Hint
from workers.worker.barrier import next_superstep, reduce
from workers.worker.desk import Desk, Office, errored
from workers.worker.emitter import Emitter
from workers.worker.failures import may_pass
from workers.worker.opened import Opened, open_frame

if TYPE_CHECKING:
    from checkpoint_redis.records import ResultEntry, SuperstepEntry
    from checkpoint_redis.replies import ClaimedTask, Recorded

log = logging.getLogger(__name__)


def step(office: Office, hint: Hint) -> None:
    """Do what ``hint`` names, as far as it is still to be done."""
    desk = office.desk(hint)
    if hint.is_advance:
        _claimed_advance(desk)
        return
    claimed = desk.claim(hint.tids)
    if claimed.status == "unserved":
        _tell_unserved(office, claimed.graph, claimed.fp)
    context = claimed.context
    if claimed.status != "ok" or context is None:
        return
    ready = [task for task in claimed.tasks if task.status == "ok"]
    try:
        opened = open_frame(desk, context)
        attempts = [_attempt(opened, task) for task in ready]
    except Exception as error:
        if may_pass(error):
            raise
        record = desk.served(context).wire.error(errored(error))
        for task in ready:
            desk.fail(task.tid, record, None, b"")
        return
    _run_all(desk, attempts)


def _claimed_advance(desk: Desk) -> None:
    got = desk.claim_advance()
    if got.status == "unserved":
        _tell_unserved(desk.office, got.graph, got.fp)
    reduce(desk, got)


def _tell_unserved(office: Office, graph: str, fingerprint: str) -> None:
    label = f"{graph}@{fingerprint}"
    if label in office.refused:
        return
    office.refused.add(label)
    served = ", ".join(office.registry.labels()) or "no graph"
    log.warning(
        "A task of graph %s stays queued: this worker serves %s. Start a worker that imports that "
        "graph. Further ones are not told of.",
        label,
        served,
    )


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
    def graph(self) -> Graph:
        """The graph of the thread."""
        return self.opened.graph

    @property
    def node(self) -> Node:
        """The node that the task runs."""
        return self.graph.nodes[self.task.node]


def _run_all(desk: Desk, attempts: Sequence[Attempt]) -> None:
    """Start the coroutines, then run the rest one by one; those that wait keep their leases too."""
    leases = desk.office.leases
    blocking = {desk.lease(a.task.id): a for a in attempts if not is_async(a.node)}
    with leases.holding(*blocking):
        for attempt in attempts:
            if is_async(attempt.node):
                _spawn(desk, attempt)
        for lease, attempt in blocking.items():
            settle(attempt, run_task(attempt.graph, attempt.task, attempt.values, attempt.frame))
            leases.drop(lease)


def _spawn(desk: Desk, attempt: Attempt) -> None:
    leases, lease = desk.office.leases, desk.lease(attempt.task.id)
    leases.add(lease)
    desk.office.spawn(_run_async(attempt, lambda: leases.drop(lease)))


async def _run_async(attempt: Attempt, done: Callable[[], None]) -> None:
    """Run a coroutine node; the lease, not a pool slot, is its right to run."""
    try:
        result = await run_task_async(
            attempt.graph, attempt.task, attempt.values, attempt.frame, asyncio.to_thread
        )
        await asyncio.to_thread(settle, attempt, result)
    finally:
        done()


def is_async(node: Node) -> bool:
    """Whether the node, or one of its path functions, only has an async form."""
    return any(c.call is None for c in (node.callee, *(branch.path for branch in node.branches)))


def _attempt(opened: Opened, claimed: ClaimedTask) -> Attempt:
    wire, head, desk = opened.served.wire, opened.head, opened.desk
    task = wire.read_task(claimed.tid, claimed.blob)
    checkpoint = with_nulls(opened.graph, opened.state.checkpoint, opened.state.nulls)
    wanted = "custom" in head.modes.split()
    emitter = Emitter(
        encode=wire.serializer.dumps,
        send=lambda blobs: desk.emit(head.run, task.id, blobs),
    )
    frame = TaskFrame(
        task=task,
        graph=opened.graph,
        checkpoint=checkpoint,
        ns="",
        token=desk.token,
        invocation=opened.run.invocation(head.thread_id, head.run),
        emit=emitter.emit if wanted else discard,
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
    alone = _is_alone(attempt) and isinstance(result, Completed)
    done = _finish(attempt, result, finished) if alone else desk.complete(finished)
    if done is not None and done.advance is not None:
        reduce(desk, done.advance)


def _is_alone(attempt: Attempt) -> bool:
    """Whether the superstep has this one task; siblings that are done are not active either."""
    opened = attempt.opened
    return opened.head.active == 1 and opened.whole and len(plan(attempt.frame.checkpoint)) == 1


def _finish(
    attempt: Attempt, result: Completed | Interrupted, finished: ResultEntry
) -> Recorded | None:
    """Commit together with the only result of the superstep; return what is left to be done."""
    opened, desk = attempt.opened, attempt.opened.desk
    saved = _following(opened, {attempt.task.id: result})
    if saved is None:  # the barrier will find the same failure, and record it
        return desk.complete(finished)
    return desk.finish(finished, saved, len(opened.state.nulls), opened.head.queue)


def _following(opened: Opened, results: Mapping[str, Result]) -> SuperstepEntry | None:
    """Return the superstep to be committed, None when the results cannot be reduced or stored."""
    try:
        step = next_superstep(opened, results)
    except SerializationError:
        return None
    return None if isinstance(step, Failed) else step


def _fail(attempt: Attempt, error: Errored) -> None:
    wire = attempt.opened.served.wire
    delay = retry_delay(attempt.node, error, attempt.number, random.random())  # noqa: S311 a jitter
    memo = wire.frames(error.frames)
    desk = attempt.opened.desk
    status = desk.fail(attempt.task.id, wire.error(error), delay, memo)
    if status == "retry" and delay is not None and delay < desk.office.settings.sweep:
        desk.office.backoffs.add(desk.thread.shard, delay)
