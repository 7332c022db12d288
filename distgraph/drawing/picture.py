"""The picture of a graph, as ``get_graph`` returns it.

What writes it is imported when it is asked for: most programs never draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distgraph.drawing.parts import DrawnEdge, DrawnNode, PictureFormat
from distgraph.errors import CannotDraw

MOST_EDGES = 200
"""So many a notebook lays out by itself, which takes a second or so; more may take minutes."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The nodes of a graph by their ids, and its edges, both in the order of the graph."""

    name: str
    nodes: Mapping[str, DrawnNode]
    edges: tuple[DrawnEdge, ...]

    def draw_mermaid(self) -> str:
        """Return a flowchart in Mermaid's language; conditional edges are dotted."""
        from distgraph.drawing.mermaid import mermaid_of  # noqa: PLC0415 most never draw

        return mermaid_of(self.nodes.values(), self.edges)

    def draw_svg(self) -> str:
        """Return an SVG document; CannotDraw without Graphviz or the extra ``drawing``."""
        return self._laid_out("svg").decode()

    def draw_mermaid_png(self, *, output_file_path: str | Path | None = None) -> bytes:
        """Return a PNG image, which is written to ``output_file_path`` too, if there is one.

        The name is LangGraph's, which asks a web service for it. Here it is what ``draw_svg``
        draws; CannotDraw without Graphviz or the extra ``drawing``.
        """
        drawn = self._laid_out("png")
        if output_file_path is not None:
            Path(output_file_path).write_bytes(drawn)
        return drawn

    def _laid_out(self, form: PictureFormat) -> bytes:
        from distgraph.drawing.dot import dot_of  # noqa: PLC0415 most never draw
        from distgraph.drawing.graphviz import laid_out  # noqa: PLC0415 most never draw

        return laid_out(dot_of(self.nodes.values(), self.edges), form)

    def __str__(self) -> str:
        from distgraph.drawing.listing import listing_of  # noqa: PLC0415 most never draw

        return listing_of(self.name, self.edges)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return what a notebook shows: SVG where it can be made, Mermaid, or a list of edges."""
        bundle = {"text/plain": str(self), "text/vnd.mermaid": self.draw_mermaid()}
        if len(self.edges) > MOST_EDGES:
            return bundle
        try:
            return {**bundle, "image/svg+xml": self.draw_svg()}
        except CannotDraw:
            return bundle
