"""For what a deferred node waits, though no edge tells it: for pictures.

As LangGraph tells it: all edges are taken, superstep by superstep, the conditional ones when their
node runs for the first time. What runs in the last superstep before a deferred node leads to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from distgraph.core.graph import Graph
from distgraph.core.model import START
from distgraph.graph.leading import chosen, fixed

_LONGEST = 250
"""So many supersteps are looked at, of a graph that goes on."""


@dataclass(slots=True)
class _Walk:
    """What is known after a superstep: what has run, and what waits."""

    always: Mapping[str, tuple[str, ...]]
    once: Mapping[str, tuple[str, ...]]
    joined: dict[str, set[str]] = field(default_factory=dict)
    """By the name of a join, which of its sources have run since it was complete."""
    ran: set[str] = field(default_factory=set)
    deferred: set[str] = field(default_factory=set)
    """What runs when nothing else is left."""


Pair = tuple[str, str]


def waited_for(graph: Graph) -> tuple[frozenset[str], frozenset[Pair]]:
    """Return what runs in the last superstep, and pairs: what ran last, what had waited for it.

    Both are empty for a graph without deferred nodes.
    """
    if not any(node.defer for node in graph.nodes.values()):
        return frozenset(), frozenset()
    nodes = graph.nodes.items()
    always = {name: fixed(graph, node) for name, node in nodes}
    once = {name: tuple(way.target for way in chosen(graph, node)) for name, node in nodes}
    return _walked(graph, _Walk(always, once))


def _walked(graph: Graph, walk: _Walk) -> tuple[frozenset[str], frozenset[Pair]]:
    running, after = set[str](), {START}
    pairs = set[Pair]()
    for _ in range(_LONGEST):
        if not after:
            break
        running = after
        woken = _woken(graph, walk, running)
        walk.deferred |= {name for name in woken if graph.nodes[name].defer}
        if after := woken - walk.deferred:
            continue
        for name in walk.deferred:
            if not any(_leads(graph, walk, one, name) for one in running):
                pairs |= {(last, name) for last in running}
        after, walk.deferred = walk.deferred, set()
    return frozenset(running), frozenset(pairs)


def _woken(graph: Graph, walk: _Walk, running: set[str]) -> set[str]:
    """Return what the nodes that run now make run, and note that they have run."""
    woken = {target for name in running for target in walk.always[name]}
    woken |= {target for name in running - walk.ran for target in walk.once[name]}
    walk.ran |= running
    for join in graph.joins:
        so_far = walk.joined.setdefault(join.name, set())
        so_far |= join.sources & running
        if so_far == join.sources:
            woken.add(join.target)
            so_far.clear()
    return woken & graph.nodes.keys()


def _leads(graph: Graph, walk: _Walk, source: str, target: str) -> bool:
    joins = (join.sources for join in graph.joins if join.target == target)
    direct = (*walk.always[source], *walk.once[source])
    return target in direct or any(source in sources for sources in joins)
