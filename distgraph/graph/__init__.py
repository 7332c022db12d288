"""Building graphs: StateGraph and what belongs to it."""

from __future__ import annotations

from distgraph.core.model import END, START
from distgraph.graph.compiled import CompiledStateGraph
from distgraph.graph.state import StateGraph

__all__ = ["END", "START", "CompiledStateGraph", "StateGraph"]
