"""Whether a living worker can go on with a thread."""

from __future__ import annotations

from collections.abc import Iterable

from checkpoint_redis.layout import GraphName
from checkpoint_redis.replies import Header, WorkerSeen

LIVES = 15.0
"""A worker that was seen within so many seconds lives."""


def lives(worker: WorkerSeen) -> bool:
    """Whether a worker was seen a moment ago."""
    return worker.age < LIVES


def serves(workers: Iterable[WorkerSeen], header: Header) -> bool:
    """Whether one of ``workers`` has a thread's graph, and reads the thread's format."""
    label = f"{header.graph}{GraphName.separator}{header.fp}"
    return any(worker.format >= header.format and label in worker.graphs for worker in workers)
