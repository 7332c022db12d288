"""Whatever asks the store has a twin for an event loop, which takes and tells the same."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import redis

from distgraph.runners.handle import Run
from tests.support.played import Two
from tests.support.redis_server import RedisServer
from tests.support.site import on
from workers import CeleryBackend
from workers.client.run import CeleryRun
from workers.client.thread import ThreadHandle

pytestmark = pytest.mark.redis

ASKS_NOTHING = {
    CeleryBackend: {
        *("app", "durable", "ledger", "namespace", "office", "owns_app", "registry", "settings"),
        *("embedded", "close", "register", "worker"),
        *("ends_blocking", "now", "saver", "thread", "thread_for", "thread_key"),
    },
    ThreadHandle: {"id"},
    Run: {"id", "thread_id"},
    CeleryRun: {"id", "thread_id"},
}


def named(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")} - ASKS_NOTHING[cls]


@pytest.mark.parametrize("cls", ASKS_NOTHING)
def test_all_that_asks_has_a_twin(cls: type) -> None:
    names = named(cls)
    alone = {name for name in names if f"a{name}" not in names and name[1:] not in names}
    assert alone == set()


@pytest.mark.parametrize("cls", ASKS_NOTHING)
def test_twins_take_the_same(cls: Any) -> None:
    for name in named(cls):
        one, twin = getattr(cls, name), getattr(cls, f"a{name}", None)
        if twin is not None and not isinstance(one, property):
            assert _parameters(one) == _parameters(twin), name


def _parameters(call: Any) -> Any:
    return inspect.signature(call).parameters


@pytest.fixture
def two(redis_server: RedisServer, redis_client: redis.Redis, namespace: str) -> Two:
    return Two(CeleryBackend(redis_server.url, namespace=namespace), redis_client)


async def test_a_loop_is_told_the_same_of_a_thread(two: Two) -> None:
    two.begin("interrupted")
    handle = two.backend.thread("t")
    assert await handle.astatus() == handle.status == "interrupted"
    assert await handle.agraph() == handle.graph == "chain"
    assert await handle.aserved() == handle.served
    assert await handle.ainfo() == handle.info
    assert await handle.astate() == handle.state
    assert await handle.ainterrupts() == handle.interrupts
    assert await handle.ahistory() == handle.history()
    assert await handle.aruns() == handle.runs()
    assert await handle.aanswers() == handle.answers()
    assert handle.interrupts[0].value == "well?"


async def test_a_loop_is_told_the_same_of_a_run(two: Two) -> None:
    run = two.graph.submit({"log": []}, {**on("t"), "metadata": {"a": 1}}, by="ada")
    assert await run.astatus() == run.status == "pending"
    assert await run.akind() == run.kind == "start"
    assert await run.aby() == run.by == "ada"
    assert await run.abegan() == run.began is not None
    assert await run.aended() is run.ended is None
    assert await run.ametadata() == run.metadata == {"a": 1}


async def test_a_loop_goes_on_with_a_thread(two: Two) -> None:
    two.begin("interrupted")
    handle = two.backend.thread("t")
    run = await handle.aresume("yes", by="bob")
    assert (await run.aby(), await run.akind()) == ("bob", "resume")
    assert await run.acancel()
    two.graph.submit({"log": []}, on("t"))
    two.play("error")
    assert await (await handle.aretry()).akind() == "retry"
    await handle.aadopt(restart=True)
    assert await handle.acancel(kill=True)
    await handle.adelete()
    assert await two.backend.athreads() == []


async def test_a_loop_is_told_the_same_of_a_backend(two: Two) -> None:
    two.begin("interrupted")
    backend = two.backend
    assert await backend.aworkers() == backend.workers() == ()
    assert await backend.acount_threads("interrupted") == backend.count_threads("interrupted") == 1
    assert await backend.athreads() == backend.threads()
    await backend.areach()
