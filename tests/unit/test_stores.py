"""Stores: how nodes find theirs, and how long values stay."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest

from distgraph.config import get_store
from distgraph.func import entrypoint
from distgraph.graph import START, StateGraph
from distgraph.runtime import Runtime
from distgraph.store.base import BaseStore, GetOp, PutOp
from distgraph.store.memory import InMemoryStore
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
    with pytest.raises(TypeError, match="keeps dicts"):
        InMemoryStore().put(NS, "key", 3)  # type: ignore[arg-type]
    filled = InMemoryStore()
    filled.put(NS, "key", {"a": 1})
    with pytest.raises(ValueError, match=r"operator '\$near'"):
        filled.search(NS, filter={"a": {"$near": 1}})


def test_what_runs_on_workers_has_no_store() -> None:
    backend = CeleryBackend("redis://localhost:1/0")
    with pytest.raises(ValueError, match="which workers do not have"):
        only(asks).compile(name="stored", backend=backend, store=InMemoryStore())
