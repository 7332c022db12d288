"""Stores: how nodes find theirs, and how long values stay."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict
from unittest.mock import patch

import pytest

from distgraph.config import get_store
from distgraph.func import entrypoint
from distgraph.graph import START, StateGraph
from distgraph.runtime import Runtime
from distgraph.store.base import BaseStore, GetOp, PutOp
from distgraph.store.memory import InMemoryStore
from distgraph.store.ranking import nearest
from workers import CeleryBackend

NS = ("notes",)


class State(TypedDict, total=False):
    one: Any


def finds(_: State, store: BaseStore, runtime: Runtime[Any]) -> None:
    assert store is runtime.store is get_store()
    store.put(NS, "key", {"seen": True})


def asks(_: State) -> None:
    assert get_store() is None


def only(node: Any) -> StateGraph[Any, Any, Any, Any]:
    return StateGraph(State).add_node("node", node).add_edge(START, "node")


def test_nodes_find_the_store_of_their_graph_and_graphs_inside_as_well() -> None:
    store = InMemoryStore()
    graph = only(only(finds).compile()).compile(store=store)
    graph.invoke({"one": 1})
    found = store.get(NS, "key")
    assert found is not None
    assert found.value == {"seen": True}
    assert graph.store is store
    only(asks).compile().invoke({"one": 1})


def test_a_workflow_finds_its_store() -> None:
    store = InMemoryStore()

    @entrypoint(store=store)
    def flow(given: int, *, store: BaseStore) -> int:
        store.put(NS, "key", {"given": given})
        return given

    flow.invoke(3)
    assert [each.value for each in store.search(NS)] == [{"given": 3}]


def test_a_value_whose_time_is_over_is_gone() -> None:
    store = InMemoryStore()
    store.batch([PutOp(NS, "over", {"a": 1}, ttl=-1.0), PutOp(NS, "kept", {"a": 2}, ttl=60.0)])
    assert [each.key for each in store.search(NS)] == ["kept"]
    assert store.get(NS, "over") is None


def test_a_batch_is_asked_of_what_was_there_before_it() -> None:
    store = InMemoryStore()
    put, found = store.batch([PutOp(NS, "key", {"a": 1}), GetOp(NS, "key")])
    assert (put, found) == (None, None)
    assert store.get(NS, "key") is not None


def test_only_a_store_is_one() -> None:
    with pytest.raises(TypeError, match="store must be a BaseStore"):
        only(asks).compile(store={})
    with pytest.raises(TypeError, match="value must be a dict"):
        InMemoryStore().put(NS, "key", 3)  # type: ignore[arg-type]
    filled = InMemoryStore()
    filled.put(NS, "key", {"a": 1})
    with pytest.raises(ValueError, match=r"operator '\$near'"):
        filled.search(NS, filter={"a": {"$near": 1}})


@pytest.mark.parametrize("inside", [False, True], ids=["own", "inner"])
def test_workers_do_not_share_a_store_in_memory(inside: bool) -> None:
    backend = CeleryBackend("redis://localhost:1/0")
    inner = only(asks).compile(store=InMemoryStore()) if inside else asks
    store = None if inside else InMemoryStore()
    with pytest.raises(ValueError, match=r"not share: give it .* such as .*RedisStore\(url\)"):
        only(inner).compile(name="stored", backend=backend, store=store)
    assert backend.registry.get("stored") is None


class NoTimes(BaseStore):
    """A store of a user's own, which keeps for ever and finds nothing."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def batch(self, ops: Any) -> list[Any]:
        self.asked += ops
        return [None for _ in self.asked]

    async def abatch(self, ops: Any) -> list[Any]:
        return self.batch(ops)


def test_a_store_without_times_is_asked_for_none() -> None:
    store = NoTimes()
    store.put(NS, "key", {"a": 1})
    with pytest.raises(NotImplementedError, match="NoTimes keeps values for ever"):
        store.put(NS, "key", {"a": 1}, ttl=5)
    store.ttl_config = {"default_ttl": 7.0, "refresh_on_read": False}
    store.put(NS, "key", {"a": 1})
    store.get(NS, "key")
    put, configured, read = store.asked
    assert (put.ttl, configured.ttl, read.refresh_ttl) == (None, 7.0, False)


def test_vectors_are_as_many_and_as_long_as_announced() -> None:
    few = InMemoryStore(index={"embed": lambda texts: [[1.0]] * (len(texts) - 1)})
    with pytest.raises(ValueError, match="returned 0 vectors of 1 texts"):
        few.put(NS, "key", {"a": 1})
    short = InMemoryStore(index={"dims": 2, "embed": lambda texts: [[1.0] for _ in texts]})
    with pytest.raises(ValueError, match="a vector of 1 numbers, and dims of its index says 2"):
        short.put(NS, "key", {"a": 1})
    assert short.get(NS, "key") is None


class Model:
    """What langchain calls Embeddings; notes by which method it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.asked.append("documents")
        return [[1.0, float(len(text))] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        self.asked.append("query")
        return [1.0, float(len(text))]

    async def aembed_query(self, text: str) -> list[float]:
        self.asked.append("aquery")
        return [1.0, float(len(text))]


def test_an_object_embeds_documents_and_queries_in_its_own_ways() -> None:
    model = Model()
    store = InMemoryStore(index={"embed": model, "fields": ["a"]})
    store.put(NS, "one", {"a": "x"})
    asyncio.run(store.aput(NS, "three", {"a": "xxx"}))
    assert store.search(NS, query="xxx")[0].key == "three"
    assert asyncio.run(store.asearch(NS, query="y"))[0].key == "one"
    assert model.asked == ["documents", "documents", "query", "aquery"]


def test_vectors_are_compared_without_numpy_as_with_it() -> None:
    numpy = pytest.importorskip("numpy")
    entries: list[tuple[str, list[list[float]]]] = [
        ("a", [[1.0, 2.0], [0.5, -1.0]]),
        ("b", []),
        ("c", [[0.0, 0.0]]),
        ("d", [[1.0, 0.0]]),
    ]
    found = {}
    for module in (numpy, None):
        with patch("distgraph.store.ranking._numpy", return_value=module):
            ranked = nearest(entries, [1.0, 0.5])
            found[module] = [(name, score and round(score, 9)) for name, score in ranked]
    assert found[numpy] == found[None]


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (lambda s: s.search(NS, limit=-1), ValueError, "limit must be a whole number of 0 or more"),
        (lambda s: s.search(NS, limits=1), TypeError, "limits"),
        (lambda s: s.put(NS, "key", {}, ttl="1"), TypeError, "ttl must be a number or None"),
        (lambda s: s.list_namespaces(max_depth=0), ValueError, "max_depth must be .* 1 or more"),
        (lambda _: InMemoryStore(index={"fields": ["a"]}), TypeError, "index= of a store is"),
    ],
    ids=["limit", "option", "ttl", "depth", "index"],
)
def test_what_a_store_is_given_in_a_wrong_form_is_named(
    call: Any, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        call(InMemoryStore())


def test_a_value_that_was_read_stays_longer_than_one_that_was_not() -> None:
    store = InMemoryStore()
    store.put(NS, "read", {}, ttl=5)
    store.put(NS, "left", {}, ttl=5)
    at = datetime.now(UTC)
    later = at + timedelta(minutes=4), at + timedelta(minutes=6)
    with patch("distgraph.store.memory.datetime") as clock:
        clock.now.side_effect = later
        assert store.get(NS, "read") is not None
        assert [each.key for each in store.search(NS)] == ["read"]
