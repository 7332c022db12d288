"""Graphs of a backend that tasks call with ``distributed=True``: each call is a task of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from distgraph.core.frame import CallArguments
from distgraph.core.graph import Callee, Graph, Node, Schema
from distgraph.core.model import RETURN, Task, Write
from distgraph.types import Send

from .runconfig import storable


class CalledGraph:
    """Calls a graph with the arguments that a task of it was sent, as a node that is one does."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self.graph: Graph = compiled.graph
        self.checkpointer = None

    def invoke(self, given: CallArguments) -> Any:
        """Run the graph, as its ``invoke`` does."""
        by_position, by_name = given
        return self._compiled.invoke(*by_position, **by_name)

    async def ainvoke(self, given: CallArguments) -> Any:
        """Do what ``invoke`` does."""
        by_position, by_name = given
        return await self._compiled.ainvoke(*by_position, **by_name)


def call_of(compiled: Any, caller: Node) -> Node:
    """Return the node of a call of ``compiled``, which runs where ``caller`` does.

    A failure is its caller's, whose policies say what becomes of it.
    """
    called = CalledGraph(compiled)
    return Node(
        name=called.graph.name,
        callee=Callee(called.graph.name, called.invoke, called.ainvoke, graph=called.graph),
        schema=Schema(()),
        queue=caller.queue,
        priority=caller.priority,
        returns=_returned,
    )


def _returned(value: Any) -> tuple[Write, ...]:
    return ((RETURN, value),)


def as_stored(call: Task, node: Node) -> Task:
    """Return a call of a graph without what its config says of places; others stay as they are."""
    if node.callee.graph is None or call.send is None:
        return call
    (state, config), by_name = call.send.arg
    return replace(call, send=Send(call.node, ((state, storable(config)), by_name)))
