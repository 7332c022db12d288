"""A picture as plain dicts, which can be written as JSON."""

from __future__ import annotations

from typing import Any

from distgraph.drawing.parts import DrawnEdge, DrawnNode

_FUNCTION = ("distgraph", "_internal", "_runnable", "RunnableCallable")
_GRAPHS = {
    "distgraph.graph.compiled.CompiledStateGraph": (
        "distgraph",
        "graph",
        "state",
        "CompiledStateGraph",
    ),
    "distgraph.graph.compiled.Pregel": ("distgraph", "pregel", "main", "Pregel"),
}
"""The paths that LangGraph tells of what these are there: who reads JSON looks for them."""


def plain_node(node: DrawnNode) -> dict[str, Any]:
    """Return a node's id, what kind of thing it is, and its metadata if there is any."""
    plain: dict[str, Any] = {"id": node.id}
    if node.data is not None:
        plain["type"] = "runnable"
        plain["data"] = {"id": list(_path(node.data)), "name": node.id}
    return {**plain, "metadata": dict(node.metadata)} if node.metadata else plain


def plain_edge(edge: DrawnEdge) -> dict[str, Any]:
    """Return the ends of an edge, and what else there is to tell of it."""
    plain: dict[str, Any] = {"source": edge.source, "target": edge.target}
    if edge.data is not None:
        plain["data"] = edge.data
    if edge.conditional:
        plain["conditional"] = True
    return plain


def _path(data: Any) -> tuple[str, ...]:
    """Return the path of a thing's class; of a langchain one the path that it tells itself."""
    kind = type(data)
    if callable(told := getattr(kind, "lc_id", None)):
        return tuple(told())
    if not hasattr(kind, "invoke"):
        return _FUNCTION
    own = f"{kind.__module__}.{kind.__qualname__}"
    return _GRAPHS.get(own, tuple(own.split(".")))
