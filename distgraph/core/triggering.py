"""Which nodes run because of what was written, in graphs that have channels instead of edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from distgraph.channels.base import MISSING
from distgraph.core.graph import Graph
from distgraph.core.merge import faded, merge, updated
from distgraph.core.model import Checkpoint, Target
from distgraph.core.veils import seen


def triggered(graph: Graph, changed: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the nodes that run because of what channels became; those now empty start nothing."""
    if not graph.triggers:
        return ()
    full = (name for name, value in changed.items() if _is_there(graph, name, value))
    return tuple(dict.fromkeys(node for name in full for node in graph.triggers.get(name, ())))


def _is_there(graph: Graph, name: str, value: Any) -> bool:
    return value is not MISSING and graph.channels[name].seen(value) is not MISSING


def waiting(graph: Graph, checkpoint: Checkpoint, values: Mapping[str, Any]) -> Iterator[Target]:
    """Yield the nodes that go on waiting for their turn after an update.

    LangGraph's rule: only a task that ran has seen what triggered it, and that is still there.
    """
    there = seen(graph, values) if graph.triggers else {}
    for target in checkpoint.frontier if graph.triggers else ():
        if isinstance(target, str) and not there.keys().isdisjoint(graph.nodes[target].triggers):
            yield target


def taken_in(
    graph: Graph, before: Mapping[str, Any], given: Iterable[tuple[str, Any]], *, ends: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values with the input ``given`` in them, and what of them it changed.

    ``ends``: it ends a superstep that was still to run, after which volatile channels are empty.
    """
    changed = merge(graph.channels, before, given)
    gone = faded(graph.volatile, before, changed) if ends else {}
    return updated(before, {**gone, **changed}), changed
