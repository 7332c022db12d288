"""How an answer is refused or gone on from, also without the code of its graph."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import TaskId, ThreadStatus
from checkpoint_redis.replies import Answered, Loaded, OutboxEntry
from distgraph.errors import NoSuchInterrupt, NothingToResume, ThreadBusy, ThreadConflict
from workers.client.effects import Effect, Flow, Publish
from workers.shared.hints import outgoing


def refuse_question_of_saver(loaded: Loaded | None, thread_id: str) -> None:
    """Raise NothingToResume when the question was not asked by workers, who cannot know it."""
    if loaded is not None and loaded.header.st is ThreadStatus.interrupted and loaded.log:
        what = f"Thread {thread_id!r} was asked its question by a run outside of the workers."
        todo = (
            "Answer it with the graph that asked, compiled with checkpointer=RedisSaver(...), or "
            "let workers ask again first: graph.invoke(None, config)."
        )
        raise NothingToResume(what, todo)


def check_answered(answered: Answered, ids: tuple[str, ...], thread: Thread) -> None:
    """Raise what a refused answer means."""
    if answered.status == "no_interrupt":
        raise NoSuchInterrupt(ids, answered.pending)
    if answered.status in ("nothing", "missing"):
        msg = "Nothing waits on this thread: it was answered, or moved on, in the meantime."
        raise NothingToResume(msg)
    if answered.status == "busy":
        raise busy(thread, answered.run)
    if answered.status == "conflict":
        raise ThreadConflict(moved_on(thread))


def publish_answered(thread: Thread, answered: Answered, queue: str) -> Flow:
    """Publish what an accepted answer queued."""
    hints = list(answered.hints)
    if answered.advance:
        hints.append(_advance_hint(answered, queue))
    yield Publish(tuple(outgoing(thread.x, hints)))
    if answered.more:
        yield from publish_outbox(thread, answered.ep)
    yield commands.published(thread, "", answered.ep)
    return None


def publish_outbox(thread: Thread, ep: str) -> Generator[Effect, Any, None]:
    """Publish all that is queued in the superstep ``ep``."""
    cursor, more = 0, True
    while more:
        cursor, part = yield commands.outbox(thread, "", ep, cursor)
        yield Publish(tuple(outgoing(thread.x, part)))
        more = cursor != 0


def _advance_hint(answered: Answered, queue: str) -> Any:
    return OutboxEntry("", answered.ep, TaskId.advance, queue, 0)


def busy(thread: Thread, run: str, also: str = "") -> ThreadBusy:
    """Return the error of a caller whose thread runs, and who may do something else ``also``."""
    todo = f"Wait for it with backend.run(thread_id, run_id).result(), or cancel it{also}."
    return ThreadBusy(f"Thread {thread.thread_id!r} is busy with run {run}.", todo)


def moved_on(thread: Thread) -> str:
    """Return what a caller is told when somebody else was faster."""
    return (
        f"Thread {thread.thread_id!r} was moved on by somebody else in this moment, and "
        "nothing was changed: look at its state and call again."
    )
