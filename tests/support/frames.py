"""Graphs inside graphs, made in a line."""

from __future__ import annotations

import operator
import uuid
from typing import Annotated, Any, TypedDict

from distgraph.graph import START, StateGraph
from distgraph.types import interrupt


class State(TypedDict, total=False):
    """A list that grows."""

    xs: Annotated[list[Any], operator.add]


def config(thread: str = "") -> dict[str, Any]:
    """Return the config of a thread, of a new one where it has no name."""
    return {"configurable": {"thread_id": thread or str(uuid.uuid4())}}


def sequence(*nodes: tuple[str, Any], **options: Any) -> Any:
    """Return a graph of nodes that follow one another."""
    return StateGraph(State).add_sequence(nodes).add_edge(START, nodes[0][0]).compile(**options)


def adds(what: str) -> Any:
    """Return a node that adds so much."""
    return lambda _: {"xs": [what]}


def asks(what: str) -> Any:
    """Return a node that asks, and adds the answer."""
    return lambda _: {"xs": [interrupt(what)]}


def deep(levels: int, *bottom: tuple[str, Any], **options: Any) -> Any:
    """Return a graph with ``bottom`` so many levels deep, each with a step before."""
    graph = sequence(*bottom, **options)
    for level in range(levels, 0, -1):
        graph = sequence((f"before{level}", adds(f"before{level}")), (f"in{level}", graph))
    return graph
