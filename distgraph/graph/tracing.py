"""How the picture of a graph is made: what is known of its nodes before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from distgraph._arguments import names_of
from distgraph.core.graph import Callee, Graph, Node, Schema
from distgraph.core.model import END, START
from distgraph.drawing.parts import SEPARATOR, DrawnEdge, DrawnNode
from distgraph.drawing.picture import Drawing
from distgraph.graph.callees import is_runnable
from distgraph.graph.held import graph_of, graphs_in
from distgraph.graph.lasting import waited_for
from distgraph.graph.leading import Way, run_by, ways

_START = Callee(START, None, None)


def traced(graph: Graph, xray: int) -> Drawing:
    """Return the picture of ``graph``, with graphs in nodes so many levels deep; True: all."""
    return _traced(graph, math.inf if xray is True else xray, ())


def _traced(graph: Graph, depth: float, around: tuple[Graph, ...]) -> Drawing:
    drawn = _flat(graph)
    if depth <= 0:
        return drawn
    for name, node in graph.nodes.items():
        inner = _held(node, (*around, graph))
        if inner is not None:
            drawn = _inset(drawn, name, _traced(inner, depth - 1, (*around, graph)))
    return drawn


def _held(node: Node, around: tuple[Graph, ...]) -> Graph | None:
    """Return the graph that a node is or calls, unless it is one of those around the node."""
    found = (held.graph for held in graphs_in(node))
    return next((one for one in found if all(one.nodes is not g.nodes for g in around)), None)


def _flat(graph: Graph) -> Drawing:
    last, waited = waited_for(graph)
    edges = _sorted(edge for node in _in_order(graph) for edge in _edges(graph, node, waited))
    if len(last) == 1 and not any(edge.target == END for edge in edges):
        edges += (DrawnEdge(_text(name), END, conditional=True) for name in last)
    nodes = {_text(node.name): _node(graph, node) for node in _in_order(graph)}
    if any(edge.target == END for edge in edges):
        nodes[END] = DrawnNode(END, END, None, {})
    return Drawing(graph.name, nodes, edges)


def _sorted(edges: Iterable[DrawnEdge]) -> list[DrawnEdge]:
    """Return each edge once, in LangGraph's order: those that only end the graph come last."""
    return sorted(
        dict.fromkeys(edges),
        key=lambda edge: (
            edge.target == END and not edge.conditional,
            edge.source,
            edge.target,
            edge.conditional,
        ),
    )


def _in_order(graph: Graph) -> Iterator[Node]:
    """Yield the nodes, START before them, or behind those of a graph that has none."""
    yield from sorted(graph.nodes.values(), key=lambda node: node.name != START)
    if START not in graph.nodes:
        yield Node(START, _START, Schema(()), targets=_first_run(graph))


def _first_run(graph: Graph) -> tuple[str, ...]:
    """Return what an input makes run in a graph without a START."""
    return (graph.entry,) if graph.entry else run_by(graph, names_of(graph.inputs))


def _node(graph: Graph, node: Node) -> DrawnNode:
    stops = (("before", graph.before), ("after", graph.after))
    stopped = ",".join(when for when, names in stops if node.name in names)
    data = _data(node)
    tools = getattr(data, "tools_by_name", None)
    metadata = {
        **node.metadata,
        **({"defer": True} if node.defer else {}),
        **({"__interrupt": stopped} if stopped else {}),
        **({"__tools": list(tools)} if tools and isinstance(tools, Mapping) else {}),
    }
    return DrawnNode(_text(node.name), _text(node.name), data, metadata)


def _data(node: Node) -> Any:
    """Return what was given as the node, if anything: a graph, a Runnable, a function."""
    action: Any = node.callee.call or node.callee.acall
    held = graph_of(node)
    if held is not None:
        return held.compiled
    owner = getattr(action, "__self__", None)
    if is_runnable(owner) and action.__name__ in ("invoke", "ainvoke"):
        return owner
    return getattr(action, "function", action)


# --- edges -----------------------------------------------------------------------------------


def _edges(graph: Graph, node: Node, waited: Iterable[tuple[str, str]]) -> Iterator[DrawnEdge]:
    """Yield where a node leads; one that leads nowhere else leads to the end."""
    name = _text(node.name)
    late = (Way(end, conditional=True) for last, end in waited if last == node.name)
    for target, label, conditional in [*ways(graph, node), *late] or [Way(END)]:
        yield DrawnEdge(name, _text(target), None if label == target else label, conditional)


# --- graphs in nodes -------------------------------------------------------------------------


def _inset(outer: Drawing, name: str, inner: Drawing) -> Drawing:
    """Return ``outer`` with ``inner`` in the place of a node; as it is if ``inner`` never ends."""
    if END not in inner.nodes:
        return outer
    inner, first, last = _trimmed(inner)
    held = {_within(name, node.id): _moved(name, node) for node in inner.nodes.values()}
    nodes = {key: node for key, node in outer.nodes.items() if key != name} | held
    into, out_of = {name: _within(name, first)}, {name: _within(name, last)}
    around = (_relinked(edge, out_of, into) for edge in outer.edges)
    inside = (
        edge._replace(source=_within(name, edge.source), target=_within(name, edge.target))
        for edge in inner.edges
    )
    return Drawing(outer.name, nodes, [*around, *inside])


def _trimmed(inner: Drawing) -> tuple[Drawing, str, str]:
    """Return ``inner`` without a start and an end that say nothing; its first and last node."""
    first, last = _first(inner), _last(inner)
    gone = {START, END} - {first, last}
    nodes = {key: node for key, node in inner.nodes.items() if key not in gone}
    edges = [edge for edge in inner.edges if not {edge.source, edge.target} & gone]
    return replace(inner, nodes=nodes, edges=edges), first, last


def _first(inner: Drawing) -> str:
    """Return the one node with which the graph begins, to which nothing leads back, or START."""
    begun = [edge.target for edge in inner.edges if edge.source == START]
    back = [edge for edge in inner.edges if edge.target == begun[0]]
    return begun[0] if len(begun) == len(back) == 1 and begun[0] != END else START


def _last(inner: Drawing) -> str:
    """Return the one node with which the graph ends, which leads nowhere else, or END."""
    ended = [edge.source for edge in inner.edges if edge.target == END]
    onwards = [edge for edge in inner.edges if edge.source == ended[0]]
    return ended[0] if len(ended) == len(onwards) == 1 and ended[0] != START else END


def _relinked(edge: DrawnEdge, out_of: Mapping[str, str], into: Mapping[str, str]) -> DrawnEdge:
    source, target = out_of.get(edge.source, edge.source), into.get(edge.target, edge.target)
    return edge._replace(source=source, target=target)


def _within(name: str, inner: str) -> str:
    return f"{name}{SEPARATOR}{inner}"


def _moved(name: str, node: DrawnNode) -> DrawnNode:
    return node._replace(id=_within(name, node.id))


def _text(name: str) -> str:
    """Return a name as plain text: that of an enum's member is its value."""
    return str.__str__(name)
