"""Threads and messages with a master that Sentinels name, also when that becomes another one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from checkpoint_redis.saver import AsyncRedisSaver, RedisSaver
from distgraph.errors import StoreUnavailable
from distgraph.graph import START, StateGraph
from tests.support.apps.programs import noted
from tests.support.command import Shell
from tests.support.redis_server import HOST
from tests.support.sentinels import MASTER, Watched, watched
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = [pytest.mark.redis, pytest.mark.celery]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Give servers that no test of this module harms."""
    with watched(tmp_path_factory.mktemp("calm")) as made:
        yield made


@pytest.fixture
def harmed(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path / "watched") as made:
        yield made


def site_of(own_site: Callable[..., Site], where: Watched) -> Site:
    place: Any = SimpleNamespace(url=where.url)
    return own_site(place)


def test_a_fail_over_ends_neither_a_run_nor_who_waits_for_it(
    harmed: Watched, own_site: Callable[..., Site], tmp_path: Path
) -> None:
    log, gate, ended = tmp_path / "log", tmp_path / "gate", list[Any]()
    site = site_of(own_site, harmed)
    site.start(concurrency=2, env={"SERVE": "fan"})
    given = {"width": 4, "log": str(log), "gate": str(gate)}
    blocking = site.graphs["fan"].submit(given, on("blocking"))
    waits = threading.Thread(target=lambda: ended.append(blocking.result(timeout=PATIENCE)))
    waits.start()
    awaits = threading.Thread(target=lambda: ended.append(asyncio.run(awaited(site, "awaiting"))))
    awaits.start()
    wait_until(lambda: log.exists() and len(noted(str(log))) >= 2, "two tasks that run")
    wait_until(lambda: len(site.backend.threads()) == 2, "the other run")
    harmed.fail_over()
    gate.touch()
    for each in (waits, awaits):
        each.join(PATIENCE)
    assert sorted(done["items"] for done in ended) == [[0, 1], [0, 1, 2, 3]]
    assert site.workers[0].alive, site.workers[0].output


async def awaited(site: Site, thread_id: str) -> Any:
    async with asyncio.timeout(PATIENCE):
        return await site.graphs["fan"].ainvoke({"width": 2}, on(thread_id))


def test_garbage_ends_no_worker(calm: Watched, own_site: Callable[..., Site]) -> None:
    site = site_of(own_site, calm)
    (worker,) = site.start(concurrency=1, env={"SERVE": "steps"})
    queue = f"{site.namespace}.steps"
    with calm.servers[0].client() as client:
        client.lpush(queue, "no JSON", "[]", b"\xff", '{"body": 1}')
        wait_until(lambda: client.llen(queue) == 0 or not worker.alive, "an empty queue")
    assert site.graphs["steps"].invoke({"path": []}, on("t"))["path"] == ["a", "b", "c"]
    told = site.backend.app.conf.broker_transport_options
    assert (told["master_name"], told["ack_emulation"]) == (MASTER, False)


def test_the_master_and_other_options_are_given_to_the_command_line(
    calm: Watched, namespace: str
) -> None:
    broker = f"sentinel://{HOST}:{calm.port}"
    distgraph, words = Shell(calm.url, namespace), ("doctor", "--json", "--broker", broker)
    ended = distgraph(*words, "--broker-options", f'{{"master_name": "{MASTER}"}}')
    found = {check["name"]: check for check in ended.data["checks"]}
    assert found["redis"]["level"] == found["broker"]["level"] == "ok"
    assert MASTER in found["redis"]["detail"]
    refused = distgraph(*words)
    assert refused.code == 2
    assert "master_name in broker_options" in refused.err


def test_savers_and_workers_share_threads(calm: Watched, namespace: str) -> None:
    builder = StateGraph(dict).add_node("one", lambda _: {"n": 1}).add_edge(START, "one")
    here = builder.compile(checkpointer=RedisSaver(calm.url, namespace=namespace))
    assert here.invoke({}, on("t")) == {"n": 1}
    backend = CeleryBackend(calm.url, namespace=namespace)
    assert [info.id for info in backend.threads()] == ["t"]
    there = builder.compile(checkpointer=RedisSaver(backend.ledger.client, namespace=namespace))
    assert there.get_state(on("t")).values == {"n": 1}


async def test_a_saver_of_a_loop_has_a_blocking_twin(calm: Watched, namespace: str) -> None:
    builder = StateGraph(dict).add_node("one", lambda _: {"n": 1}).add_edge(START, "one")
    async with AsyncRedisSaver.from_conn_string(calm.url, namespace=namespace) as saver:
        graph = builder.compile(checkpointer=saver)
        assert await graph.ainvoke({}, on("t")) == {"n": 1}
        twin = AsyncRedisSaver(saver.aclient, namespace=namespace)
        assert builder.compile(checkpointer=twin).get_state(on("t")).values == {"n": 1}
        twin.client.close()


def test_a_master_that_nobody_knows_is_named(calm: Watched, namespace: str) -> None:
    backend = CeleryBackend(calm.url.replace(MASTER, "other"), namespace=namespace, reach=0.1)
    with pytest.raises(StoreUnavailable, match=r"other/0.*No master found for 'other'"):
        backend.threads()
