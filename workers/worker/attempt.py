"""One try at a claimed task: what it runs on, and what becomes of its result."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from checkpoint_redis.bundles import Bundle
from checkpoint_redis.layout import Limit
from checkpoint_redis.records import ResultEntry, SuperstepEntry
from checkpoint_redis.replies import ClaimedTask, Recorded
from distgraph.checkpoint.digests import digest_of
from distgraph.core.frame import TaskFrame, discard
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
)
from distgraph.core.plan import seen_by
from distgraph.core.retry import retry_delay
from distgraph.errors import InvalidUpdateError, JobFailed, NoParentGraph, SerializationError
from distgraph.runners.attempts import heard_by
from distgraph.runners.lanes import TaskLanes
from distgraph.runners.untracked import storable_result
from distgraph.runners.watched import watch

from ..shared.hints import label
from ..shared.inner import dispatched
from ..shared.supersteps import nonce
from ..shared.wire import shows_writes
from . import stopping
from .barrier import next_superstep, reduce
from .called import Called, Wish
from .calls import CallsWish
from .emitter import Emitter
from .failures import errored_in, may_pass, recordable
from .limits import pool_limit
from .opened import Opened
from .parking import to_park
from .relaying import Relay, calls_relay_of, emitter_of, relay_of, speak_of
from .telling import Subject, tell_failed, tell_refused


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claimed task with everything that it needs to be run; ``failures`` came before it."""

    opened: Opened
    task: Task
    rnd: str
    failures: int
    frame: TaskFrame
    values: Mapping[str, Any]
    emitter: Emitter
    called: Called
    relay: Relay | None
    calls_relay: Relay | None

    @property
    def graph(self) -> Graph:
        """The graph of the frame."""
        return self.opened.graph

    @property
    def node(self) -> Node:
        """The node that the task runs."""
        return self.graph.nodes[self.task.node]

    @property
    def label(self) -> str:
        """What its job is called."""
        return label(self.graph.name, self.task.node)

    @property
    def subject(self) -> Subject:
        """What the log says whose attempt it is."""
        return self.opened.subject(self.task.node, self.frame.attempt)


def attempt_at(opened: Opened, claimed: ClaimedTask) -> Attempt:
    """Return the attempt that ``claimed`` gives the right to."""
    wire, desk = opened.served.wire, opened.desk
    task = wire.read_task(claimed.tid, claimed.blob, claimed.packet)
    if opened.caller is not None:
        task = replace(task, caller=opened.caller.task)
    reads = opened.graph.nodes[task.node].reads(sent=task.send is not None)
    checkpoint = seen_by(opened.graph, opened.state, reads)
    relay = relay_of(opened)
    emitter = emitter_of(opened, task.id, relay)
    inner = dispatched(opened.graph.nodes[task.node])
    called = Called(desk, claimed, wire.serializer, inner)
    limit = pool_limit(opened.graph.nodes[task.node], task, _step_limit(opened))
    speak = heard_by(limit, speak_of(opened, emitter))
    frame = TaskFrame(
        task=task,
        graph=opened.graph,
        stop=opened.stop,
        checkpoint=checkpoint,
        ns=opened.task_ns,
        token=desk.token,
        invocation=opened.invocation(claimed.rnd),
        emit=emitter.emit if "custom" in opened.shown.modes else discard,
        publish=partial(relay.publish, emitter) if relay else None,
        attempt=claimed.att,
        began=_time_of(checkpoint),
        limit=limit,
        answers=wire.read_answers(claimed.answers),
        frames=called,
        passes=(),
        lanes=TaskLanes(),
        digest=digest_of,
        watch=watch(speak),
        speak=speak,
    )
    called.drained = partial(stopping.hear_from, opened, frame)
    if claimed.failures:
        stopping.hear(opened, frame)
    values, told = checkpoint.values, (emitter, called, relay, calls_relay_of(opened, relay))
    return Attempt(opened, task, claimed.rnd, claimed.failures, frame, values, *told)


def _time_of(checkpoint: Checkpoint) -> float | None:
    """Return when a superstep began, the same for all attempts at its tasks, if that is known."""
    return datetime.fromisoformat(checkpoint.ts).timestamp() if checkpoint.ts else None


def _step_limit(opened: Opened) -> float | None:
    """Return the seconds that an attempt in a superstep of the root may take, None for any number.

    They count from its beginning: when the superstep began, another machine's clock knows.
    """
    compiled = opened.served.compiled
    return None if compiled is None or opened.ns else compiled.step_timeout


def settle(attempt: Attempt, result: Result) -> JobFailed | None:
    """Record what a task left, and go on with the superstep when it was the last one.

    Return what failed, which is logged.
    """
    attempt.emitter.sent().result()
    stopping.keep(attempt.opened, attempt.frame, result)
    if (wish := attempt.called.wish) is not None:
        # Graphs that the body has called as well may have something left to store.
        is_void = isinstance(wish, CallsWish) and attempt.called.is_given_up(result)
        return None if is_void else _park(attempt, wish)
    if attempt.called.is_given_up(result):
        return None
    match result:
        case Escaped(command) if not attempt.opened.ns:
            return _fail(attempt, errored_in(attempt.task, NoParentGraph(command)))
        case Interrupted(_, Errored() as refused):
            tell_refused(attempt.subject, refused)
            return _record(attempt, result)
        case Completed() | Interrupted() | Escaped():
            return _record(attempt, result)
        case Errored():
            return _fail(attempt, result)


