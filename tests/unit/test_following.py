"""Who follows a run learns how it ended, or that nobody can tell any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import redis

from checkpoint_redis import keys
from distgraph.effects import told
from distgraph.errors import RunTimeout, StoreError
from tests.support.apps.served import register
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.thread_driver import Driver
from tests.support.waiting import PATIENCE
from workers import CeleryBackend
from workers.client import awaiting, following
from workers.client.begun import Begun
from workers.client.carrier import Means, Messenger, perform
from workers.client.reader import Reader
from workers.client.watched import Watched
from workers.shared import notices, serving
from workers.worker import presence

pytestmark = pytest.mark.redis


@pytest.fixture
def backend(
    redis_server: RedisServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> CeleryBackend:
    monkeypatch.setattr(awaiting, "FIRST_LOOK", 0.02)
    monkeypatch.setattr(awaiting, "LOOK_EVERY", 0.02)
    return CeleryBackend(redis_server.url, namespace=namespace)


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def followed(
    backend: CeleryBackend, d: Driver, timeout: float | None, name: str = "steps"
) -> Iterator[Any]:
    register(backend, (name,))
    served = backend.registry.get(name)
    assert served is not None
    begun = Begun("run", "0-0", None, since=(0, 0))
    of = Watched(served, d.thread, "run")
    flow = following.follow(of, begun, frozenset(), timeout)
    reader = Reader(backend.namespace, keys.wake(backend.namespace, "me"), threading.Event)
    messenger = Messenger(backend.office.publisher, backend.office.dispatched, apart=True)
    means = Means(d.ledger, d.client, messenger, reader)
    return told(flow, partial(perform, means))


def test_a_run_that_a_thread_at_rest_has_forgotten_is_not_waited_for(
    backend: CeleryBackend, d: Driver
) -> None:
    d.started("a")
    d.client.hset(d.thread.header, mapping={"st": "idle", "run": ""})
    with pytest.raises(StoreError, match="nothing carries it any more: thread 'thread' is idle"):
        list(followed(backend, d, None))


def test_a_run_that_another_one_replaced_is_not_waited_for(
    backend: CeleryBackend, d: Driver
) -> None:
    d.started("a")
    d.client.hset(d.thread.header, "run", "another")
    with pytest.raises(StoreError, match="is busy, its last run is 'another'"):
        list(followed(backend, d, None))


def test_a_run_under_way_is_waited_for(backend: CeleryBackend, d: Driver) -> None:
    d.started("a")
    with pytest.raises(RunTimeout):
        list(followed(backend, d, 0.2))


def test_a_client_of_another_format_is_refused_and_changes_nothing(
    backend: CeleryBackend, redis_client: redis.Redis
) -> None:
    other: Any = {"v": "9", "shards": "64", "id": "x"}
    redis_client.hset(keys.meta(backend.namespace), mapping=other)
    graph = register(backend, ("steps",))["steps"]
    with pytest.raises(StoreError, match="format 9"):
        graph.invoke({"path": []}, on("t"))
    with pytest.raises(StoreError, match="format 9"):
        presence.appear(backend.office, "a worker", bool)
    assert redis_client.keys(f"{backend.namespace}*") == [keys.meta(backend.namespace).encode()]


async def test_a_client_on_a_loop_checks_the_format_too(
    backend: CeleryBackend, redis_client: redis.Redis
) -> None:
    redis_client.hset(keys.meta(backend.namespace), mapping={"v": "1", "shards": "8", "id": "x"})
    graph = register(backend, ("steps",))["steps"]
    with pytest.raises(StoreError, match="with 8 shards"):
        await graph.ainvoke({"path": []}, on("t"))


def test_a_namespace_is_described_by_its_first_client(
    backend: CeleryBackend, redis_client: redis.Redis
) -> None:
    presence.appear(backend.office, "a worker", bool)
    described: Any = redis_client.hgetall(keys.meta(backend.namespace))
    assert (described[b"v"], described[b"shards"]) == (b"1", b"64")


# --- runs that nobody serves ---------------------------------------------------------------------


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "no live worker serves" in r.getMessage()]


def look(flow: Iterator[Any]) -> None:
    """Follow a run that goes on until its caller has no more patience."""
    with pytest.raises(RunTimeout):
        list(flow)


def test_many_runs_that_nobody_serves_are_warned_of_once(
    backend: CeleryBackend, d: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    d.started("a")
    for _ in range(20):
        look(followed(backend, d, 0.05))
    (said,) = warned(caplog)
    assert "Run run waits: no live worker serves graph steps@" in said


def test_each_graph_that_nobody_serves_is_warned_of(
    backend: CeleryBackend, d: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    d.started("a")
    for name in ("steps", "approval", "steps"):
        look(followed(backend, d, 0.05, name))
    assert [said.split("@")[0].split()[-1] for said in warned(caplog)] == ["steps", "approval"]


def test_a_worker_that_went_is_warned_of_again(
    backend: CeleryBackend,
    d: Driver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notices, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(serving, "LIVES", 10**9)
    d.started("a")
    look(followed(backend, d, 0.05))
    presence.appear(backend.office, "a worker", bool)
    look(followed(backend, d, 0.05))
    assert len(warned(caplog)) == 1
    backend.ledger.disappear(backend.namespace, ("a worker",))
    look(followed(backend, d, 0.05))
    assert len(warned(caplog)) == 2


def test_workers_of_another_version_are_named(
    backend: CeleryBackend,
    d: Driver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "LIVES", 10**9)
    d.started("a")
    labels = ("steps@old", "stepson@other")
    backend.ledger.appear(backend.namespace, "old", version="0", queues=(), graphs=labels, reads=1)
    look(followed(backend, d, 0.05))
    (said,) = warned(caplog)
    assert ", but steps@old. Start one" in said


def test_a_queue_of_a_node_that_nobody_consumes_is_warned_of_once(
    backend: CeleryBackend,
    d: Driver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "LIVES", 10**9)
    d.started("a")
    register(backend, ("routed",))
    own, special = f"{backend.namespace}.routed", f"{backend.namespace}.special-purpose"
    presence.appear(backend.office, "a worker", own.__eq__)
    for _ in range(2):
        look(followed(backend, d, 0.05, "routed"))
    (said,) = [r.getMessage() for r in caplog.records if "may wait" in r.getMessage()]
    assert f"consumes queue '{special}', where nodes of it run" in said
    presence.appear(backend.office, "another", special.__eq__)
    monkeypatch.setattr(notices, "LOOK_EVERY", 0.0)
    look(followed(backend, d, 0.05, "routed"))
    assert len([r for r in caplog.records if "waits" in r.getMessage()]) == 0


def test_a_stream_that_the_garbage_collector_ends_waits_for_no_lock(
    backend: CeleryBackend, d: Driver
) -> None:
    register(backend, ("steps",))
    served = backend.registry.get("steps")
    assert served is not None
    of = Watched(served, d.thread, "run")
    reader = Reader(backend.namespace, keys.wake(backend.namespace, "me"), threading.Event)
    listener = reader.listen(of, 0.0, 0.0)
    with reader.lock:  # this thread's, in which the collector may run
        ending = threading.Thread(target=listener.leave, daemon=True)
        ending.start()
        ending.join(timeout=PATIENCE)
        assert not ending.is_alive()
    later = reader.listen(of, 0.0, 0.0)
    assert list(reader.listeners.all()) == [later]
    later.leave()
    assert not reader.listeners.streams
