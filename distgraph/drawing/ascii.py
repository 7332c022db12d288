"""A picture of characters: laid out by grandalf, drawn by langchain-core, and so LangGraph's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from distgraph.drawing.parts import DrawnEdge, DrawnNode
from distgraph.errors import CannotDraw

NEEDED = (
    "A picture of characters is made by langchain-core and grandalf, which are not both here: "
    "pip install 'distgraph[ascii]'. draw_mermaid() needs neither."
)


def ascii_of(nodes: Iterable[DrawnNode], edges: Sequence[DrawnEdge]) -> str:
    """Return the picture; conditional edges are dotted. CannotDraw without what makes it."""
    drawn: Any = edges  # whose fields are those of langchain-core's
    try:
        from langchain_core.runnables.graph_ascii import draw_ascii  # noqa: PLC0415 optional

        return draw_ascii({node.id: node.name for node in nodes}, drawn)
    except ImportError as error:
        raise CannotDraw(NEEDED) from error
