"""How a client starts, resumes and updates: the engine's program, answered by scripts.

The program runs in the caller's process until its first tasks have to be run; from there on
workers carry it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import AnswerMode
from checkpoint_redis.records import AnswerEntry, SuperstepEntry
from checkpoint_redis.replies import Answered, Loaded, Submitted
from distgraph.core.model import Decision, Failed, RunTasks, ThreadState
from distgraph.engine import (
    Execute,
    GoOn,
    Load,
    NewStamp,
    RunHere,
    Save,
    SaveUpdate,
    limits_of,
)
from distgraph.errors import (
    NothingToResume,
    ThreadBusy,
    ThreadConflict,
)
from distgraph.runners.backend import Job
from distgraph.runners.stores import new_stamp
from distgraph.types import Command
from workers.client.answering import (
    busy,
    check_answered,
    publish_answered,
    refuse_question_of_saver,
)
from workers.client.begun import Begun
from workers.client.effects import Effect, Flow, Here, Publish, Reach
from workers.client.reading import load_state
from workers.shared.hints import outgoing
from workers.shared.runconfig import encode_config, of_call, says_nothing
from workers.shared.served import Served
from workers.shared.supersteps import chunks, entries, nonce, staged
from workers.shared.wire import Wire


@dataclass(slots=True)
class _Client:
    """One call of a graph on its way into the store; `origin` is the state that it starts from."""

    job: Job
    served: Served
    thread: Thread
    run: str
    loaded: Loaded | None = None
    origin: ThreadState | None = None

    @property
    def wire(self) -> Wire:
        return self.served.wire

    @property
    def head(self) -> str:
        return self.loaded.header.cp if self.loaded else ""

    @property
    def status(self) -> str:
        return self.loaded.header.st if self.loaded else ""

    @property
    def is_open(self) -> bool:
        return self.loaded is not None and bool(self.loaded.tasks)


def begin(job: Job, served: Served, thread: Thread, run: str) -> Flow:
    """Start what ``job`` asks for; return Begun.

    Raises what the program raises, ThreadBusy, ThreadConflict, NoSuchInterrupt, NothingToResume.
    """
    client = _Client(job, served, thread, run)
    yield Reach()
    answer: Any = None
    state: ThreadState | None = None
    try:
        while True:
            request = job.program.send(answer)
            match request:
                case Load():
                    answer = yield from _load(client)
                case NewStamp(parent):
                    answer = new_stamp(parent)
                case RunHere():
                    answer = yield Here(job, request)
                case Save():
                    return (yield from _save(client, request))
                case GoOn():
                    return (yield from _go_on(client, request))
                case SaveUpdate():
                    yield from _update(client, request)
                    answer, state = None, request.state
                case Execute():
                    msg = "A run must be stored before its tasks are run."
                    raise RuntimeError(msg)
    except StopIteration as stop:
        reached = None if isinstance(stop.value, Failed) else state
        return Begun(run, "", reached, stop.value)


def _load(client: _Client) -> Generator[Effect, Any, ThreadState | None]:
    at = client.job.place.checkpoint_id
    client.loaded, client.origin = yield from load_state(client.wire, client.thread, at)
    given = client.job.start.given if client.job.start else None
    if isinstance(given, Command) and given.resume is not None:
        refuse_question_of_saver(client.loaded, client.thread.thread_id)
    return client.origin


# --- starting ---------------------------------------------------------------------------------


def _save(client: _Client, request: Save) -> Generator[Effect, Any, Begun]:
    stop = _stop(client)
    step = client.wire.superstep(
        client.served.graph, nonce(), request.checkpoints, request.then, stop
    )
    return (yield from _start(client, step, request.state, passed=request.state.passed))


def _stop(client: _Client) -> int:
    """Return the last step that the run may take, counted from where it starts."""
    start = client.job.start
    return limits_of(start, client.origin).stop if start else 0


def _start(
    client: _Client, step: SuperstepEntry, state: ThreadState, *, passed: str
) -> Generator[Effect, Any, Begun]:
    config = _config(client)
    for chunk in chunks(step):
        yield commands.stage(client.thread, step.ep, chunk)
    started: Submitted = yield commands.start(
        client.thread,
        client.run,
        staged(step),
        expect=client.head,
        graph=client.served.graph.name,
        fp=client.served.graph.fingerprint,
        queue=client.served.queue,
        cfg=config,
        modes=" ".join(sorted(client.job.modes)),
        released=passed,
    )
    if started.status == "busy":
        raise ThreadBusy(busy(client.thread, started.run))
    if started.status in ("conflict", "unstaged"):
        raise ThreadConflict(_conflict(client))
    if started.status == "go":
        hints = entries(step, "", client.served.queue)
        yield Publish(tuple(outgoing(client.thread.x, hints)))
        yield commands.published(client.thread, "", step.ep)
    return Begun(client.run, started.event_id, state)


def _config(client: _Client) -> bytes:
    job = client.job
    if job.start is None:
        return b""
    return encode_config(of_call(job.start, job.invocation), client.wire.serializer)


# --- going on ----------------------------------------------------------------------------------


def _go_on(client: _Client, request: GoOn) -> Generator[Effect, Any, Begun]:
    """Go on with what is open in Redis, or else start from where the thread stands."""
    if client.status == "busy" and request.how != "resume":
        header = client.loaded.header if client.loaded else None
        raise ThreadBusy(busy(client.thread, header.run if header else ""))
    if _answers_nothing(client, request):
        msg = f"Thread '{client.thread.thread_id}' waits for no answer: it is {client.status}."
        raise NothingToResume(msg)
    if client.is_open and request.how != "continue":
        return (yield from _answer(client, request, _mode(client, request.how)))
    step = client.wire.superstep(client.served.graph, nonce(), (), request.then, _stop(client))
    nulls = () if request.null is None else (client.wire.null(request.null),)
    at_head = request.state.checkpoint.id == client.head
    if not at_head:
        msg = "Going on from an older checkpoint with a Command needs update_state first."
        raise ThreadConflict(msg)
    ready = replace(step, caller_writes=nulls)
    return (yield from _start(client, ready, request.state, passed=request.state.passed))


def _answers_nothing(client: _Client, request: GoOn) -> bool:
    """Whether an answer came to a thread that neither asks nor stands at a static breakpoint.

    A cancelled or failed thread has its next superstep open as well.
    """
    given = client.job.start.given if client.job.start else None
    resumes = isinstance(given, Command) and given.resume is not None
    return resumes and not request.replies and client.status != "interrupted"


def _mode(client: _Client, how: AnswerMode) -> AnswerMode:
    """Return ``how``; but a failure that a late question took the place of is known to Redis alone.

    Tasks that had not started when the run failed need their hints again, as a retry gives them.
    """
    return "retry" if how == "reask" and client.status == "error" else how


def _answer(client: _Client, request: GoOn, mode: AnswerMode) -> Generator[Effect, Any, Begun]:
    wire, job = client.wire, client.job
    pairs = tuple(
        AnswerEntry("", reply.task, reply.answer.id, wire.answer(reply.answer))
        for reply in request.replies
    )
    nulls = () if request.null is None else (wire.null(request.null),)
    told = None if job.start is None else of_call(job.start, job.invocation)
    keep = told is None or says_nothing(told, client.served.graph)
    answered: Answered = yield commands.answer(
        client.thread,
        client.run,
        mode,
        pairs,
        rnd=nonce(),
        caller_writes=nulls,
        tasks=_added(client, request.then),
        cfg=None if keep or told is None else encode_config(told, wire.serializer),
        modes=" ".join(sorted(job.modes)),
        graph_fp=client.served.graph.fingerprint,
        stop=_stop(client),
    )
    return (yield from _answered(client, answered, request))


def _added(client: _Client, then: Decision) -> Any:
    """Return the tasks that a caller's goto adds to the open superstep."""
    if not isinstance(then, RunTasks) or client.loaded is None:
        return ()
    known = {task.tid for task in client.loaded.tasks}
    graph = client.served.graph
    return tuple(
        client.wire.task(task, graph.nodes[task.node])
        for task in then.tasks
        if task.id not in known
    )


