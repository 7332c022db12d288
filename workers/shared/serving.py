"""Whether a living worker can go on with a thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checkpoint_redis.layout import GraphName
from checkpoint_redis.sightings import WorkerSeen

LIVES = 15.0
"""A worker that was seen within so many seconds lives."""


def lives(worker: WorkerSeen) -> bool:
    """Whether a worker was seen a moment ago."""
    return worker.age < LIVES


def living(workers: Iterable[WorkerSeen]) -> Mapping[str, int] | None:
    """Return which format is read of all that the living take tasks of; None when nobody lives."""
    found: dict[str, int] = {}
    alive = tuple(filter(lives, workers))
    for worker in alive:
        for label in (*worker.graphs, *worker.parts):
            found[label] = max(found.get(label, 0), worker.format)
    return found if alive else None


def serves(workers: Iterable[WorkerSeen], graph: str, version: str, form: int) -> bool:
    """Whether one of ``workers`` has a graph in that version, and reads threads of that format."""
    label = f"{graph}{GraphName.separator}{version}"
    return any(worker.format >= form and label in worker.graphs for worker in workers)
