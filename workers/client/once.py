"""A run whose caller chose its id: it begins once, however often it is submitted.

The scripts that begin a run know one that is there. Here a caller is told of it who would be
refused before: since the thread is busy with that very run, or went on from it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.readings import Header, RunOutcome
from distgraph.errors import DistGraphError

from ..shared.served import Registry
from .attaching import FoundRun, find
from .begun import Begun
from .effects import Effect, Flow, Together


def once(
    registry: Registry, thread: Thread, run: str, begin: Flow
) -> Generator[Effect, Any, FoundRun | Begun]:
    """Carry out ``begin``, which begins ``run``, unless the thread has that run.

    Raises what ``begin`` raises, and ValueError where another thread has it, as far as that is
    known: for an hour, and not while both begin at once.
    """
    yield from _claim(thread, run)
    known = yield from find(registry, thread, run)
    if known is not None:
        return known
    try:
        begun: Begun = yield from begin
    except DistGraphError:
        known = yield from find(registry, thread, run)
        if known is None:
            raise
        return known
    return begun


def _claim(thread: Thread, run: str) -> Generator[Effect, Any, None]:
    note = commands.note_run_id(thread, run, first=True)
    _, noted = yield Together((note, commands.noted_run_id(thread.namespace, run)))
    if noted in ("", thread.x):
        return
    other = Thread.from_x(thread.namespace, noted)
    outcome: RunOutcome | None = yield commands.outcome(other, run)
    header: Header | None = yield commands.any_header(other)
    if outcome is not None and header is not None:
        msg = (
            f"run_id {run!r} is that of a run on thread {header.thread_id[:200]!r}, and cannot be "
            f"that of one on thread {thread.thread_id[:200]!r}: each run needs an id of its own."
        )
        raise ValueError(msg)
    # It was noted for a run that never began, or is forgotten.
    yield commands.note_run_id(thread, run, first=False)
