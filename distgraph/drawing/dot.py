"""A picture in Graphviz' language, which is laid out as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from distgraph.drawing.boxes import Box, boxed
from distgraph.drawing.naming import id_of, lines_of, shown
from distgraph.drawing.parts import DrawnEdge, DrawnNode

_FONT = 'fontname="Helvetica,Arial,sans-serif" fontsize=12'
_HEAD = (
    "digraph {",
    f"graph [{_FONT} nslimit=2 nslimit1=2]",  # else a hundred edges of one node take seconds
    f'node [{_FONT} shape=box style="rounded,filled" fillcolor="#f2f0ff"]',
    f"edge [{_FONT}]",
)


def dot_of(nodes: Iterable[DrawnNode], edges: Iterable[DrawnEdge]) -> str:
    """Return the digraph: whatever names and labels hold, it is well-formed."""
    return "\n".join((*_HEAD, *_inside(boxed(nodes)), *map(_edge, edges), "}")) + "\n"


def _inside(box: Box) -> Iterator[str]:
    yield from (f'"{id_of(node.id)}" [label={_quoted(*lines_of(node))}]' for node in box.nodes)
    for inner in box.inner:
        yield f'subgraph "cluster_{id_of(inner.path)}" {{'
        yield f"label={_quoted(shown(inner.name))}"
        yield from _inside(inner)
        yield "}"


def _edge(edge: DrawnEdge) -> str:
    style = "dashed" if edge.conditional else "solid"
    label = "" if edge.data is None else f" label={_quoted(shown(edge.data))}"
    return f'"{id_of(edge.source)}" -> "{id_of(edge.target)}" [style={style}{label}]'


def _quoted(*lines: str) -> str:
    """Return lines as one label, in which backslashes, quotes and entities stand for themselves."""
    plain = (line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines)
    return '"' + "\\n".join(plain) + '"'