def _answered(client: _Client, answered: Answered, request: GoOn) -> Generator[Effect, Any, Begun]:
    check_answered(answered, tuple(r.answer.id for r in request.replies), client.thread)
    if answered.status != "dup":
        yield from publish_answered(client.thread, answered, client.served.queue)
    run = answered.run or client.run
    return Begun(run, answered.event_id, request.state)


def _conflict(client: _Client) -> str:
    return (
        f"Thread '{client.thread.thread_id}' was moved on by somebody else in this moment, and "
        "nothing was changed: look at its state and call again."
    )


# --- updating ----------------------------------------------------------------------------------


def _update(client: _Client, request: SaveUpdate) -> Generator[Effect, Any, None]:
    checkpoint = request.state.checkpoint
    waiting = client.status == "interrupted" and bool(checkpoint.frontier)
    changed = yield commands.update(
        client.thread,
        (client.wire.checkpoint(checkpoint),),
        expect=client.head,
        ep=nonce(),
        waiting=waiting,
        graph=client.served.graph.name,
        fp=client.served.graph.fingerprint,
        queue=client.served.queue,
    )
    if changed.status == "busy":
        raise ThreadBusy(busy(client.thread, changed.run))
    if changed.status in ("conflict", "missing"):
        raise ThreadConflict(_conflict(client))
    client.loaded, _ = yield from load_state(client.wire, client.thread)
