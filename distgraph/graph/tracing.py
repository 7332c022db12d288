"""How the picture of a graph is made: what is known of its nodes before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

from distgraph._arguments import names_of
from distgraph.core.graph import Branch, Callee, Graph, Node, Schema
from distgraph.core.model import END, START
from distgraph.drawing.parts import SEPARATOR, DrawnEdge, DrawnNode
from distgraph.drawing.picture import Drawing
from distgraph.graph.callees import return_hint
from distgraph.graph.held import graph_of, graphs_in
from distgraph.graph.subscribing import Writes
from distgraph.types import Command

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
    edges = _sorted(edge for node in _in_order(graph) for edge in _edges(graph, node))
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
    yield graph.nodes.get(START) or Node(START, _START, Schema(()), targets=_first_run(graph))
    yield from (node for name, node in graph.nodes.items() if name != START)


def _first_run(graph: Graph) -> tuple[str, ...]:
    """Return what an input makes run in a graph without a START."""
    return (graph.entry,) if graph.entry else _run_by(graph, names_of(graph.inputs))


def _run_by(graph: Graph, channels: Iterable[str]) -> tuple[str, ...]:
    runs = (name for channel in channels for name in graph.triggers.get(channel, ()))
    return tuple(dict.fromkeys(runs))


def _node(graph: Graph, node: Node) -> DrawnNode:
    stops = (("before", graph.before), ("after", graph.after))
    stopped = ",".join(when for when, names in stops if node.name in names)
    metadata = {
        **node.metadata,
        **({"defer": True} if node.defer else {}),
        **({"__interrupt": stopped} if stopped else {}),
    }
    action: Any = node.callee.call or node.callee.acall
    held = graph_of(node)
    data = held.compiled if held is not None else getattr(action, "function", action)
    return DrawnNode(_text(node.name), _text(node.name), data or START, metadata)


# --- edges -----------------------------------------------------------------------------------


def _edges(graph: Graph, node: Node) -> Iterator[DrawnEdge]:
    """Yield where a node leads; one that leads nowhere else leads to the end."""
    name = _text(node.name)
    found = [*_fixed(graph, node), *_chosen(graph, node)] or [(END, None, False)]
    for target, label, conditional in found:
        yield DrawnEdge(name, _text(target), None if label == target else label, conditional)


def _fixed(graph: Graph, node: Node) -> Iterator[tuple[str, str | None, bool]]:
    written = node.returns.channels if isinstance(node.returns, Writes) else ()
    targets = (*node.targets, *_run_by(graph, written))
    yield from ((target, None, False) for target in targets)
    joined = (join.target for join in graph.joins if node.name in join.sources)
    yield from ((target, None, False) for target in joined)


def _chosen(graph: Graph, node: Node) -> Iterator[tuple[str, str | None, bool]]:
    yield from ((target, label, True) for target, label in _gotos(graph, node))
    for branch in node.branches:
        yield from ((end, label, True) for label, end in _ends(graph, node, branch))


def _gotos(graph: Graph, node: Node) -> Iterator[tuple[str, str | None]]:
    """Yield where the Commands of a node may lead in this graph, as far as it says so."""
    if node.destinations is not None:
        for name, label in node.destinations.items():
            yield name, None if label is None else str(label)
        return
    hint = return_hint(node.callee.call or node.callee.acall)
    for target in _commanded(hint):
        if target == END or target in graph.nodes:
            yield target, None


def _commanded(hint: Any) -> Iterator[str]:
    """Yield the names in ``Command[Literal[...]]``, also within a union or a list."""
    inside = get_args(hint)
    if get_origin(hint) is Command:
        yield from _literals(inside[0])
    else:
        yield from (name for each in inside for name in _commanded(each))


def _literals(hint: Any) -> Iterator[str]:
    inside = get_args(hint)
    if get_origin(hint) is Literal:
        yield from (name for name in inside if isinstance(name, str))
    else:
        yield from (name for each in inside for name in _literals(each))


def _ends(graph: Graph, node: Node, branch: Branch) -> Iterator[tuple[str | None, str]]:
    """Yield labels and ends of a conditional edge: where none are known, it may lead anywhere."""
    if branch.ends is not None:
        yield from ((str(key), end) for key, end in branch.ends.items())
        return
    anywhere = (name for name in graph.nodes if name not in (START, node.name))
    yield from ((None, name) for name in (*anywhere, END))


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
