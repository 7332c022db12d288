"""Graphs that are nodes of graphs, told by their input what becomes of an attempt inside."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from distgraph.graph import START, StateGraph
from distgraph.types import Send
from tests.support.apps.called import Builder, Trip, line, visit


class Way(TypedDict, total=False):
    """What a graph of a crowd gives."""

    path: Annotated[list[str], operator.add]


def levels() -> Builder:
    """Three levels of graphs that are nodes, each with a node before and after."""
    leaf = line("first", "second", "third").compile()
    low = line("down", "leaf", "up", leaf=leaf).compile()
    return line("begin", "low", "end", low=low)


def crowd() -> Builder:
    """As many graphs as the path has names; each holds its node "second" until the gate opens."""
    names = ("first", "second", "third")
    leaf = StateGraph(Trip, output_schema=Way).add_sequence([(n, visit(n)) for n in names])
    inner = leaf.add_edge(START, "first").compile()

    def spread(state: Trip) -> list[Send]:
        return [Send("leaf", {**state, "path": []}) for _ in state["path"]]

    builder: Any = StateGraph(Trip).add_node("leaf", inner)
    return builder.add_conditional_edges(START, spread, ["leaf"])  # type: ignore[no-any-return]


def forest() -> Builder:
    """Three levels of graphs that are nodes, two graphs beside one another on each."""
    leaf = StateGraph(Trip, output_schema=Way)
    leaf.add_sequence([(name, visit(name)) for name in ("first", "second", "third")])
    leaf.add_edge(START, "first")
    return _grown(("begin", "end"), "low", _grown(("down", "up"), "leaf", leaf.compile()).compile())


def _grown(names: tuple[str, str], node: str, graph: Any) -> Builder:
    """Return a graph that has two of ``graph`` between two nodes."""
    first, last = names

    def both(state: Trip) -> list[Send]:
        return [Send(node, {**state, "path": [f"{state['path'][0]}.{n}"]}) for n in range(2)]

    builder: Any = StateGraph(Trip, output_schema=Way).add_node(first, visit(first))
    builder.add_node(node, graph).add_node(last, visit(last)).add_edge(START, first)
    builder.add_conditional_edges(first, both, [node])
    return builder.add_edge(node, last)  # type: ignore[no-any-return]


FRAMES: dict[str, Callable[[], Builder]] = {"levels": levels, "crowd": crowd, "forest": forest}
