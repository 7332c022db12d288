"""The barrier: all results of a superstep become the next checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from distgraph.channels.base import MISSING
from distgraph.core.graph import Graph
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

Done = Sequence[tuple[Task, Completed]]


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
    writes = [write for _, result in ordered for write in result.writes]
    changed = merge(graph.channels, checkpoint.values, writes)
    changed |= faded(graph.channels, checkpoint.values, changed)
    values = updated(checkpoint.values, changed)
    values.pop(START, None)
    nodes = tuple(dict.fromkeys(task.node for task, _ in ordered))
    arrived, joined = _join(graph, checkpoint.arrived, nodes)
    targets = [target for _, result in ordered for target in result.goto]
    frontier, deferred = _next(graph, (*targets, *joined), checkpoint.deferred)
    return Checkpoint(
        id=stamp.id,
        parent_id=checkpoint.id,
        step=checkpoint.step + 1,
        source=source,
        ts=stamp.ts,
        values=values,
        versions=_versions(checkpoint, changed, stamp),
        frontier=frontier,
        arrived=arrived,
        deferred=deferred,
        last=nodes,
        metadata=limits.metadata,
        parents=limits.parents,
    )


def _versions(
    checkpoint: Checkpoint, changed: Mapping[str, Any], stamp: Stamp
) -> Mapping[str, str]:
    """Give each written channel a new reference; one written again with the same value too."""
    added = (name for name, ref in checkpoint.versions.items() if ref == UNSAVED)
    own = reference(checkpoint, stamp)
    versions = {**checkpoint.versions, **dict.fromkeys((*added, *changed), own)}
    gone = {START, *(name for name, value in changed.items() if value is MISSING)}
    return {name: ref for name, ref in versions.items() if name not in gone}


def reference(parent: Checkpoint | None, stamp: Stamp) -> str:
    """Return the opaque reference of what the checkpoint ``stamp`` writes: short, and unique."""
    step = parent.step + 1 if parent else -1
    return f"{step}.{stamp.id[-12:]}"


def written_at(ref: str) -> int:
    """Return the step number that gave a channel the reference ``ref``."""
    return int(ref.partition(".")[0])


def _join(
    graph: Graph, before: Mapping[str, frozenset[str]], nodes: Iterable[str]
) -> tuple[Mapping[str, frozenset[str]], list[str]]:
    """Count ``nodes`` into the joins; return what has come in, and the targets that now run."""
    ran = frozenset(nodes)
    arrived, started = dict(before), []
    for join in graph.joins:
        if not (came := join.sources & ran):
            continue
        total = arrived.get(join.name, frozenset()) | came
        if total == join.sources:
            started.append(join.target)
            arrived.pop(join.name, None)
        else:
            arrived[join.name] = total
    return arrived, started


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
