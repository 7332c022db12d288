"""The picture of a graph, as ``get_graph`` returns it.

What writes it is imported when it is asked for: most programs never draw.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
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
    edges: list[DrawnEdge]

    def draw_mermaid(
        self, *, with_styles: bool = True, curve_style: Any = "linear", wrap_label_n_words: int = 9
    ) -> str:
        """Return a flowchart in Mermaid's language; conditional edges are dotted.

        ``with_styles``: with the nodes and their colours, else the edges alone. ``curve_style`` is
        Mermaid's name of the form of edges. A label breaks after ``wrap_label_n_words``. The names
        are LangGraph's, and so is the text where all names and labels are plain words.
        """
        from distgraph.drawing.mermaid import Look, mermaid_of  # noqa: PLC0415 most never draw

        curve = str(getattr(curve_style, "value", curve_style))
        look = Look(styled=with_styles, curve=curve, wrap=wrap_label_n_words)
        return mermaid_of(self.nodes.values(), self.edges, look)

    def to_json(self, *, with_schemas: bool = False) -> dict[str, list[dict[str, Any]]]:
        """Return nodes and edges as plain dicts, as LangGraph does.

        A node's "data" tells what kind of thing it is, by the path of its class; that of functions,
        graphs and agents is LangGraph's, under this package's name. ``with_schemas`` changes
        nothing: there are no schemas among the nodes.
        """
        from distgraph.drawing.plain import plain_edge, plain_node  # noqa: PLC0415 few need it

        del with_schemas
        return {
            "nodes": [plain_node(node) for node in self.nodes.values()],
            "edges": [plain_edge(edge) for edge in self.edges],
        }

    def first_node(self) -> DrawnNode | None:
        """Return the only node that no other leads to; None where there are several, or none."""
        return _alone(self.nodes, {e.target for e in self.edges if e.source != e.target})

    def last_node(self) -> DrawnNode | None:
        """Return the only node that leads to no other; None where there are several, or none."""
        return _alone(self.nodes, {e.source for e in self.edges if e.source != e.target})

    def draw_ascii(self) -> str:
        """Return a picture of characters; CannotDraw without the extra ``ascii``."""
        from distgraph.drawing.ascii import ascii_of  # noqa: PLC0415 most never draw

        return ascii_of(self.nodes.values(), self.edges)

    def print_ascii(self) -> None:
        """Print what ``draw_ascii`` returns."""
        print(self.draw_ascii())  # noqa: T201 that is what it is for

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


def _alone(nodes: Mapping[str, DrawnNode], others: Container[str]) -> DrawnNode | None:
    found = [node for name, node in nodes.items() if name not in others]
    return found[0] if len(found) == 1 else None
