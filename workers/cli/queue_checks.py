"""What is wrong with the queues of the graphs that are known here, each in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checkpoint_redis.sightings import WorkerSeen

from ..backend import CeleryBackend
from ..broker.queues import why_none_is_urgent
from ..shared.served import Served
from .checks import Check


def examine_queues(backend: CeleryBackend, living: Iterable[WorkerSeen]) -> Iterator[Check]:
    """Look at who consumes which queues, and at what priorities do in them."""
    workers = tuple(living)
    for worker in workers:
        yield from _met(worker)
    for served in backend.registry.all() if workers else ():
        yield from _unconsumed(served, {queue for worker in workers for queue in worker.queues})
    for served in backend.registry.all():
        yield from _not_urgent(backend, served)


def _met(worker: WorkerSeen) -> Iterator[Check]:
    for queue, other in worker.met:
        met = f"{worker.name} meets namespace '{other}' in queue '{queue}'"
        todo = "jobs are handed to and fro, which costs time; give each a queue of its own"
        yield Check("queues", "warning", f"{met}: {todo}")


def _unconsumed(served: Served, consumed: set[str]) -> Iterator[Check]:
    for queue in served.queues:
        if queue not in consumed:
            what = f"queue '{queue}' of graph '{served.graph.name}' is consumed by no live worker"
            yield Check("queues", "warning", f"{what} that has the graph")


def _not_urgent(backend: CeleryBackend, served: Served) -> Iterator[Check]:
    for node, queue in served.urgent():
        if why := why_none_is_urgent(backend.app, queue):
            detail = f"priority of node '{node}' does little or nothing: queue '{queue}' {why}"
            yield Check("priority", "warning", detail)
