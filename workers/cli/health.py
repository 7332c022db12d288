"""What is right and wrong with an installation, each in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import redis
from celery.utils.nodenames import default_nodename, host_format

from checkpoint_redis import keys
from checkpoint_redis.layout import ThreadStatus
from checkpoint_redis.ledger import address
from checkpoint_redis.readings import Header
from checkpoint_redis.servers import opening
from checkpoint_redis.sightings import WorkerSeen
from distgraph.checkpoint import formats
from distgraph.errors import DistGraphError

from ..backend import CeleryBackend
from ..broker.settings import differing
from ..shared.serving import lives, serves
from .checks import Check, Level
from .queue_checks import examine_queues

ANSWERS_WITHIN = 2.0
OVERDUE_AFTER_MS = 30_000
OLDEST = (6, 2)
BUSY_SHOWN = 1_000
UNSEEN = (
    "version, memory policy and persistence are unknown. Allow it +info, or see to it that "
    "maxmemory-policy is noeviction and the append-only file is on"
)


def living(backend: CeleryBackend) -> tuple[WorkerSeen, ...]:
    """Return the workers that live."""
    return tuple(worker for worker in backend.workers() if lives(worker))


def now(backend: CeleryBackend) -> datetime:
    """Return the time by the clock of Redis, as all ages are; by ours where it is not told."""
    try:
        seconds, _ = opening.servers(backend.ledger.client)[0].time()
    except redis.RedisError:
        return datetime.now(UTC)
    return datetime.fromtimestamp(int(seconds), UTC)


def label(header: Header) -> str:
    """Return what a thread needs: its graph as name@fingerprint, and a newer release."""
    graph = f"{header.graph}@{header.fp}"
    if header.format <= formats.FORMAT:
        return graph
    return f"{graph} in format {header.format}, which distgraph {header.release} and newer reads"


def examine(backend: CeleryBackend) -> Iterator[Check]:
    """Look at everything, one check after the other; without Redis the rest cannot be seen."""
    within = {"socket_timeout": ANSWERS_WITHIN, "socket_connect_timeout": ANSWERS_WITHIN}
    client = opening.blocking(backend.settings.store, retry=None, **within)
    with closing(client):
        try:
            nodes = [(node, _info(node)) for node in opening.servers(client)]
        except redis.RedisError as error:
            yield Check("redis", "problem", f"{address(client)} cannot be used: {error}")
            return
        for node, info in nodes:
            yield from _server(node, info)
        yield _broker(backend)
        yield from _as_seen("workers", lambda: _workers(backend))
        yield from _as_seen("queues", lambda: examine_queues(backend, living(backend)))
        yield from _as_seen("unserved", lambda: [_unserved(backend)])
        yield from _as_seen("overdue", lambda: [_overdue(client, backend.namespace)])
    yield from _celery(backend)


def _info(node: redis.Redis) -> Any:
    """Return what a server tells of itself; None when this user may not ask."""
    try:
        return node.info()
    except redis.exceptions.NoPermissionError:
        return None


def _server(node: redis.Redis, info: Any) -> Iterator[Check]:
    if info is None:
        said = f"{address(node)} answers, but this user may not use INFO: {UNSEEN}"
        yield Check("redis", "warning", said)
        return
    yield _version(node, info)
    yield _policy(info)
    yield _persistence(info)


def _as_seen(name: str, look: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Yield what ``look`` finds; one that fails keeps nobody from looking further.

    What this user may not see is a warning. What our scripts may not do is a problem: runs need it.
    """
    try:
        yield from look()
    except redis.exceptions.NoPermissionError as error:
        yield Check(name, "warning", f"this user may not see it: {error}")
    except (redis.RedisError, DistGraphError) as error:
        yield Check(name, "problem", str(error))


