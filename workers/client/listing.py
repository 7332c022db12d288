"""Lists of threads: by their status from an index, or all of them by a scan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from checkpoint_redis import commands
from checkpoint_redis.keys import SHARDS
from checkpoint_redis.layout import ThreadStatus
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.replies import Header, Listed

STATUSES = tuple(status.value for status in ThreadStatus)


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """One line of a list of threads; ``since`` is when it got its status."""

    id: str
    status: str
    graph: str
    run: str
    since: datetime


def list_threads(
    ledger: Ledger, namespace: str, status: str | None, graph: str | None, limit: int
) -> list[ThreadInfo]:
    """Return at most ``limit`` threads; ValueError for an unknown status."""
    if status is not None and status not in STATUSES:
        msg = f"Unknown status {status!r}: {', '.join(STATUSES)}."
        raise ValueError(msg)
    if status in (None, ThreadStatus.idle):
        found = _scanned(ledger, namespace)
    else:  # the index does not know graphs: for one, all that have the status are looked at
        found = _indexed(ledger, namespace, status, 0 if graph else limit)
    wanted = (
        info
        for info in found
        if (status is None or info.status == status) and (graph is None or info.graph == graph)
    )
    return sorted(wanted, key=lambda info: info.since)[:limit]


def info_of(header: Header) -> ThreadInfo:
    """Return the line of the thread with ``header``."""
    since = moment(header.upd)
    return ThreadInfo(header.thread_id, header.st.value, header.graph, header.run, since)


def _indexed(ledger: Ledger, namespace: str, status: str, most: int) -> Iterator[ThreadInfo]:
    looks = [commands.threads(namespace, shard, status, most) for shard in range(SHARDS)]
    for found in ledger.together(looks):
        yield from (_listed(each, status) for each in found)


def _listed(listed: Listed, status: str) -> ThreadInfo:
    return ThreadInfo(listed.thread_id, status, listed.graph, listed.run, moment(listed.since))


def _scanned(ledger: Ledger, namespace: str) -> Iterator[ThreadInfo]:
    cursor, more, seen = 0, True, set[str]()
    while more:
        cursor, threads = ledger.scan(namespace, cursor)
        fresh = [thread for thread in threads if thread.x not in seen]
        seen.update(thread.x for thread in fresh)
        for header in ledger.together([commands.any_header(thread) for thread in fresh]):
            if header is not None:
                yield info_of(header)
        more = cursor != 0


def moment(ms: int) -> datetime:
    """Return a time of Redis as people have it."""
    return datetime.fromtimestamp(ms / 1000, UTC)
