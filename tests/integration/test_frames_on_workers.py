"""Graphs that are nodes, on workers: their tasks are jobs, and no worker waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, StateGraph
from distgraph.types import Command, Send, interrupt
from tests.support.frames import State, adds, asks, config, deep, sequence
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE
from workers import CeleryBackend


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> Iterator[CeleryBackend]:
    """A backend with a worker inside this process, with one slot alone."""
    made = CeleryBackend(redis_server.url, namespace=namespace)
    with made.worker(pool="threads", concurrency=1):
        yield made


def nested(backend: CeleryBackend, levels: int, *bottom: tuple[str, Any], **options: Any) -> Any:
    """Return such a graph on ``backend``."""
    return deep(levels, *bottom, **options).on(backend, "top")


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_levels_of_graphs_run_with_one_slot(backend: CeleryBackend, levels: int) -> None:
    graph = nested(backend, levels, ("a", adds("a")), ("b", adds("b")))
    found = graph.invoke({"xs": ["in"]}, config())
    assert found == deep(levels, ("a", adds("a")), ("b", adds("b"))).invoke({"xs": ["in"]})


def test_a_question_at_the_bottom_is_answered_once(backend: CeleryBackend) -> None:
    graph = nested(backend, 3, ("ask", lambda _: {"xs": [interrupt("well?")]}), ("b", adds("b")))
    where = config()
    asked = graph.invoke({"xs": []}, where)["__interrupt__"]
    assert [each.value for each in asked] == ["well?"]
    done = graph.invoke(Command(resume="yes"), where)
    assert done["xs"][-2:] == ["yes", "b"]


def test_a_fan_out_of_graphs(backend: CeleryBackend) -> None:
    def send(state: State) -> list[Send]:
        return [Send("leaf", {"xs": [f"{state['xs'][0]}.{n}"]}) for n in range(50)]

    inner = (
        StateGraph(State)
        .add_node("leaf", lambda state: {"xs": [f"leaf {state['xs'][0]}"]})
        .add_conditional_edges(START, send, ["leaf"])
        .compile()
    )
    graph = (
        StateGraph(State)
        .add_node("inner", inner)
        .add_conditional_edges(START, lambda _: [Send("inner", {"xs": [n]}) for n in range(20)])
        .compile()
        .on(backend, "fan")
    )
    found = graph.submit({"xs": []}, config()).result(timeout=PATIENCE)
    leaves = [[n, *(f"leaf {n}.{m}" for m in range(50))] for n in range(20)]
    assert found["xs"] == [each for one in leaves for each in one]


def test_one_that_remembers_from_run_to_run(backend: CeleryBackend) -> None:
    kept = StateGraph(State).add_node("a", adds("a")).add_edge(START, "a")
    graph = StateGraph(State).add_node("in", kept.compile(checkpointer=True)).add_edge(START, "in")
    here, there = graph.compile(checkpointer=InMemorySaver()), graph.compile().on(backend, "top")
    where = config()
    for run in range(3):
        assert there.invoke({"xs": [run]}, where) == here.invoke({"xs": [run]}, where)


def test_two_tasks_that_share_one_are_refused(backend: CeleryBackend) -> None:
    kept = StateGraph(State).add_node("a", adds("a")).add_edge(START, "a")
    both = StateGraph(State).add_node("in", kept.compile(checkpointer=True))
    both.add_conditional_edges(START, lambda _: [Send("in", {"xs": [n]}) for n in range(2)])
    with pytest.raises(ValueError, match="Two tasks of one superstep called the graph"):
        both.compile().on(backend, "top").invoke({"xs": []}, config())


def test_a_called_graph_in_a_task_of_a_frame(backend: CeleryBackend) -> None:
    called = sequence(("ask", asks("well?")), ("b", adds("b")))

    def call(_: State) -> State:
        return {"xs": called.invoke({"xs": ["called"]})["xs"]}

    graph = nested(backend, 2, ("call", call), ("c", adds("c")))
    where = config()
    graph.invoke({"xs": []}, where)
    assert graph.invoke(Command(resume="yes"), where)["xs"][-4:] == ["called", "yes", "b", "c"]
