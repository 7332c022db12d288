"""How a client starts, resumes and updates: the engine's program, answered by scripts.

The program runs in the caller's process until its first tasks have to be run; from there on
workers carry it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from checkpoint_redis import commands, packets
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import ThreadStatus
from distgraph.checkpoint.replaced import in_place_of
from distgraph.core.model import EXIT, Checkpoint, Failed, ThreadState
from distgraph.engine import Execute, GoOn, Load, NewStamp, RunHere, Save, SaveUpdate
from distgraph.runners.backend import Job
from distgraph.runners.stores import new_stamp
from distgraph.runners.untracked import storable_request

from ..shared.served import Served
from ..shared.supersteps import nonce
from .answering import refuse_question_of_saver
from .begun import Begun
from .draining import stopped
from .effects import Effect, Flow, Here
from .going_on import answer_by_id, go_on, written
from .launching import launch
from .reading import load_state
from .submission import Submission


def begin(
    job: Job, served: Served, thread: Thread, run: str, metadata_keys: tuple[str, ...]
) -> Flow:
    """Start what ``job`` asks for; return Begun.

    By those of its metadata that ``metadata_keys`` name the thread will be found.

    Raises what the program raises, ThreadBusy, ThreadConflict, NoSuchInterrupt, NothingToResume.
    """
    call = Submission(job, served, thread, run, metadata_keys)
    return (yield from answer_by_id(call)) or (yield from _carry(call))


def _carry(call: Submission) -> Generator[Effect, Any, Begun]:
    """Answer the engine's program up to its first tasks."""
    job = call.job
    answer: Any = None
    state: ThreadState | None = None
    try:
        while True:
            request = storable_request(job.graph, job.program.send(answer))
            match request:
                case Load():
                    answer = yield from _load(call)
                case NewStamp(parent):
                    answer = new_stamp(parent)
                case RunHere():
                    answer = yield Here(job, request)
                case Save():
                    return (yield from _save(call, request))
                case GoOn():
                    return (yield from _go_on(call, request))
                case SaveUpdate():
                    answer = state = yield from _update(call, request)
                case Execute():
                    msg = "A run must be stored before its tasks are run."
                    raise RuntimeError(msg)
    except StopIteration as stop:
        reached = None if isinstance(stop.value, Failed) else state
        return Begun(call.run, "", reached, stop.value)


def _load(call: Submission) -> Generator[Effect, Any, ThreadState | None]:
    at = call.job.place.checkpoint_id
    call.loaded, call.origin = yield from load_state(call.wire, call.thread, at)
    if call.job.if_new and call.loaded is not None:
        raise call.exists()
    if call.resumes:
        refuse_question_of_saver(call.loaded, call.thread.thread_id)
    if call.origin is not None and at:
        return replace(call.origin, moved_past=call.origin.checkpoint.id != call.head)
    return call.origin


def _save(call: Submission, request: Save) -> Generator[Effect, Any, Begun]:
    made = _made_by(call.run, request.checkpoints)
    then = stopped(call.job, request) or request.then
    step = call.wire.superstep(call.graph, nonce(), made, then)
    ready = replace(step, caller_writes=written(call, request))
    return (yield from launch(call, ready, request.state))


def _go_on(call: Submission, request: GoOn) -> Generator[Effect, Any, Begun]:
    """Go on, unless the run is to stop and nothing is to be stored before that."""
    if (end := stopped(call.job, request)) and not _changes(request):
        return Begun(call.run, "", None, end)
    begun: Begun = yield from go_on(call, request)
    return replace(begun, before=call.origin)


def _changes(request: GoOn) -> bool:
    """Whether something has to be stored of who goes on: an answer, an update."""
    return bool(request.replies) or request.caller_write is not None


def _made_by(run: str, checkpoints: tuple[Checkpoint, ...]) -> tuple[Checkpoint, ...]:
    """Return ``checkpoints`` as they are stored of a run that may leave its last one alone."""
    made: list[Checkpoint] = []
    for each in checkpoints:
        metadata = {**each.metadata, EXIT: run} if EXIT in each.metadata else each.metadata
        named = replace(each, metadata=metadata)
        made.append(in_place_of(made[-1], named) if made else named)
    return tuple(made)


def _update(call: Submission, request: SaveUpdate) -> Generator[Effect, Any, ThreadState]:
    checkpoint = request.state.checkpoint
    waiting = call.status is ThreadStatus.interrupted and bool(checkpoint.frontier)
    # A parent that the thread has moved past stays as it is: others go on from it too.
    done = request.done if request.parent is None or request.parent.id == call.head else ()
    entry = call.wire.checkpoint(checkpoint, call.wire.apart(checkpoint.frontier, nonce()))
    yield from packets.stage(call.thread, entry.packets)
    changed = yield commands.update(
        call.thread,
        (entry,),
        expect=call.head,
        seen=call.epoch,
        ep=nonce(),
        waiting=waiting,
        done=tuple((task.id, call.wire.result(task, result)) for task, result in done),
        graph=call.graph.name,
        fp=call.graph.fingerprint,
        queue=call.served.queue,
    )
    if changed.status == "busy":
        raise call.busy(changed.run)
    if changed.status in ("conflict", "missing"):
        raise call.conflict()
    call.loaded, _ = yield from load_state(call.wire, call.thread)
    return replace(request.state, checkpoint=replace(checkpoint, lines=entry.lines))
