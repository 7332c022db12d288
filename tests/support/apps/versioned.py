"""Two graphs whose nodes note which release ran them: one runs through, one asks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypedDict

from distgraph.checkpoint import formats
from distgraph.graph import START, StateGraph
from distgraph.types import interrupt
from workers import CeleryBackend

NODES = ("one", "two", "three")


class State(TypedDict, total=False):
    thread: str
    log: str
    said: str


def noting(name: str) -> Any:
    """Return a node that notes thread, its name and the release."""

    def node(state: State) -> State:
        with Path(state["log"]).open("a") as log:
            log.write(f"{state['thread']} {name} {formats.release()}\n")
        return State(said=name)

    return node


def ask(_: State) -> State:
    return State(said=interrupt("go on?"))


def register(backend: CeleryBackend) -> dict[str, Any]:
    """Return both graphs, compiled on `backend`."""
    chain = {name: noting(name) for name in NODES}
    graphs = {"runs": chain, "asks": {"ask": ask, **chain}}
    return {
        name: _chain(nodes).compile(name=name, backend=backend) for name, nodes in graphs.items()
    }


def _chain(nodes: dict[str, Any]) -> StateGraph[Any]:
    builder = StateGraph(State)
    for before, name in zip((START, *nodes), nodes, strict=False):
        builder.add_node(name, nodes[name])
        builder.add_edge(before, name)
    return builder


if "DISTGRAPH_NAMESPACE" in os.environ:
    backend = CeleryBackend()
    graphs = register(backend)
    app = backend.app
