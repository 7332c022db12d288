"""The barrier's job: reduce a closed superstep and commit what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from checkpoint_redis.bundles import Bundle
from checkpoint_redis.layout import Limit
from checkpoint_redis.readings import Context
from checkpoint_redis.records import SuperstepEntry
from checkpoint_redis.replies import Advance
from distgraph.checkpoint.replaced import in_place_of
from distgraph.core.model import Errored, Failed, Finished, Result, RunTasks
from distgraph.core.plan import plan
from distgraph.core.recorded import errored
from distgraph.engine import NewStamp, Save
from distgraph.errors import GraphDrained, InvalidUpdateError, JobFailed, SerializationError
from distgraph.runners.stores import new_stamp

from ..shared.hints import ADVANCE
from ..shared.supersteps import nonce
from . import stopping
from .desk import Desk
from .failures import may_pass, recordable, tells_end
from .opened import Opened, open_frame, subject_of
from .relaying import shown_of
from .telling import tell_failed


def reduce(desk: Desk, got: Advance) -> JobFailed | None:
    """Apply all writes of a closed superstep; what goes wrong in that ends the run.

    Return what did, which is logged.
    """
    context = got.context
    if context is None:
        return None
    opened = None
    with desk.office.leases.holding(desk.lease(ADVANCE)):
        try:
            opened = open_frame(desk, context)
            failed = _commit(desk, got, opened)
        except BaseException as error:
            if tells_end(error):
                desk.give_back_advance()
                raise
            failed = _failure(recordable(error))
        return _told(desk, context, opened, failed) if failed else None


def _stopping(opened: Opened, results: Mapping[str, Result], save: Save) -> Save:
    """Return what is stored in place of ``save`` where the run was asked to stop.

    Its tasks are planned from what is stored then, once the run is gone on with.
    """
    if not isinstance(save.then, RunTasks) or (reason := _drained(opened, results)) is None:
        return save
    return replace(save, then=Failed(errored(GraphDrained(reason))))


def _drained(opened: Opened, results: Mapping[str, Result]) -> str | None:
    """Return why the run is to stop: a task of the superstep, or the caller has asked for that."""
    if (reason := stopping.asked_by(opened, results.values())) is not None:
        return reason
    return opened.desk.drained(opened.head.run) if opened.drains else None


def _failure(error: Exception) -> Errored:
    """Return what is recorded of a superstep that cannot be reduced; raise what may pass."""
    if may_pass(error):
        raise error
    named = InvalidUpdateError(str(error)) if isinstance(error, SerializationError) else error
    return errored(named)


def _told(desk: Desk, context: Context, opened: Opened | None, failed: Errored) -> JobFailed | None:
    """Let nothing follow and tell of it, unless another worker reduces by now."""
    wire = desk.served(context).wire
    record, above = (opened.failure(failed), opened.above) if opened else (wire.error(failed), "")
    if desk.fail_advance(record, above) != "failed":
        return None
    return tell_failed(subject_of(desk, context.head), failed)


def _commit(desk: Desk, got: Advance, opened: Opened) -> Errored | None:
    """Commit what follows; return why nothing can."""
    wire = opened.served.wire
    written = desk.writes(got)
    results = {tid: wire.read_result(blob) for tid, blob in written.items()}
    step = next_superstep(opened, results)
    if isinstance(step, Failed):
        return step.error
    desk.commit(step, opened.head.queue, opened.above)
    desk.give_way(opened.head.cp, _in_order(opened, written), step)
    return None


def _in_order(opened: Opened, written: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return what tasks wrote in their order, in which reducers took it."""
    if max(map(len, written.values()), default=0) <= Limit.shared:
        return written
    order = (task.id for task in plan(opened.state.checkpoint))
    # Those that a caller sent for come last.
    return {**{tid: written[tid] for tid in order if tid in written}, **written}


def next_superstep(
    opened: Opened, results: Mapping[str, Result], sent: tuple[Bundle, ...] = ()
) -> SuperstepEntry | Failed:
    """Return the superstep that follows a closed one, or Failed when a reducer refuses.

    ``sent``: packets of the results that are not stored yet.
    """
    program = opened.program(results)
    answer = None
    try:
        while True:
            match program.send(answer):
                case NewStamp(parent):
                    answer = new_stamp(parent)
                case Save() as asked:
                    save = _stopping(opened, results, asked)
                    # A superstep is followed by a failure where all steps are taken.
                    at, finished = opened.state.checkpoint, isinstance(save.then, Finished | Failed)
                    made = tuple(
                        in_place_of(at, each, finished=finished) for each in save.checkpoints
                    )
                    made = stopping.marked(opened, results, save.then, made)
                    step = opened.served.wire.superstep(
                        opened.graph, nonce(), made, save.then, opened.ns
                    )
                    return replace(step, event=shown_of(opened, save, sent)) if opened.ns else step
                case request:
                    msg = f"A closed superstep asked for {type(request).__name__}."
                    raise RuntimeError(msg)
    except StopIteration as stop:
        if isinstance(stop.value, Failed):
            return stop.value
        msg = f"A closed superstep ended in {type(stop.value).__name__}."
        raise RuntimeError(msg) from None
