"""Threads in a Redis Cluster, with another Redis as the broker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import langgraph.graph
import pytest

from checkpoint_redis.keys import Thread
from checkpoint_redis.langgraph import RedisCheckpointer
from checkpoint_redis.saver import AsyncRedisSaver, RedisSaver
from checkpoint_redis.store import RedisStore
from distgraph.errors import StoreUnavailable
from distgraph.graph import START, StateGraph
from distgraph.store.base import PutOp
from distgraph.types import Command
from tests.support.apps.programs import noted
from tests.support.cluster import ClusterOfServers, cluster
from tests.support.command import Shell
from tests.support.redis_server import RedisServer, free_port
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = [pytest.mark.redis, pytest.mark.celery]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterOfServers]:
    """Give a Cluster that no test of this module harms."""
    with cluster(tmp_path_factory.mktemp("calm")) as made:
        yield made


@pytest.fixture
def harmed(tmp_path: Path) -> Iterator[ClusterOfServers]:
    with cluster(tmp_path / "cluster") as made:
        yield made


def site_of(own_site: Callable[..., Site], where: ClusterOfServers, broker: RedisServer) -> Site:
    place: Any = SimpleNamespace(url=where.url)
    return own_site(place, broker)


def test_checkpoints_of_langgraph(calm: ClusterOfServers) -> None:
    builder: Any = langgraph.graph.StateGraph(dict)
    builder.add_node("one", lambda _: {"n": 1})
    threads = [{"configurable": {"thread_id": f"lg-{n}", "run_id": "r"}} for n in range(5)]
    with RedisCheckpointer.from_conn_string(calm.url, namespace="lg-test") as saver:
        graph: Any = builder.add_edge(START, "one").compile(checkpointer=saver)
        assert [graph.invoke({"n": 0}, each)["n"] for each in threads] == [1] * 5
        saver.copy_thread("lg-0", "copy")
        listed = [each.config["configurable"]["thread_id"] for each in saver.list(None)]
        assert sorted(set(listed)) == ["copy", *(f"lg-{n}" for n in range(5))]
        saver.delete_for_runs(["r"])
        assert list(saver.list(None)) == []


def builder_of_one() -> StateGraph[Any]:
    return StateGraph(dict).add_node("one", lambda _: {"n": 1}).add_edge(START, "one")


def test_runs_questions_streams_and_lists(
    calm: ClusterOfServers, redis_server: RedisServer, own_site: Callable[..., Site]
) -> None:
    site = site_of(own_site, calm, redis_server)
    site.start(concurrency=2, env={"SERVE": "fan,approval"})
    fan, approval = site.graphs["fan"], site.graphs["approval"]
    runs = [fan.submit({"width": 3}, on(f"fan-{n}")) for n in range(12)]
    assert [run.result(timeout=PATIENCE)["total"] for run in runs] == [3] * 12
    asked = approval.invoke({"request": "x"}, on("asks"))
    assert asked["__interrupt__"]
    told = list(approval.stream(Command(resume="yes"), on("asks"), stream_mode="updates"))
    assert told
    found = {info.id for info in site.backend.threads(limit=100)}
    assert found == {"asks", *(f"fan-{n}" for n in range(12))}
    assert len(list(approval.get_state_history(on("asks")))) > 2
    site.backend.thread("asks").delete()
    assert "asks" not in {info.id for info in site.backend.threads(limit=100)}


async def test_the_same_on_a_loop(
    calm: ClusterOfServers, redis_server: RedisServer, own_site: Callable[..., Site]
) -> None:
    site = site_of(own_site, calm, redis_server)
    site.start(concurrency=2, env={"SERVE": "fan"})
    fan = site.graphs["fan"]
    async with asyncio.timeout(PATIENCE):
        ended = await asyncio.gather(
            *(fan.ainvoke({"width": 2}, on(f"t{n}")) for n in range(5)),
        )
    assert [done["total"] for done in ended] == [1] * 5
    assert len(await site.backend.athreads()) == 5


def test_a_fail_over_ends_neither_a_run_nor_who_waits_for_it(
    harmed: ClusterOfServers,
    redis_server: RedisServer,
    own_site: Callable[..., Site],
    tmp_path: Path,
) -> None:
    log, gate, ended = tmp_path / "log", tmp_path / "gate", list[Any]()
    site = site_of(own_site, harmed, redis_server)
    site.start(concurrency=2, env={"SERVE": "fan"})
    given = {"width": 4, "log": str(log), "gate": str(gate)}
    name = kept_by_the_first(harmed, site.namespace)
    run = site.graphs["fan"].submit(given, on(name))
    waits = threading.Thread(target=lambda: ended.append(run.result(timeout=PATIENCE)))
    waits.start()
    wait_until(lambda: log.exists() and len(noted(str(log))) >= 2, "two tasks that run")
    harmed.fail_over()
    gate.touch()
    waits.join(PATIENCE)
    assert [done["items"] for done in ended] == [[0, 1, 2, 3]]
    assert site.workers[0].alive, site.workers[0].output


def kept_by_the_first(where: ClusterOfServers, namespace: str) -> str:
    """Return the id of a thread whose keys the first server holds."""
    with where.servers[0].client() as client:
        for number in range(100):
            key = Thread(namespace, f"t{number}").header
            if client.execute_command("CLUSTER", "KEYSLOT", key) < 16_384 // 3:
                return f"t{number}"
    raise AssertionError


def test_a_sweep_knows_of_all_nodes_where_something_waits(
    calm: ClusterOfServers, redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(calm.url, broker=redis_server.url, namespace=namespace)
    graph = builder_of_one().compile(name="one", backend=backend)
    names = [f"t{n}" for n in range(30)]
    for name in names:
        graph.submit({}, on(name))
    shards = {backend.thread_key(name).shard for name in names}
    assert backend.office.overdue.glance().waiting == tuple(sorted(shards))


def test_a_saver_finds_threads_on_all_nodes(calm: ClusterOfServers, namespace: str) -> None:
    saver = RedisSaver(calm.url, namespace=namespace)
    graph = builder_of_one().compile(checkpointer=saver)
    names = {f"t{n}" for n in range(30)}
    for name in names:
        assert graph.invoke({}, on(name)) == {"n": 1}
    held = [sum(namespace.encode() in key for key in keys) for keys in calm.keys().values()]
    assert all(held)
    assert {found.config["configurable"]["thread_id"] for found in saver.list(None)} == names
    backend = CeleryBackend(calm.url, broker="memory://", namespace=namespace)
    assert {info.id for info in backend.threads(limit=100)} == names


def test_a_store_finds_values_on_all_nodes(calm: ClusterOfServers, namespace: str) -> None:
    store = RedisStore(calm.url, namespace=namespace)
    names = sorted(f"u{n}" for n in range(30))
    store.batch([PutOp(("notes", name), "key", {"of": name}, ttl=60) for name in names])
    assert [item.value["of"] for item in store.search(("notes",), limit=30)] == names
    assert store.list_namespaces() == [("notes", name) for name in names]
    for name in names:
        store.delete(("notes", name), "key")
    assert store.search(()) == []
    store.client.close()


async def test_so_does_one_of_a_loop(calm: ClusterOfServers, namespace: str) -> None:
    async with AsyncRedisSaver.from_conn_string(calm.url, namespace=namespace) as saver:
        graph = builder_of_one().compile(checkpointer=saver)
        names = {f"t{n}" for n in range(10)}
        for name in names:
            assert await graph.ainvoke({}, on(name)) == {"n": 1}
        assert graph.get_state(on("t1")).values == {"n": 1}
        found = {each.config["configurable"]["thread_id"] async for each in saver.alist(None)}
        assert found == names


def test_the_command_line_looks_at_all_nodes(
    calm: ClusterOfServers, redis_server: RedisServer, namespace: str
) -> None:
    distgraph = Shell(calm.url, namespace)
    ended = distgraph("doctor", "--json", "--broker", redis_server.url)
    checks = [check for check in ended.data["checks"] if check["name"] == "redis"]
    assert [check["level"] for check in checks] == ["ok"] * 3
    refused = distgraph("threads")
    assert refused.code == 2
    assert "give another one as broker" in refused.err


def test_a_cluster_that_is_away_is_named(namespace: str) -> None:
    url = f"redis+cluster://:s3cret@127.0.0.1:{free_port()}"
    backend = CeleryBackend(url, broker="memory://", namespace=namespace, reach=0.1)
    with pytest.raises(StoreUnavailable, match=r"Redis at the Cluster of 127.0.0.1") as away:
        backend.threads()
    assert "s3cret" not in str(away.value)
    asyncio.run(is_away(url, namespace))


async def is_away(url: str, namespace: str) -> None:
    backend = CeleryBackend(url, broker="memory://", namespace=namespace, reach=0.1)
    with pytest.raises(StoreUnavailable, match=r"Redis at the Cluster of 127.0.0.1"):
        await backend.athreads()
