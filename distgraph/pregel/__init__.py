"""Graphs made of nodes and channels, without a state schema and edges."""

from __future__ import annotations

from distgraph.graph.compiled import Pregel
from distgraph.graph.subscribing import NodeBuilder, PregelNode

__all__ = ["NodeBuilder", "Pregel", "PregelNode"]
