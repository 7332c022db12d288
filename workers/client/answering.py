"""How an answer is refused or gone on from, also without the code of its graph."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from checkpoint_redis import answers, commands
from checkpoint_redis.answers import Pairs
from checkpoint_redis.commands import Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import AnswerMode, TaskId, ThreadStatus
from checkpoint_redis.readings import Loaded
from checkpoint_redis.records import StagedAnswers
from checkpoint_redis.replies import Answered, Moved, OutboxEntry
from distgraph.errors import (
    NoSuchInterrupt,
    NothingToResume,
    ThreadBusy,
    ThreadConflict,
    ThreadNotFound,
)

from ..shared.supersteps import nonce
from .effects import Effect, HintsOut, Publish, Reach
from .labels import Outlet

TRIES = 10
"""So often is an answer given that others are faster than."""


def refuse_question_of_saver(loaded: Loaded | None, thread_id: str) -> None:
    """Raise NothingToResume when the question was not asked by workers, who cannot know it."""
    if loaded is not None and loaded.header.st is ThreadStatus.interrupted and loaded.log:
        what = f"Thread {thread_id!r} was asked its question by a run outside of the workers."
        todo = (
            "Answer it with the graph that asked, compiled with checkpointer=RedisSaver(...), or "
            "let workers ask again first: graph.invoke(None, config)."
        )
        raise NothingToResume(what, todo)


def answer(
    thread: Thread,
    run: str,
    mode: AnswerMode,
    pairs: Pairs,
    outlet: Outlet,
    **said: Any,
) -> Generator[Effect, Any, Answered]:
    """Go on with an open superstep, and publish what that queues; raise what a refusal means.

    ``said``: what else ``commands.answer`` is given.
    """
    answered, rnd = Answered("unstaged"), nonce()

    def command(pairs: Pairs, staged: StagedAnswers) -> Script[Answered]:
        return commands.answer(thread, run, mode, pairs, rnd=rnd, staged=staged, **said)

    yield Reach()
    for _ in range(TRIES):
        answered = yield from answers.give(thread, rnd, pairs, command)
        if answered.status == "moving":
            yield from move(thread, outlet)
        elif answered.status != "unstaged":
            break
    check_answered(answered, tuple(pair.iid for pair in pairs), thread)
    if answered.status != "dup":
        yield from _publish(thread, answered, outlet)
    return answered


def check_answered(answered: Answered, ids: tuple[str, ...], thread: Thread) -> None:
    """Raise what a refused answer means."""
    if answered.status == "no_interrupt":
        raise NoSuchInterrupt((answered.unknown,) if answered.unknown else ids, answered.pending)
    if answered.status == "missing":
        raise ThreadNotFound(f"Thread {thread.thread_id[:200]!r} was deleted in the meantime.")
    if answered.status == "nothing":
        msg = "Nothing waits on this thread: it was answered, or moved on, in the meantime."
        raise NothingToResume(msg)
    if answered.status == "busy":
        raise busy(thread, answered.run)
    if answered.status in ("conflict", "moving", "unstaged"):
        raise ThreadConflict(moved_on(thread))


def _publish(thread: Thread, answered: Answered, outlet: Outlet) -> Generator[Effect, Any, None]:
    """Publish what an accepted answer queued, and have the rest queued."""
    hints = list(answered.hints)
    if answered.advance:
        hints.append(OutboxEntry("", answered.ep, TaskId.advance, outlet.queue, 0))
    out = yield Publish((yield from outlet.messages(thread, hints)))
    if out and answered.more:
        out = yield from publish_outbox(thread, answered.ep, outlet)
    if answered.moves:
        yield from move(thread, outlet)
    if out:
        yield HintsOut(thread, answered.ep)


def move(thread: Thread, outlet: Outlet) -> Generator[Effect, Any, None]:
    """Queue and publish, slice by slice, what an accepted call goes on with: anybody may."""
    moved = Moved(moves=True)
    while moved.moves:
        moved = yield commands.move(thread)
        yield Publish((yield from outlet.messages(thread, moved.hints)))


def publish_outbox(thread: Thread, ep: str, outlet: Outlet) -> Generator[Effect, Any, bool]:
    """Publish all that is queued in the superstep ``ep``; False when that failed."""
    cursor, out, more = 0, True, True
    while more:
        cursor, part = yield commands.outbox(thread, "", ep, cursor)
        out = yield Publish((yield from outlet.messages(thread, part)))
        more = out and cursor != 0
    return out


def busy(thread: Thread, run: str, also: str = "") -> ThreadBusy:
    """Return the error of a caller whose thread runs, and who may do something else ``also``."""
    name = thread.thread_id
    todo = (
        f"Wait for it with backend.run({name!r}, {run!r}).result(), or end it with "
        f"backend.thread({name!r}).cancel(){also}."
    )
    return ThreadBusy(f"Thread {name!r} is busy with run {run}.", todo)


def moved_on(thread: Thread) -> str:
    """Return what a caller is told when somebody else was faster."""
    return (
        f"Thread {thread.thread_id!r} was moved on by somebody else in this moment, and "
        "nothing was changed: look at its state and call again."
    )
