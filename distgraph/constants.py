"""The names of a graph's two ends, where LangGraph has them too."""

from __future__ import annotations

from distgraph.core.model import END, START

__all__ = ["END", "START"]
