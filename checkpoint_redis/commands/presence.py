"""Commands about workers: who is there, and what they serve."""

from __future__ import annotations

import json
from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands.read import checked, pairs
from checkpoint_redis.commands.script import Plain
from checkpoint_redis.replies import WorkerSeen


def appear(namespace: str, worker: WorkerSeen) -> Plain[bool]:
    """Tell that ``worker`` lives."""
    record = json.dumps(
        [worker.seen, worker.version, list(worker.queues), list(worker.graphs), worker.format],
        separators=(",", ":"),
    )
    return Plain(("HSET", keys.workers(namespace), worker.name, record), lambda _: True)


def disappear(namespace: str, names: tuple[str, ...]) -> Plain[bool]:
    """Forget workers that left, or that were not seen for long."""
    return Plain(("HDEL", keys.workers(namespace), *names), lambda _: True)


def workers(namespace: str) -> Plain[tuple[WorkerSeen, ...]]:
    """Read who was seen, and when."""
    return Plain(("HGETALL", keys.workers(namespace)), _workers)


@checked
def _workers(raw: Any) -> tuple[WorkerSeen, ...]:
    found = pairs([part for item in raw.items() for part in item] if isinstance(raw, dict) else raw)
    return tuple(_worker(name, record) for name, record in found.items())


def _worker(name: str, record: bytes) -> WorkerSeen:
    seen, version, queues, graphs, reads, *_ = json.loads(record)  # a later version tells more
    return WorkerSeen(name, float(seen), str(version), tuple(queues), tuple(graphs), int(reads))
