"""Small graphs, in memory, that tests hand wrong things to."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, CompiledStateGraph, StateGraph
from distgraph.types import interrupt


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    last: Any


CONFIG = {"configurable": {"thread_id": "t"}}
Node = Callable[[Any], Any]


def built(**nodes: Node) -> StateGraph[State]:
    """Build a chain of ``nodes``."""
    builder = StateGraph(State)
    before = START
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(before, name)
        before = name
    return builder


def compiled(**nodes: Node) -> CompiledStateGraph:
    return built(**nodes).compile(checkpointer=InMemorySaver())


def log(text: str) -> Node:
    return lambda _state: {"log": [text]}


def ask(state: State) -> Any:
    return {"last": interrupt("well?")}


def history(graph: CompiledStateGraph, config: Any = None) -> list[Any]:
    return list(graph.get_state_history(config or CONFIG))


def waiting() -> CompiledStateGraph:
    """Return a graph whose thread waits for two answers."""
    builder = built(one=ask)
    builder.add_node("two", ask).add_edge(START, "two")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({}, CONFIG)
    return graph
