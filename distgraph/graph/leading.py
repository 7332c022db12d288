"""Where a node leads, as far as it is known before anything runs: for pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin

from distgraph.core.graph import Branch, Graph, Node
from distgraph.core.model import END, START
from distgraph.graph.callees import return_hint
from distgraph.graph.subscribing import Writes
from distgraph.types import Command


class Way(NamedTuple):
    """Where a node leads: ``label`` is that of the edge; a ``conditional`` one may not be taken."""

    target: str
    label: str | None = None
    conditional: bool = False


def ways(graph: Graph, node: Node) -> Iterator[Way]:
    """Yield where a node leads, in the order in which that was said."""
    yield from map(Way, fixed(graph, node))
    yield from (Way(join.target) for join in graph.joins if node.name in join.sources)
    yield from chosen(graph, node)
    for branch in node.branches:
        if branch.ends is None:
            yield from _anywhere(graph, node)


def fixed(graph: Graph, node: Node) -> tuple[str, ...]:
    """Return where a node leads whatever comes of it, without what waits for others too."""
    written = node.returns.channels if isinstance(node.returns, Writes) else ()
    return (*node.targets, *run_by(graph, written))


def run_by(graph: Graph, channels: Iterable[str]) -> tuple[str, ...]:
    """Return what runs when ``channels`` are written, in a graph without edges."""
    runs = (name for channel in channels for name in graph.triggers.get(channel, ()))
    return tuple(dict.fromkeys(runs))


def chosen(graph: Graph, node: Node) -> Iterator[Way]:
    """Yield where a node says that its Commands and its conditional edges may lead."""
    yield from _gotos(graph, node)
    for branch in node.branches:
        yield from _ends(branch)


def _gotos(graph: Graph, node: Node) -> Iterator[Way]:
    if node.destinations is not None:
        for name, label in node.destinations.items():
            yield Way(name, None if label is None else str(label), conditional=True)
        return
    for target in _commanded(return_hint(node.callee.call or node.callee.acall)):
        if target == END or target in graph.nodes:
            yield Way(target, conditional=True)


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


def _ends(branch: Branch) -> Iterator[Way]:
    for key, end in (branch.ends or {}).items():
        yield Way(end, str(key), conditional=True)


def _anywhere(graph: Graph, node: Node) -> Iterator[Way]:
    """Yield where a conditional edge of which no end is known may lead."""
    others = (name for name in graph.nodes if name not in (START, node.name))
    yield from (Way(name, conditional=True) for name in (*others, END))
