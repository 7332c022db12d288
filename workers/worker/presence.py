"""Who works: a worker tells that it lives and what it serves, and learns of the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from checkpoint_redis.replies import WorkerSeen
from distgraph.checkpoint import formats
from distgraph.errors import DistGraphError
from workers.worker.office import Office

log = logging.getLogger(__name__)
FORGET = 86_400.0
"""Seconds after which a worker that vanished without leaving is forgotten."""


def appear(office: Office, worker: str) -> None:
    """Tell that ``worker`` lives, and what it serves."""
    queues, labels = office.registry.queues(), office.registry.labels()
    release, reads = formats.release(), formats.FORMAT
    seen = WorkerSeen(worker, time.time(), release, queues, labels, reads)
    office.ledger().appear(office.settings.namespace, seen)


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
    namespace, long_ago = office.settings.namespace, time.time() - FORGET
    for seen in office.ledger().workers(namespace):
        if seen.seen < long_ago:
            office.ledger().disappear(namespace, (seen.name,))
        yield from seen.queues
