"""Commands about workers: who is there, and what they serve."""

from __future__ import annotations

import json
from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands.read import checked, pairs
from checkpoint_redis.commands.script import Plain, Script
from checkpoint_redis.sightings import WorkerSeen


def appear(  # noqa: PLR0913 what a worker tells of itself
    namespace: str,
    name: str,
    *,
    version: str,
    queues: tuple[str, ...],
    graphs: tuple[str, ...],
    parts: tuple[str, ...] = (),
    reads: int,
    met: tuple[tuple[str, str], ...] = (),
) -> Script[bool]:
    """Tell that a worker lives, what it consumes and serves, and up to which format it reads.

    ``parts``: graphs of which it consumes other queues than their own. ``met``: queues in which it
    met jobs of another namespace, with that. -> whether it was not known before
    """
    record = json.dumps([version, queues, graphs, reads, parts, met], separators=(",", ":"))
    given = (name.encode(), record.encode())
    return Script("appear", (keys.workers(namespace),), given, bool)


def disappear(namespace: str, names: tuple[str, ...]) -> Plain[bool]:
    """Forget workers that left, or that were not seen for long."""
    return Plain(("HDEL", keys.workers(namespace), *names), lambda _: True)


def workers(namespace: str) -> Script[tuple[WorkerSeen, ...]]:
    """Read who was seen, and how long ago."""
    return Script("workers", (keys.workers(namespace),), (), _workers)


@checked
def _workers(raw: Any) -> tuple[WorkerSeen, ...]:
    seconds, microseconds, found = raw
    now = int(seconds) + int(microseconds) / 1e6
    return tuple(_worker(name, record, now) for name, record in pairs(found).items())


def _worker(name: str, record: bytes, now: float) -> WorkerSeen:
    seen, _, told = record.partition(b" ")
    version, queues, graphs, reads, parts, *more = json.loads(told)  # a later version tells more
    at, served = float(seen), (tuple(queues), tuple(graphs))
    met = tuple((str(queue), str(other)) for queues_met in more[:1] for queue, other in queues_met)
    return WorkerSeen(name, at, now - at, str(version), *served, int(reads), tuple(parts), met)
