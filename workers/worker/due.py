"""Act on what is due, and send the hints that follow from it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable

from checkpoint_redis import commands
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.replies import OutboxEntry
from workers.settings import Settings
from workers.shared.hints import Outgoing, outgoing

log = logging.getLogger(__name__)


def sweep_shards(
    ledger: Ledger,
    settings: Settings,
    shards: Iterable[int],
    lost: bytes,
    publish: Callable[[Iterable[Outgoing]], None],
) -> int:
    """Return how many hints were sent; ``lost`` is the record of a task lost too often."""
    by_thread: dict[str, list[OutboxEntry]] = defaultdict(list)
    sweeps = [
        commands.sweep(settings.namespace, shard, max_lost=settings.max_lost, lost=lost)
        for shard in shards
    ]
    for found in ledger.together(sweeps):
        for due in found:
            by_thread[due.x] += due.hints
            if due.kind == "unreadable":
                log.warning("What is stored of thread %s is damaged: it cannot go on.", due.x)
    messages = [m for x, hints in by_thread.items() for m in outgoing(x, hints)]
    if messages:
        publish(messages)
    return len(messages)