def _park(attempt: Attempt, wish: Wish | CallsWish) -> JobFailed | None:
    """Leave the task to the graph that its node is, or to its calls: no worker waits for these."""
    opened = attempt.opened
    try:
        entry = to_park(opened.served.wire, wish, opened.config)
    except SerializationError as error:
        return _fail(attempt, errored_in(attempt.task, InvalidUpdateError(str(error))))
    opened.desk.park(attempt.task.id, entry, opened.head.queue)
    return None


def give_up(attempt: Attempt, error: BaseException) -> JobFailed | None:
    """Record what failed around a node, at once; raise what a later attempt may not meet."""
    failed = recordable(error)
    if may_pass(failed):
        raise failed
    return _fail_for_good(attempt, errored_in(attempt.task, failed))


def _record(attempt: Attempt, result: Completed | Interrupted | Escaped) -> JobFailed | None:
    desk = attempt.opened.desk
    result = storable_result(attempt.graph, result)
    try:
        result, entry = _stored(attempt, stopping.telling(attempt.opened, attempt.frame, result))
    except SerializationError as error:
        named = InvalidUpdateError(str(error))
        return _fail(attempt, errored_in(attempt.task, named))
    if attempt.called.collects:
        entry = replace(entry, collected=True)
    if attempt.opened.caller is not None:
        # Who called it finds the command, as what it has come to; the other calls run on.
        entry = replace(entry, escapes=False)
    alone = _is_alone(attempt) and isinstance(result, Completed)
    done = _finish(attempt, result, entry) if alone else desk.complete(entry, attempt.opened.above)
    if done is None or done.advance is None:
        return None
    return reduce(desk, done.advance)


def _stored(
    attempt: Attempt, result: Completed | Interrupted | Escaped
) -> tuple[Completed | Interrupted | Escaped, ResultEntry]:
    """Return the result with what it sent apart, and what is recorded of it."""
    wire, shown = attempt.opened.served.wire, _shown(attempt, result)
    if not isinstance(result, Completed):
        return result, wire.finished(attempt.task, attempt.rnd, result, shown)
    done, packets = wire.sent(attempt.task, result, nonce())
    return done, wire.finished(attempt.task, attempt.rnd, done, shown, packets)


def _shown(attempt: Attempt, result: Result) -> bytes | None:
    """Return what the event of a result has of it; None: the result itself."""
    opened, relay = attempt.opened, attempt.relay
    if not opened.ns:
        return None if shows_writes(opened.run.modes) else b""
    if opened.caller is not None:
        # What a call asks its caller tells.
        relay = _call_relay(attempt) if isinstance(result, Completed) else None
    if relay is None:
        return b""
    told = relay.ended(opened, attempt.frame, result)
    return relay.record(told.graph, told.ns, told.event)


def _call_relay(attempt: Attempt) -> Relay | None:
    """Return what shows a call of a function; a graph that is called shows what it does itself."""
    return None if attempt.node.callee.graph is not None else attempt.calls_relay


def _is_alone(attempt: Attempt) -> bool:
    """Whether the superstep has this one task; siblings that are done are not active either."""
    opened = attempt.opened
    return opened.head.active == 1 and opened.whole and len(attempt.frame.checkpoint.frontier) == 1


def _finish(
    attempt: Attempt, result: Completed | Interrupted | Escaped, entry: ResultEntry
) -> Recorded | None:
    """Commit together with the only result of the superstep; return what is left to be done."""
    opened, desk = attempt.opened, attempt.opened.desk
    saved = _following(opened, {attempt.task.id: result}, entry.packets)
    if saved is None:  # the barrier will find the same failure, and record it
        return desk.complete(entry, opened.above)
    written, queue = len(opened.state.caller_writes), opened.head.queue
    left = desk.finish(entry, saved, written, queue, opened.above)
    if left is None and len(entry.blob) > Limit.left_bytes:
        desk.give_way(opened.head.cp, {attempt.task.id: entry.blob}, saved)
    return left


def _following(
    opened: Opened, results: Mapping[str, Result], sent: tuple[Bundle, ...]
) -> SuperstepEntry | None:
    """Return the superstep to be committed, None when the results cannot be reduced or stored."""
    try:
        step = next_superstep(opened, results, sent)
    except SerializationError:
        return None
    return None if isinstance(step, Failed) else step


def _fail(attempt: Attempt, error: Errored) -> JobFailed | None:
    failures, around = attempt.failures + 1, attempt.opened.around
    jitter = random.uniform(0, 1)  # noqa: S311 only that
    delay = retry_delay(attempt.node, error, failures, jitter, len(around))
    if delay is None or error.is_settled:
        return _fail_for_good(attempt, error)
    desk, record = attempt.opened.desk, attempt.opened.served.wire.error(error)
    status = desk.fail(attempt.task.id, record, delay)
    if status == "retry":
        desk.office.sweep_after(delay, desk.thread.shard, attempt.task.id, attempt.label)
    return _told(attempt, error, status, delay if status == "retry" else None)


def _fail_for_good(attempt: Attempt, error: Errored) -> JobFailed | None:
    opened = attempt.opened
    record = opened.failure(error)
    relay = attempt.relay if opened.caller is None else _call_relay(attempt)
    if relay is not None and opened.ns:
        relay.publish(attempt.emitter, relay.ended(opened, attempt.frame, error))
        attempt.emitter.sent().result()
    status = opened.desk.fail(attempt.task.id, record, None, opened.above)
    return _told(attempt, error, status, None)


def _told(
    attempt: Attempt, error: Errored, status: str, retry_in: float | None
) -> JobFailed | None:
    """Tell of a failure that was recorded; that of an attempt which was given up is none.

    One that came up from a graph inside was told where it happened.
    """
    if status not in ("retry", "failed"):
        return None
    if retry_in is None and attempt.called.was_told:
        return None
    return tell_failed(attempt.subject, error, retry_in)
