"""What is too large to be stored is named: the key, node, packet, answer or config, with its size.

In this process with each saver, and on workers.
"""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, Any, TypedDict

import pytest

from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import InvalidUpdateError, SerializationError
from distgraph.graph import START, StateGraph
from distgraph.types import Command, Send, interrupt
from tests.support.redis_server import RedisServer
from workers import CeleryBackend

pytestmark = [pytest.mark.redis, pytest.mark.celery]
MOST = 10_000
HALF, WHOLE = "x" * 6_000, "x" * 12_000
KINDS = ("memory", "sqlite", "redis", "workers")


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    one: Any
    two: Any


def chain(**nodes: Any) -> StateGraph[State]:
    builder, before = StateGraph(State), START
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(before, name)
        before = name
    return builder


def sending(*packets: str) -> StateGraph[State]:
    builder = chain(a=lambda _: {})
    builder.add_node("work", lambda _: {})
    return builder.add_conditional_edges("a", lambda _: [Send("work", p) for p in packets])


def asking(_: State) -> Any:
    return {"one": interrupt("well?")}


def failing(_: State) -> Any:
    raise ValueError(WHOLE)


GRAPHS: dict[str, StateGraph[State]] = {
    "passes": chain(a=lambda _: {}),
    "returns": chain(a=lambda _: {"two": 1, "one": WHOLE}),
    "grows": chain(a=lambda _: {"log": [HALF]}, b=lambda _: {"log": [HALF]}),
    "sends": sending(WHOLE),
    "sends_two": sending(HALF, HALF),
    "goes": chain(a=lambda _: Command(goto=Send("a", WHOLE))),
    "asks": chain(a=lambda _: {"one": interrupt(WHOLE)}),
    "waits": chain(a=asking),
    "calls": chain(a=chain(b=lambda _: {"two": WHOLE}).compile()),
    "fails": chain(a=failing),
    "returns_both": chain(a=lambda _: {"two": HALF, "one": HALF + "y"}),
}


class Places:
    """Where a graph may run; each takes values of at most 10,000 bytes."""

    def __init__(self, server: RedisServer, namespace: str, conn: sqlite3.Connection) -> None:
        serde = JsonPlusSerializer(max_bytes=MOST)
        self.backend = CeleryBackend(server.url, namespace=namespace, max_value_bytes=MOST)
        self.graphs: dict[str, dict[str, Any]] = {
            "memory": self._with(InMemorySaver(serde=serde)),
            "sqlite": self._with(SqliteSaver(conn, serde=serde)),
            "redis": self._with(RedisSaver(server.url, namespace=f"{namespace}r", serde=serde)),
            "workers": {
                name: builder.compile(name=name, backend=self.backend)
                for name, builder in GRAPHS.items()
            },
        }

    def _with(self, saver: Any) -> dict[str, Any]:
        return {name: builder.compile(checkpointer=saver) for name, builder in GRAPHS.items()}


@pytest.fixture(scope="module")
def places(redis_server: RedisServer) -> Iterator[Places]:
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
        made = Places(redis_server, "too-large", conn)
        with made.backend.worker():
            yield made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("graph", "calls", "says"),
    [
        ("passes", [{"one": WHOLE}], "The input: .*12,0.. bytes"),
        ("passes", [{"one": HALF, "two": HALF}], "The input: .*12,0.. bytes"),
        ("returns", [{}], "Node 'a' .* State key 'one': .*12,004 bytes"),
        ("grows", [{}], "State key 'log': .*12,008 bytes"),
        ("sends", [{}], "Node 'a' .* packet sent to node 'work': .*12,004 bytes"),
        ("goes", [{}], "Node 'a' .* packet sent to node 'a': .*12,004 bytes"),
        ("asks", [{}], r"Node 'a' .* value given to interrupt\(\): .*12,0.. bytes"),
        ("waits", [{}, Command(resume=WHOLE)], "The answer: .*12,0.. bytes"),
        ("waits", [{}, Command(resume=1, update={"two": WHOLE})], "State key 'two': .*12,004"),
        ("waits", [{}, Command(resume=1, goto=Send("a", WHOLE))], "packet sent to node 'a': .*12"),
        ("calls", [{}], "Node '[ab]' .* State key 'two': .*12,004 bytes"),
    ],
)
def test_what_is_too_large_is_named(  # noqa: PLR0913, PLR0917 - parameters
    places: Places, thread_id: str, kind: str, graph: str, calls: list[Any], says: str
) -> None:
    called, config = places.graphs[kind][graph], {"configurable": {"thread_id": thread_id}}
    for call in calls[:-1]:
        called.invoke(call, config)
    with pytest.raises((SerializationError, InvalidUpdateError), match=says) as caught:
        called.invoke(calls[-1], config)
    assert "more than the 10,000 that may be stored" in str(caught.value)
    assert HALF not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_packets_are_judged_one_by_one(places: Places, thread_id: str, kind: str) -> None:
    graph, config = places.graphs[kind]["sends_two"], {"configurable": {"thread_id": thread_id}}
    graph.invoke({}, config)
    assert graph.get_state(config).next == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_config_that_is_too_large_is_named(places: Places, thread_id: str, kind: str) -> None:
    config = {"configurable": {"thread_id": thread_id}, "metadata": {"ok": 1, "much": WHOLE}}
    with pytest.raises(SerializationError, match=r"config entry 'much': .*12,004 bytes"):
        places.graphs[kind]["passes"].invoke({}, config)


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_that_is_too_large_is_named(places: Places, thread_id: str, kind: str) -> None:
    graph, config = places.graphs[kind]["waits"], {"configurable": {"thread_id": thread_id}}
    graph.invoke({}, config)
    with pytest.raises(SerializationError, match=r"State key 'two': .*12,004 bytes"):
        graph.update_state(config, {"two": WHOLE}, as_node="a")
    assert graph.get_state(config).interrupts


def test_values_that_are_stored_together_are_judged_together(
    places: Places, thread_id: str
) -> None:
    config = {"configurable": {"thread_id": thread_id}}
    with pytest.raises(InvalidUpdateError, match=r"key 'one' \(6,005 bytes, the largest of 2 "):
        places.graphs["workers"]["returns_both"].invoke({}, config)


def test_a_run_context_that_is_too_large_is_named(places: Places, thread_id: str) -> None:
    config = {"configurable": {"thread_id": thread_id, "mine": [WHOLE]}}
    with pytest.raises(SerializationError, match=r"run's config or context .*12,0.. bytes"):
        places.graphs["workers"]["passes"].invoke({}, config)


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_that_is_too_large_is_still_that_failure(
    places: Places, thread_id: str, kind: str
) -> None:
    graph, config = places.graphs[kind]["fails"], {"configurable": {"thread_id": thread_id}}
    with pytest.raises(ValueError, match=r"^xxx"):
        graph.invoke({}, config)
