"""Building graphs: StateGraph and what belongs to it."""

from __future__ import annotations

from distgraph.core.model import END, START
from distgraph.graph.compiled import CompiledStateGraph
from distgraph.graph.message import MessagesState, add_messages
from distgraph.graph.state import StateGraph

__all__ = [
    "END",
    "START",
    "CompiledStateGraph",
    "MessagesState",
    "StateGraph",
    "add_messages",
]
