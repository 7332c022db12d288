"""Building graphs: StateGraph and what belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distgraph._elsewhere import missing_in
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

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
