"""Workers find the store of their graph, which outlives threads; graphs inside have it, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import pytest

from checkpoint_redis.store import RedisStore
from distgraph.config import get_store
from distgraph.func import entrypoint, task
from distgraph.graph import START, StateGraph
from distgraph.runtime import Runtime
from distgraph.store.base import BaseStore
from distgraph.store.memory import InMemoryStore
from tests.support.redis_server import RedisServer
from workers import CeleryBackend

pytestmark = pytest.mark.celery
VISITS = ("visits", "ada")


class Visit(TypedDict, total=False):
    number: int
    inside: list[str]


def counts(_: Visit, store: BaseStore) -> Visit:
    before = store.get(VISITS, "number")
    number = before.value["number"] + 1 if before else 1
    store.put(VISITS, "number", {"number": number})
    return {"number": number}


async def counts_inside(_: Visit, runtime: Runtime[Any]) -> Visit:
    assert runtime.store is get_store()
    await runtime.store.aput((*VISITS, "inside"), "seen", {"by": "inner"})
    return {"inside": [item.key for item in await runtime.store.asearch(VISITS)]}


def only(node: Any) -> StateGraph[Any, Any, Any, Any]:
    return StateGraph(Visit).add_node("node", node).add_edge(START, "node")


@pytest.fixture(scope="module")
def backend(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    backend = CeleryBackend(redis_server.url, namespace="stores")
    with backend.worker():
        yield backend


@pytest.fixture
def store(redis_server: RedisServer, namespace: str) -> Iterator[RedisStore]:
    with RedisStore.from_conn_string(redis_server.url, namespace=namespace) as store:
        yield store


def test_a_node_remembers_across_threads(backend: CeleryBackend, store: RedisStore) -> None:
    graph = only(counts).compile(name="remembers", backend=backend, store=store)
    found = [
        graph.invoke({"number": 0}, {"configurable": {"thread_id": thread}})["number"]
        for thread in ("one", "two", "two")
    ]
    assert found == [1, 2, 3]
    assert [item.value for item in store.search(VISITS)] == [{"number": 3}]


def test_graphs_inside_have_the_store_around_or_their_own(
    backend: CeleryBackend, store: RedisStore, redis_server: RedisServer, namespace: str
) -> None:
    async def calls(_: Visit) -> Visit:
        found = await only(counts_inside).compile().ainvoke({"number": 0})
        return {"inside": found["inside"]}

    for number, node in enumerate((only(counts_inside).compile(), calls)):
        graph = only(node).compile(name=f"inherits-{number}", backend=backend, store=store)
        assert graph.invoke({"number": 0})["inside"] == ["seen"]
    other = RedisStore(redis_server.url, namespace=f"{namespace}-o")
    own = only(counts).compile(store=other)
    graph = only(own).compile(name="has-its-own", backend=backend, store=store)
    assert graph.invoke({"number": 0}) == {"number": 1}
    assert store.get(VISITS, "number") is None
    assert other.get(VISITS, "number") is not None
    other.client.close()


@task
def keeps(number: int) -> str:
    get_store().put(VISITS, str(number), {"number": number})
    return str(number)


def test_functions_of_a_workflow_have_its_store(backend: CeleryBackend, store: RedisStore) -> None:
    @entrypoint(backend=backend, store=store)
    def visits(most: int, *, store: BaseStore) -> list[str]:
        kept = [keeps(number) for number in range(most)]
        for each in kept:
            each.result()
        return [item.key for item in store.search(VISITS)]

    assert sorted(visits.invoke(3)) == ["0", "1", "2"]


def test_a_store_in_memory_is_shared_by_a_worker_of_this_process(backend: CeleryBackend) -> None:
    store = InMemoryStore()
    graph = only(counts).compile(name="in-memory", backend=backend, store=store)
    assert graph.invoke({"number": 0}) == {"number": 1}
    assert store.get(VISITS, "number") is not None
