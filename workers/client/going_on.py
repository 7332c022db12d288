"""How a thread goes on: with what is open in Redis, or else from where it stands."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from checkpoint_redis.layout import AnswerMode, ThreadStatus
from checkpoint_redis.records import TaskEntry
from distgraph.core.begin import last_step_after
from distgraph.core.model import Decision, RunTasks
from distgraph.engine import GoOn, Save
from distgraph.errors import NothingToResume
from distgraph.types import Command

from ..shared.hints import Label, nameless
from ..shared.runconfig import encode_config, encode_metadata, of_call, says_nothing
from ..shared.supersteps import nonce
from .answering import answer
from .begun import Begun, begun_by
from .effects import Effect
from .labels import Outlet, derived, recorded
from .launching import launch
from .older import open_again
from .replying import by_id, pairs_of
from .submission import Submission


def go_on(call: Submission, request: GoOn) -> Generator[Effect, Any, Begun]:
    """Do what ``request`` says; ThreadBusy, NothingToResume, NoSuchInterrupt, ThreadConflict."""
    if call.status is ThreadStatus.busy and request.how != "resume":
        raise call.busy(call.loaded.header.run if call.loaded else "")
    if _answers_nothing(call, request):
        msg = f"Thread {call.thread.thread_id!r} waits for no answer: it is {call.status}."
        raise NothingToResume(msg)
    if call.is_open and request.how != "continue":
        return (yield from _answer(call, request, _mode(call, request.how)))
    if request.state.checkpoint.id != call.head:
        return (yield from open_again(call, request, written(call, request)))
    step = call.wire.superstep(call.graph, nonce(), (), request.then)
    ready = replace(step, caller_writes=written(call, request))
    return (yield from launch(call, ready, request.state))


def _answers_nothing(call: Submission, request: GoOn) -> bool:
    """Whether an answer came to a thread that neither asks nor stands at a static breakpoint.

    A cancelled or failed thread has its next superstep open as well.
    """
    waits = call.status is ThreadStatus.interrupted
    is_newest = request.state.checkpoint.id == call.head
    return call.resumes and not request.replies and not waits and is_newest


def _mode(call: Submission, how: AnswerMode) -> AnswerMode:
    """Return ``how``; but a failure that a late question took the place of is known to Redis alone.

    Tasks that had not started when the run failed need their hints again, as a retry gives them.
    """
    return "retry" if how == "reask" and call.status is ThreadStatus.error else how


def written(call: Submission, request: GoOn | Save) -> tuple[bytes, ...]:
    """Return the record of what a caller writes onto the superstep that begins, or goes on."""
    return () if request.caller_write is None else (call.wire.caller_write(request.caller_write),)


def answer_by_id(call: Submission) -> Generator[Effect, Any, Begun | None]:
    """Give answers to questions that are named, and read nothing else of the thread.

    None where more has to be known: who listens is told from which state the run goes on.
    """
    given, fp = call.job.start.given, call.graph.fingerprint
    if call.job.modes or call.job.start.at or not _only_answers(given):
        return None
    replies = yield from by_id(call.wire, call.thread, given.resume)
    if replies is None or (replies.header.graph, replies.header.fp) != (call.graph.name, fp):
        return None
    stop = last_step_after(replies.header.step, call.job.start.recursion_limit)
    answered = yield from answer(
        call.thread,
        call.run,
        "resume",
        replies.pairs,
        _outlet(call, derived(call.graph, replies.header)),
        **_told(call, stop),
    )
    return begun_by(answered, call.run, None)


def _only_answers(given: Any) -> bool:
    return isinstance(given, Command) and given.update is None and not given.goto


def _answer(call: Submission, request: GoOn, mode: AnswerMode) -> Generator[Effect, Any, Begun]:
    answered = yield from answer(
        call.thread,
        call.run,
        mode,
        pairs_of(call.wire, request.replies),
        _outlet(call, _recorded(call)),
        ep="" if mode == "resume" else call.epoch,
        caller_writes=written(call, request),
        tasks=_added(call, request.then),
        **_told(call, call.stop),
    )
    return begun_by(answered, call.run, request.state)


def _told(call: Submission, stop: int) -> dict[str, Any]:
    """Return what the run is told that an answer begins, whose last step is ``stop``."""
    job, serializer = call.job, call.wire.serializer
    told = of_call(job.start, job.invocation)
    keep = says_nothing(told, call.graph)
    return {
        "cfg": None if keep else encode_config(told, serializer),
        "modes": call.modes,
        "graph_fp": call.graph.fingerprint,
        "stop": stop,
        "by": job.start.by,
        "metadata": encode_metadata(told, serializer),
    }


def _outlet(call: Submission, called: Label) -> Outlet:
    return Outlet(call.served.queue, call.graph.name, call.wire, called)


def _recorded(call: Submission) -> Label:
    return nameless if call.loaded is None else recorded(call.wire, call.loaded)


def _added(call: Submission, then: Decision) -> tuple[TaskEntry, ...]:
    """Return the tasks that a caller's goto adds to the open superstep."""
    if not isinstance(then, RunTasks) or call.loaded is None:
        return ()
    known = {task.tid for task in call.loaded.tasks}
    return tuple(
        call.wire.task(task, call.graph.nodes[task.node], call.graph.name)
        for task in then.tasks
        if task.id not in known
    )
