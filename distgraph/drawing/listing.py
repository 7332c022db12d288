"""A picture as a list of edges, where nothing else can be shown."""

from __future__ import annotations

from collections.abc import Iterable

from distgraph.drawing.naming import shown
from distgraph.drawing.parts import DrawnEdge


def listing_of(name: str, edges: Iterable[DrawnEdge]) -> str:
    """Return the graph's name, and a line for each edge."""
    return "\n".join((f"graph {shown(name)}", *map(_line, edges)))


def _line(edge: DrawnEdge) -> str:
    arrow = "-.->" if edge.conditional else "-->"
    label = "" if edge.data is None else f"  ({shown(edge.data)})"
    return f"  {shown(edge.source)} {arrow} {shown(edge.target)}{label}"
