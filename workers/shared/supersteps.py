"""How the tasks of a superstep go out: stored beforehand when they are many, then hinted at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from checkpoint_redis.records import STAGE_ABOVE, SuperstepEntry, TaskEntry
from checkpoint_redis.replies import OutboxEntry

STAGE_CHUNK = 1_000


def nonce() -> str:
    """Return 16 hex digits that nobody had before."""
    return os.urandom(8).hex()


def chunks(step: SuperstepEntry) -> Iterator[tuple[TaskEntry, ...]]:
    """Yield the tasks that are to be stored before ``step`` is: none of a narrow one.

    A script must stay short, so a wide superstep comes in several.
    """
    if len(step.tasks) > STAGE_ABOVE:
        for first in range(0, len(step.tasks), STAGE_CHUNK):
            yield step.tasks[first : first + STAGE_CHUNK]


def staged(step: SuperstepEntry) -> SuperstepEntry:
    """Return ``step`` without the tasks that ``chunks`` gave."""
    return replace(step, tasks=(), staged=True) if len(step.tasks) > STAGE_ABOVE else step


def entries(step: SuperstepEntry, ns: str, queue: str) -> list[OutboxEntry]:
    """Return what is to be published for the tasks of ``step``."""
    return [
        OutboxEntry(ns, step.ep, t.id, t.queue or queue, t.priority, t.name) for t in step.tasks
    ]
