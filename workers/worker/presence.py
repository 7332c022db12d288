"""Who works: a worker tells that it lives and what it serves, and learns of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

from checkpoint_redis.sightings import WorkerSeen
from distgraph.checkpoint import formats
from distgraph.errors import DistGraphError

from ..shared.served import label_of
from .office import Office

log: Final = logging.getLogger(__name__)
FORGET = 86_400.0
"""Seconds after which a worker that vanished without leaving is forgotten."""


def appear(office: Office, worker: str, consumes: Callable[[str], bool]) -> None:
    """Tell that ``worker`` lives, and what it serves of all that is registered here.

    ``consumes`` knows the queues that it takes messages from. A graph is served where its own
    queue is: its tasks go there unless a node says otherwise, and its supersteps end there. Who is
    new forgets those that vanished, so that no more are known than came within a day.
    """
    whole, some = _consumed(office, consumes)
    is_new = office.ledger().appear(
        office.settings.namespace,
        worker,
        version=formats.release(),
        queues=tuple(queue for queue in office.registry.queues() if consumes(queue)),
        graphs=whole,
        parts=some,
        met=office.meetings.of_late(),
        reads=formats.FORMAT,
    )
    if is_new:
        _forget(office)


def _consumed(
    office: Office, consumes: Callable[[str], bool]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the graphs that are served, and those of which other queues are consumed.

    Among the latter are the graphs inside of both: their tasks go to the same queues.
    """
    all_of = {served.label: served for served in office.registry.all()}
    whole = tuple(label for label in all_of if consumes(all_of[label].own_queue))
    some = [served for served in all_of.values() if any(map(consumes, served.queues))]
    inner = (label_of(graph) for served in some for graph in served.inner)
    parts = dict.fromkeys((*(served.label for served in some), *inner))
    return whole, tuple(label for label in parts if label not in whole)


def leave(office: Office, worker: str) -> None:
    """Tell that ``worker`` is gone, if Redis can be told."""
    try:
        office.ledger().disappear(office.settings.namespace, (worker,))
    except DistGraphError as error:
        log.warning("Worker %s leaves without telling: %s", worker, error)


def _forget(office: Office) -> None:
    """Forget the workers of this namespace that vanished long ago."""
    ledger, namespace = office.ledger(), office.settings.namespace
    if gone := tuple(each.name for each in ledger.workers(namespace) if each.age > FORGET):
        ledger.disappear(namespace, gone)


def known_queues(office: Office, workers: Iterable[WorkerSeen]) -> tuple[str, ...]:
    """Return the queues of the graphs that are served here, and of those served elsewhere."""
    others = (queue for worker in workers for queue in worker.queues)
    return tuple(dict.fromkeys((*office.registry.queues(), *others)))
