"""How a run that somebody else started is found by its id."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import RunStatus
from checkpoint_redis.readings import RunOutcome
from distgraph.errors import ThreadNotFound

from ..shared.runconfig import decode_config
from ..shared.served import Registry
from ..shared.shown import Shown, read_shown
from .begun import Begun, just_before
from .effects import Effect


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run with the name of its graph, and what is recorded of what it streams."""

    graph: str
    begun: Begun
    shown: Shown


def attach(registry: Registry, thread: Thread, run: str) -> Generator[Effect, Any, FoundRun]:
    """Return what is known of a run; ThreadNotFound when nothing is."""
    found = yield from find(registry, thread, run)
    if found is None:
        msg = (
            f"Run {run[:200]!r} of thread {thread.thread_id[:200]!r} is not known: there never was "
            "one, its thread was deleted, or many runs came after it."
        )
        raise ThreadNotFound(msg)
    return found


def find(registry: Registry, thread: Thread, run: str) -> Generator[Effect, Any, FoundRun | None]:
    """Return what is known of a run, None when nothing is.

    Of an answer that joined a run, that one is meant.
    """
    header = yield commands.header(thread)
    outcome: RunOutcome | None = yield commands.outcome(thread, run)
    if outcome is not None and outcome.status is RunStatus.joined:
        run = outcome.cp
        outcome = yield commands.outcome(thread, run)
    if header is None or outcome is None:
        return None
    return _found(registry, thread, run, header.graph, outcome)


def _found(
    registry: Registry, thread: Thread, run: str, graph: str, outcome: RunOutcome
) -> FoundRun:
    since = just_before(outcome.now) if outcome.status is RunStatus.pending else None
    record = outcome.record
    if record is None:
        return FoundRun(graph, Begun(run, "0-0", None, since=since), read_shown("", {}))
    begun = Begun(
        run, record.event_id, None, since=since, origin=record.origin, released=record.released
    )
    config = decode_config(record.cfg, registry.common_wire().of(graph).serializer)
    about = {**config.metadata, "thread_id": thread.thread_id}
    return FoundRun(graph, begun, read_shown(record.modes, about))
