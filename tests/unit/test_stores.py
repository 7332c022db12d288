"""Stores: how nodes find theirs, and how long values stay."""

from __future__ import annotations

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


def test_what_runs_on_workers_has_no_store() -> None:
    backend = CeleryBackend("redis://localhost:1/0")
    with pytest.raises(ValueError, match="which workers do not have"):
        only(asks).compile(name="stored", backend=backend, store=InMemoryStore())


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
