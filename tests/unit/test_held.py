"""Graphs inside nodes are found however a function holds them, and known once they were called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.graph import START, StateGraph
from distgraph.graph.held import MOST_CALLED, graphs_in, known_in
from distgraph.types import Command, interrupt
from tests.support.nested import CONFIG, State, asks, chain, says

GRAPH = chain(("ask", asks("well?")))
GRAPHS = {"ask": GRAPH}


class Service:
    """Holds a graph that one of its methods calls."""

    def __init__(self) -> None:
        self.graph, self.other = GRAPH, chain(("other", says("other")))

    def node(self, _: State) -> State:
        return {"log": self.graph.invoke({})["log"]}

    def through(self, _: State) -> State:
        return {"log": self._called()}

    def _called(self) -> Any:
        return self.graph.invoke({})["log"]

    def __call__(self, state: State) -> State:
        return self.node(state)


def _called() -> Any:
    return GRAPH.invoke({})["log"]


def _of_global(_: State) -> State:
    return {"log": GRAPH.invoke({})["log"]}


def _in_a_loop(_: State) -> State:
    return {"log": [word for _ in range(1) for word in GRAPH.invoke({})["log"]]}


def _in_a_dict(_: State) -> State:
    return {"log": GRAPHS["ask"].invoke({})["log"]}


def _by_a_helper(_: State) -> State:
    return {"log": _called()}


def _given(state: State, graph: Any) -> State:
    del state
    return {"log": graph.invoke({})["log"]}


def _decorated(function: Callable[[State], State]) -> Callable[[State], State]:
    @functools.wraps(function)
    def wrapper(state: State) -> State:
        return function(state)

    return wrapper


SERVICE = Service()
HOLDERS: dict[str, Any] = {
    "global": _of_global,
    "loop": _in_a_loop,
    "dict": _in_a_dict,
    "helper": _by_a_helper,
    "partial": functools.partial(_given, graph=GRAPH),
    "decorator": _decorated(_of_global),
    "attribute": SERVICE.node,
    "method": SERVICE.through,
    "callable": SERVICE,
    "attribute of a global": lambda _: {"log": SERVICE.graph.invoke({})["log"]},
}


@pytest.mark.parametrize("how", HOLDERS)
def test_a_graph_is_found_however_it_is_held(how: str, saver: BaseCheckpointSaver) -> None:
    graph = chain(("node", HOLDERS[how]), checkpointer=saver)
    assert [held.compiled for held in graphs_in(graph.nodes["node"])] == [GRAPH]
    graph.invoke({}, CONFIG)
    state: Any = graph.get_state(CONFIG, subgraphs=True).tasks[0].state
    assert state.next == ("ask",)
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == ["yes"]


@dataclass
class Draft:
    """A class that only the schema of a graph inside names."""

    text: str


class Inner(TypedDict, total=False):
    draft: Draft
    log: list[str]


def _makes_it(_: State) -> State:
    """Call a graph that is made here, so that nothing refers to it."""
    builder = StateGraph(Inner).add_node("write", lambda _: {"draft": Draft("hello")})
    builder.add_node("ask", lambda state: {"log": [state["draft"].text, interrupt("publish?")]})
    builder.add_edge(START, "write").add_edge("write", "ask")
    return {"log": builder.compile().invoke({})["log"]}


def test_a_graph_that_the_node_makes_is_shown_once_it_was_called(
    saver: BaseCheckpointSaver,
) -> None:
    graph = chain(("node", _makes_it), checkpointer=saver)
    assert graph.get_state(CONFIG).tasks == ()
    graph.invoke({}, CONFIG)
    state: Any = graph.get_state(CONFIG, subgraphs=True).tasks[0].state
    assert (state.values["draft"], state.next) == (Draft("hello"), ("ask",))
    history = list(graph.get_state_history(state.config | at_no_checkpoint(state.config)))
    assert [each.next for each in history] == [("ask",), ("write",), ("__start__",)]
    graph.update_state(state.config, {"draft": Draft("bye")}, as_node="write")
    graph.invoke(None, CONFIG)
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == ["bye", "yes"]


def at_no_checkpoint(config: Any) -> dict[str, Any]:
    known = config["configurable"]
    return {"configurable": {name: known[name] for name in ("thread_id", "checkpoint_ns")}}


def test_of_ever_other_graphs_the_last_ones_are_known(saver: BaseCheckpointSaver) -> None:
    def node(state: State) -> State:
        inner = chain((f"node{len(state['log'])}", says("x")))
        return {"log": inner.invoke({})["log"]}

    graph = chain(("node", node), checkpointer=saver)
    for _ in range(MOST_CALLED + 1):
        graph.invoke({}, CONFIG)
    known = known_in(graph.nodes["node"])
    assert len(known) == MOST_CALLED
    assert known[0].graph.nodes.keys() >= {f"node{MOST_CALLED}"}


def test_a_variable_without_a_value_yet_is_passed_over() -> None:
    def node(_: State) -> State:
        return {"log": later.invoke({})["log"]}

    graph = chain(("node", node))
    later = chain(("leaf", says("leaf")))
    assert graph.invoke({})["log"] == ["leaf"]


def test_graphs_inside_are_listed_by_the_names_of_nodes() -> None:
    leaf = chain(("leaf", says("leaf")))
    middle = chain(("plain", says("plain")), ("calls", lambda _: leaf.invoke({})), ("is", leaf))
    graph = chain(("plain", says("plain")), ("middle", middle))
    assert list(graph.get_subgraphs()) == [("middle", middle)]
    everything = [("middle", middle), ("middle|calls", leaf), ("middle|is", leaf)]
    assert list(graph.get_subgraphs(recurse=True)) == everything
    assert list(graph.get_subgraphs(namespace="middle|is", recurse=True)) == everything[2:]
    assert list(graph.get_subgraphs(namespace="middle|is")) == []
    assert list(graph.get_subgraphs(namespace="mid", recurse=True)) == []


async def test_they_are_listed_on_an_event_loop() -> None:
    leaf = chain(("leaf", says("leaf")))
    graph = chain(("is", leaf))
    assert [found async for found in graph.aget_subgraphs()] == [("is", leaf)]


def test_a_graph_that_calls_itself_is_listed_once() -> None:
    def node(_: State) -> State:
        return {"log": graph.invoke({})["log"]}

    graph = chain(("node", node))
    assert list(graph.get_subgraphs(recurse=True)) == []
