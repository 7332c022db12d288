"""Who works: a worker tells that it lives and what it serves, and learns of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from distgraph.checkpoint import formats
from distgraph.errors import DistGraphError
from workers.worker.office import Office

log = logging.getLogger(__name__)
FORGET = 86_400.0
"""Seconds after which a worker that vanished without leaving is forgotten."""


def appear(office: Office, worker: str, consumes: Callable[[str], bool]) -> None:
    """Tell that ``worker`` lives, and what it serves of all that is registered here.

    ``consumes`` knows the queues that it takes messages from. A graph is served where its own
    queue is: its tasks go there unless a node says otherwise, and its supersteps end there.
    """
    office.ledger().appear(
        office.settings.namespace,
        worker,
        version=formats.release(),
        queues=tuple(queue for queue in office.registry.queues() if consumes(queue)),
        graphs=tuple(s.label for s in office.registry.all() if consumes(s.own_queue)),
        reads=formats.FORMAT,
    )


def leave(office: Office, worker: str) -> None:
    """Tell that ``worker`` is gone, if Redis can be told."""
    try:
        office.ledger().disappear(office.settings.namespace, (worker,))
    except DistGraphError as error:
        log.warning("Worker %s leaves without telling: %s", worker, error)


def known_queues(office: Office) -> tuple[str, ...]:
    """Return the queues of the graphs that are served here, and of those served elsewhere."""
    return tuple(dict.fromkeys((*office.registry.queues(), *_queues_of_others(office))))


def _queues_of_others(office: Office) -> Iterator[str]:
    namespace = office.settings.namespace
    for seen in office.ledger().workers(namespace):
        if seen.age > FORGET:
            office.ledger().disappear(namespace, (seen.name,))
        yield from seen.queues
