"""``distgraph draw``: show a graph as a picture."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from .exits import Exit, guarded
from .targets import compiled


@guarded
def draw(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="module:graph.")],
    *,
    svg: Annotated[
        bool,
        typer.Option("--svg/--mermaid", help="What to print; SVG needs Graphviz."),
    ] = False,
) -> Exit:
    """Print a graph, and the graphs inside its nodes, as Mermaid or SVG; in UTF-8."""
    drawing = compiled(target).get_graph(xray=True)
    picture = drawing.draw_svg() if svg else drawing.draw_mermaid()
    sys.stdout.buffer.write(picture.encode())
    sys.stdout.buffer.flush()
    return Exit.OK
