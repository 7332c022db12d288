"""A picture in Mermaid's language, which GitHub, JupyterLab and many others show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from distgraph.drawing.boxes import Box, boxed
from distgraph.drawing.naming import id_of, lines_of, shown
from distgraph.drawing.parts import DrawnEdge, DrawnNode

_SPECIAL = re.compile(r"(?<![^\W_])[_.-]|[_.-](?![^\W_])|[^\w .-]")
"""What could end a label, or be read as HTML or Markdown in it."""
_ENDS = ("__start__", "__end__")


def mermaid_of(nodes: Iterable[DrawnNode], edges: Iterable[DrawnEdge]) -> str:
    """Return the flowchart: whatever names and labels hold, it is well-formed."""
    lines = ("flowchart TD", *_inside(boxed(nodes), "    "), *map(_edge, edges))
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return ``text`` for a quoted label; all but letters, digits and spaces may be its code."""
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text)


def _inside(box: Box, indent: str) -> Iterator[str]:
    yield from (f"{indent}{_node(node)}" for node in box.nodes)
    for inner in box.inner:
        yield f'{indent}subgraph {id_of(inner.path)}["{escaped(shown(inner.name))}"]'
        yield from _inside(inner, indent + "    ")
        yield f"{indent}end"


def _node(node: DrawnNode) -> str:
    left, right = ("([", "])") if node.name in _ENDS else ("(", ")")
    return f'{id_of(node.id)}{left}"{"<br/>".join(map(escaped, lines_of(node)))}"{right}'


def _edge(edge: DrawnEdge) -> str:
    arrow = "-.->" if edge.conditional else "-->"
    label = "" if edge.data is None else f'|"{escaped(shown(edge.data))}"|'
    return f"    {id_of(edge.source)} {arrow}{label} {id_of(edge.target)}"
