"""Graphs that are nodes of graphs, told by their input what becomes of an attempt inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distgraph.graph import START, StateGraph
from distgraph.types import Send
from tests.support.apps.called import Builder, Trip, line


def levels() -> Builder:
    """Three levels of graphs that are nodes, each with a node before and after."""
    leaf = line("first", "second", "third").compile()
    low = line("down", "leaf", "up", leaf=leaf).compile()
    return line("begin", "low", "end", low=low)


def crowd() -> Builder:
    """As many graphs as the path has names; each holds its node "second" until the gate opens."""
    leaf = line("first", "second", "third").compile()

    def spread(state: Trip) -> list[Send]:
        return [Send("leaf", {**state, "path": []}) for _ in state["path"]]

    builder: Any = StateGraph(Trip).add_node("leaf", leaf)
    return builder.add_conditional_edges(START, spread, ["leaf"])  # type: ignore[no-any-return]


FRAMES: dict[str, Callable[[], Builder]] = {"levels": levels, "crowd": crowd}
