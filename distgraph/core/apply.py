"""The barrier: all results of a superstep become the next checkpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from distgraph.core.graph import Graph
from distgraph.core.growth import grown
from distgraph.core.merge import faded, merge, updated
from distgraph.core.model import (
    START,
    UNSAVED,
    Checkpoint,
    Completed,
    Limits,
    Source,
    Stamp,
    Target,
    Task,
)
from distgraph.core.references import reference
from distgraph.core.triggering import triggered, waiting
from distgraph.core.veils import consumed, finished

Done = Sequence[tuple[Task, Completed]]
Arrived = Mapping[str, frozenset[str]]


def apply_writes(  # noqa: PLR0913, PLR0917 a superstep and what its checkpoint says of it
    graph: Graph,
    checkpoint: Checkpoint,
    done: Done,
    stamp: Stamp,
    limits: Limits,
    source: Source = "loop",
) -> Checkpoint:
    """Return the checkpoint after a superstep; the result does not depend on the order of ``done``.

    Raises InvalidUpdateError when the writes of the superstep do not go together.
    """
    ordered = sorted(done, key=lambda pair: pair[0].order)
    changed, begun = _merged(graph, checkpoint, ordered)
    # A run may stop after what has failed, and after its handler.
    ran = dict.fromkeys(name for task, _ in ordered for name in (task.origin.node, task.node))
    came = (task.node for task, _ in ordered if task.handles is None)
    # An update starts no node: what waits for its turn goes on waiting.
    started = () if source == "update" else _pulled(ordered)
    arrived, joined = _join(graph, _reset(graph, checkpoint.arrived, started), came)
    targets = [*(target for _, result in ordered for target in result.goto), *begun]
    if graph.veiled and all(_is_deferred(graph, each) for each in (*targets, *joined)):
        ended = finished(graph, updated(checkpoint.values, changed))
        changed |= ended
        targets += triggered(graph, ended)
    values = updated(checkpoint.values, changed)
    values.pop(START, None)
    written = _written(checkpoint, changed)
    frontier, deferred = _next(graph, (*targets, *joined), checkpoint.deferred)
    if source == "update":
        left = (target for target in waiting(graph, checkpoint, values) if target not in frontier)
        frontier = (*frontier, *left)
        released = {name for name in _released(graph, checkpoint.frontier) if name not in targets}
        frontier = (*frontier, *sorted(name for name in released if name not in frontier))
        deferred -= released
    return Checkpoint(
        id=stamp.id,
        parent_id=checkpoint.id,
        step=checkpoint.step + 1,
        source=source,
        ts=stamp.ts,
        values=values,
        versions=_versions(checkpoint, values, written, stamp),
        changed=written & values.keys(),
        grown=grown(graph.growing, checkpoint, values, written),
        lines=checkpoint.lines,
        frontier=frontier,
        arrived=arrived,
        deferred=deferred,
        last=tuple(ran),
        authors=started or checkpoint.authors,
        metadata=limits.metadata,
        parents=limits.parents,
    )


def _merged(
    graph: Graph, checkpoint: Checkpoint, done: Done
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what channels become by a superstep, and the nodes that run because of that."""
    began = consumed(graph, checkpoint.values, (task.origin.node for task, _ in done))
    before = updated(checkpoint.values, began) if began else checkpoint.values
    writes = [write for _, result in done for write in result.writes]
    changed = merge(graph.channels, before, writes)
    begun = triggered(graph, changed)
    return {**began, **changed, **faded(graph.volatile, before, changed)}, begun


def _written(checkpoint: Checkpoint, changed: Iterable[str]) -> frozenset[str]:
    """Return the channels that the commit stores: also those that a caller changed before it."""
    if UNSAVED not in checkpoint.versions.values():
        return frozenset(changed)
    added = (name for name, ref in checkpoint.versions.items() if ref == UNSAVED)
    return frozenset((*added, *changed))


def _versions(
    checkpoint: Checkpoint, values: Mapping[str, Any], written: frozenset[str], stamp: Stamp
) -> Mapping[str, str]:
    """Give each written channel a new reference; one written again with the same value too."""
    versions = {**checkpoint.versions, **dict.fromkeys(sorted(written), reference(stamp.id))}
    return {name: ref for name, ref in versions.items() if name in values}


def _pulled(done: Done) -> tuple[str, ...]:
    """Return the nodes that edges started, not those that a Send did."""
    return tuple(task.origin.node for task, _ in done if task.send is None)


def _released(graph: Graph, frontier: Iterable[Target]) -> set[str]:
    """Return the deferred nodes whose turn has come."""
    return {name for name in frontier if isinstance(name, str) and _is_deferred(graph, name)}


def _is_deferred(graph: Graph, target: Target) -> bool:
    return isinstance(target, str) and graph.nodes[target].defer


def _reset(graph: Graph, arrived: Arrived, started: Collection[str]) -> Arrived:
    """Begin the complete joins again whose target was ``started``."""
    full = {join.name for join in graph.joins if arrived.get(join.name) == join.sources}
    over = {join.name for join in graph.joins if join.target in started} & full
    return {name: came for name, came in arrived.items() if name not in over}


def unfinished(graph: Graph, arrived: Arrived) -> Arrived:
    """Return the joins that still wait for a source: the targets of the others are given up."""
    return _reset(graph, arrived, graph.nodes.keys())


def _join(graph: Graph, before: Arrived, nodes: Iterable[str]) -> tuple[Arrived, list[str]]:
    """Count ``nodes`` into the joins; return what has come in, and the targets that now run."""
    ran = frozenset(nodes)
    arrived, ready = dict(before), []
    for join in graph.joins:
        if total := arrived.get(join.name, frozenset()) | (join.sources & ran):
            arrived[join.name] = total
        if total and total == join.sources:
            ready.append(join.target)
    return arrived, ready


def _next(
    graph: Graph, targets: Iterable[Target], waiting: frozenset[str]
) -> tuple[tuple[Target, ...], frozenset[str]]:
    """Split what comes next from what is deferred until nothing else is left to run."""
    unique = dict.fromkeys(t for t in targets if isinstance(t, str))
    names = [name for name in unique if not graph.nodes[name].defer]
    deferred = waiting | {name for name in unique if graph.nodes[name].defer}
    frontier: tuple[Target, ...] = (*names, *(t for t in targets if not isinstance(t, str)))
    if frontier or not deferred:
        return frontier, deferred
    return tuple(sorted(deferred)), frozenset()
