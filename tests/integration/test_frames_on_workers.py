"""Graphs that are nodes, on workers: their tasks are jobs, and no worker waits for them."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.graph import START, StateGraph
from distgraph.types import Command, Send, interrupt
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE
from workers import CeleryBackend


class State(TypedDict, total=False):
    """A list that grows."""

    xs: Annotated[list[Any], operator.add]


def config(thread: str = "") -> dict[str, Any]:
    return {"configurable": {"thread_id": thread or str(uuid.uuid4())}}


def sequence(*nodes: tuple[str, Any], **options: Any) -> Any:
    """Return a graph of nodes that follow one another."""
    return StateGraph(State).add_sequence(nodes).add_edge(START, nodes[0][0]).compile(**options)


def adds(what: str) -> Any:
    return lambda _: {"xs": [what]}


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> Iterator[CeleryBackend]:
    """A backend with a worker inside this process, with one slot alone."""
    made = CeleryBackend(redis_server.url, namespace=namespace)
    with made.worker(pool="threads", concurrency=1):
        yield made


def nested(backend: CeleryBackend, levels: int, *bottom: tuple[str, Any], **options: Any) -> Any:
    """Return a graph on ``backend``, ``bottom`` so many levels deep, each with a step before."""
    graph = sequence(*bottom, **options)
    for level in range(levels, 0, -1):
        graph = sequence((f"before{level}", adds(f"before{level}")), (f"in{level}", graph))
    return graph.on(backend, "top")


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_levels_of_graphs_run_with_one_slot(backend: CeleryBackend, levels: int) -> None:
    graph = nested(backend, levels, ("a", adds("a")), ("b", adds("b")))
    found = graph.invoke({"xs": ["in"]}, config())
    in_process = nested_in_process(levels, ("a", adds("a")), ("b", adds("b")))
    assert found == in_process.invoke({"xs": ["in"]})


def nested_in_process(levels: int, *bottom: tuple[str, Any]) -> Any:
    graph = sequence(*bottom)
    for level in range(levels, 0, -1):
        graph = sequence((f"before{level}", adds(f"before{level}")), (f"in{level}", graph))
    return graph


def test_a_question_at_the_bottom_is_answered_once(backend: CeleryBackend) -> None:
    graph = nested(backend, 3, ("ask", lambda _: {"xs": [interrupt("well?")]}), ("b", adds("b")))
    where = config()
    asked = graph.invoke({"xs": []}, where)["__interrupt__"]
    assert [each.value for each in asked] == ["well?"]
    done = graph.invoke(Command(resume="yes"), where)
    assert done["xs"][-2:] == ["yes", "b"]


def test_a_fan_out_of_graphs(backend: CeleryBackend) -> None:
    def send(state: State) -> list[Send]:
        return [Send("leaf", {"xs": [f"{state['xs'][0]}.{n}"]}) for n in range(10)]

    inner = (
        StateGraph(State)
        .add_node("leaf", lambda state: {"xs": [f"leaf {state['xs'][0]}"]})
        .add_conditional_edges(START, send, ["leaf"])
        .compile()
    )
    graph = (
        StateGraph(State)
        .add_node("inner", inner)
        .add_conditional_edges(START, lambda _: [Send("inner", {"xs": [n]}) for n in range(5)])
        .compile()
        .on(backend, "fan")
    )
    found = graph.submit({"xs": []}, config()).result(timeout=PATIENCE)
    leaves = [[n, *(f"leaf {n}.{m}" for m in range(10))] for n in range(5)]
    assert found["xs"] == [each for one in leaves for each in one]