def examine_worker(backend: CeleryBackend, name: str) -> Iterator[Check]:
    """Look at one worker alone: whether it was seen a moment ago, and what it consumes.

    ``name``: as the worker was told to be called, where %h stands for the host.
    """
    full = host_format(default_nodename(name))
    seen = next((each for each in backend.workers() if each.name == full), None)
    if seen is None:
        yield Check("worker", "problem", f"{full} is not there: it has not begun, or has left")
        return
    level: Level = "ok" if lives(seen) else "problem"
    yield Check("heartbeat", level, f"{full} was seen {seen.age:.1f} s ago, by the clock of Redis")
    if seen.queues:
        yield Check("consumer", "ok", f"takes from {', '.join(seen.queues)}")
    else:
        yield Check("consumer", "problem", f"{full} takes from no queue of a graph")


def _version(client: redis.Redis, info: dict[str, Any]) -> Check:
    found = str(info.get("redis_version", "0"))
    parts = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
    if parts < OLDEST:
        return Check("redis", "problem", f"{address(client)} is {found}; 6.2 or newer is needed")
    return Check("redis", "ok", f"{address(client)} answers, version {found}")


def _policy(info: dict[str, Any]) -> Check:
    policy = info.get("maxmemory_policy", "unknown")
    if policy in ("noeviction", "unknown") or not info.get("maxmemory"):
        return Check("memory", "ok", f"maxmemory-policy is {policy}")
    return Check(
        "memory",
        "problem",
        f"maxmemory-policy is {policy}: Redis may drop threads; set it to noeviction",
    )


def _persistence(info: dict[str, Any]) -> Check:
    if info.get("aof_enabled"):
        return Check("persistence", "ok", "append-only file is on")
    return Check(
        "persistence", "warning", "append-only file is off: a crash of Redis loses runs; turn it on"
    )


def _broker(backend: CeleryBackend) -> Check:
    try:
        backend.reach()
    except DistGraphError as error:
        return Check("broker", "problem", str(error))
    return Check("broker", "ok", "reachable")


def _workers(backend: CeleryBackend) -> Iterator[Check]:
    found = backend.workers()
    now = [worker for worker in found if lives(worker)]
    if not now:
        yield Check(
            "workers", "problem", "no live worker; start one: distgraph worker MODULE:GRAPH"
        )
    for worker in now:
        own = worker.version == formats.release()
        serves = ", ".join(worker.graphs) or "no graph"
        odd = "" if own else f", version {worker.version} (here {formats.release()})"
        yield Check("worker", "ok" if own else "warning", f"{worker.name} serves {serves}{odd}")
    if gone := len(found) - len(now):
        yield Check("workers", "warning", f"{gone} vanished without leaving (killed?)")


def _unserved(backend: CeleryBackend) -> Check:
    workers = living(backend)
    waiting: Counter[str] = Counter()
    for info in backend.threads(ThreadStatus.busy, limit=BUSY_SHOWN):
        header = backend.ledger.any_header(backend.thread_key(info.id))
        if header is not None and not serves(workers, header.graph, header.fp, header.format):
            waiting[label(header)] += 1
    if not waiting:
        return Check("unserved", "ok", "every busy thread is served by a live worker")
    listed = ", ".join(f"{graph} ({count})" for graph, count in waiting.most_common())
    return Check(
        "unserved",
        "problem",
        f"busy threads whose graph no live worker serves: {listed}; start a worker that has it in "
        "this version, or take them over to another: distgraph adopt THREAD",
    )


def _overdue(client: opening.StoreClient, namespace: str) -> Check:
    seconds, _ = opening.servers(client)[0].time()
    late = int(seconds) * 1_000 - OVERDUE_AFTER_MS
    due = (key for shard in range(keys.SHARDS) for key in keys.planned(namespace, shard))
    count = sum(int(client.execute_command("ZCOUNT", key, "-inf", late)) for key in due)
    if not count:
        return Check("overdue", "ok", "nothing is overdue")
    limit = OVERDUE_AFTER_MS // 1_000
    return Check(
        "overdue",
        "problem",
        f"overdue for more than {limit} s: {count}; nobody sweeps, or too slowly: "
        "start a worker, or run distgraph sweep",
    )


def _celery(backend: CeleryBackend) -> Iterator[Check]:
    for name, value, wanted in differing(backend.app):
        detail = f"{name} is {value!r}; {wanted!r} makes runs faster"
        yield Check("celery", "warning", detail)
