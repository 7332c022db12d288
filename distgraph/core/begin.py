"""How a run starts: with an input, from where the thread stands, or from an older checkpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from distgraph.channels.base import MISSING
from distgraph.core.apply import unfinished
from distgraph.core.graph import Graph
from distgraph.core.model import (
    START,
    Checkpoint,
    Completed,
    Limits,
    Result,
    Stamp,
    ThreadState,
)
from distgraph.core.references import INITIAL, reference
from distgraph.core.returns import plain_input, read_input
from distgraph.core.triggering import taken_in, triggered

FIRST_STEP = -1


def begin(
    graph: Graph, parent: Checkpoint | None, given: Any, stamp: Stamp, limits: Limits
) -> ThreadState:
    """Return the state that holds a new input; what ``parent`` had still to run is dropped."""
    before = parent.values if parent else {}
    initial = initial_values(graph, before)
    own = reference(stamp.id)
    values, taken, first = _taken(graph, parent, {**before, **initial}, given)
    versions = dict.fromkeys(initial, own if parent else INITIAL) | dict.fromkeys(taken, own)
    kept = {**(parent.versions if parent else {}), **versions}
    return ThreadState(
        Checkpoint(
            id=stamp.id,
            parent_id=parent.id if parent else None,
            step=parent.step + 1 if parent else FIRST_STEP,
            source="input",
            ts=stamp.ts,
            values=values,
            versions={name: ref for name, ref in kept.items() if name in values},
            changed=frozenset(versions),
            lines=parent.lines if parent else {},
            frontier=first,
            arrived=unfinished(graph, parent.arrived) if parent else {},
            deferred=parent.deferred if parent else frozenset(),
            last=parent.last if parent else (),
            authors=parent.authors if parent else (),
            metadata=limits.metadata,
            parents=limits.parents,
        )
    )


def _taken(
    graph: Graph, parent: Checkpoint | None, before: Mapping[str, Any], given: Any
) -> tuple[Mapping[str, Any], Iterable[str], tuple[str, ...]]:
    """Return the values with the input, the channels that have it, and what runs first."""
    if graph.triggers:
        ends = parent is not None and bool(parent.frontier)
        writes = read_input(graph.inputs, given)
        values, changed = taken_in(graph, before, writes, ends=ends)
        return values, changed, triggered(graph, changed)
    kept = given if graph.entry else plain_input(given, graph.inputs)
    return {**before, START: kept}, (START,), (graph.entry or START,)


def initial_values(graph: Graph, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the start values of those channels that have one and are not in ``values`` yet."""
    absent = {name: graph.channels[name].initial() for name in graph.channels if name not in values}
    return {name: value for name, value in absent.items() if value is not MISSING}


def again(state: ThreadState, in_hand: Collection[str] = ()) -> ThreadState:
    """Return ``state`` for a run that goes on from it.

    Failed tasks run again, questions are asked again, a static breakpoint here is released. The
    failures ``in_hand`` are those of error handlers.
    """
    left = state.results.items()
    undone = {t for t, r in left if t not in in_hand and not isinstance(r, Completed)}
    return replace(without_results(state, undone), released=state.checkpoint.id)


def without_results(state: ThreadState, tasks: set[str]) -> ThreadState:
    """Return ``state`` with ``tasks`` still to run."""
    kept: Mapping[str, Result] = {t: r for t, r in state.results.items() if t not in tasks}
    return replace(state, results=kept)


def replay(state: ThreadState, stamp: Stamp, limits: Limits) -> tuple[ThreadState, bool]:
    """Return the state in which an older checkpoint runs again, and whether it is a new one.

    Nothing stored with the old checkpoint is used again. A checkpoint that is itself an update or
    a fork is continued as it is while it is the thread's newest; any other is forked first.
    """
    old = state.checkpoint
    if goes_on(old) and not state.moved_past:
        return ThreadState(old, released=old.id), False
    return _forked(replace(old, changed=frozenset(), parents=limits.parents), stamp, limits), True


def goes_on(old: Checkpoint) -> bool:
    """Whether a run from this checkpoint, named as the thread's newest, continues it as it is."""
    return old.source in ("update", "fork")


def restart(state: ThreadState, stamp: Stamp, limits: Limits) -> ThreadState:
    """Return the state in which an older checkpoint of a called graph runs again, in a new call.

    All its values count as changed: the new call may have another name, under which none is stored.
    """
    old = state.checkpoint
    everything = replace(old, changed=frozenset(old.values), parents=limits.parents)
    return _forked(everything, stamp, limits)


def _forked(old: Checkpoint, stamp: Stamp, limits: Limits) -> ThreadState:
    fork = replace(
        old,
        id=stamp.id,
        parent_id=old.id,
        step=old.step + 1,
        source="fork",
        ts=stamp.ts,
        grown={},
        metadata=limits.metadata,
    )
    return ThreadState(fork, released=fork.id)


def last_step(parent: Checkpoint | None, recursion_limit: int) -> int:
    """Return the number of the last step that a run which starts at ``parent`` may take."""
    return last_step_after(parent.step if parent else FIRST_STEP - 1, recursion_limit)


def last_step_after(step: int, recursion_limit: int) -> int:
    """Return what ``last_step`` does, of a checkpoint of which only the step is known."""
    return step + 1 + recursion_limit + 1
