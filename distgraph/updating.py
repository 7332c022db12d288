"""``update_state`` as a program: each superstep of updates becomes one checkpoint."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from distgraph.core.apply import apply_writes
from distgraph.core.begin import begin
from distgraph.core.graph import Graph
from distgraph.core.model import (
    END,
    Checkpoint,
    Completed,
    Errored,
    Finished,
    Limits,
    Outcome,
    Result,
    Task,
    ThreadState,
)
from distgraph.core.plan import task_id, tasks_of
from distgraph.core.update import COPY, INPUT, Pretended, author, check_nodes, pretend
from distgraph.engine import Load, NewStamp, Request, Run, RunHere, SaveUpdate
from distgraph.errors import InvalidUpdateError
from distgraph.types import StateUpdate

Step = Generator[Request, Any, ThreadState]
_EMPTY = Checkpoint(id="", parent_id=None, step=-1, source="update", ts="")


def update(
    graph: Graph, supersteps: Sequence[Sequence[StateUpdate]], limits: Limits, ns: str = ""
) -> Run:
    """Write ``supersteps`` onto a thread, one checkpoint each.

    Raises ValueError for an empty list, InvalidUpdateError for what cannot be written.
    """
    if not supersteps:
        msg = "No supersteps provided"
        raise ValueError(msg)
    if not all(supersteps):
        msg = "No updates provided"
        raise ValueError(msg)
    state: ThreadState | None = yield Load()
    for updates in supersteps:
        state = yield from _superstep(graph, state, updates, limits, ns)
    outcome: Outcome = Finished()
    return outcome


def _superstep(
    graph: Graph,
    state: ThreadState | None,
    updates: Sequence[StateUpdate],
    limits: Limits,
    ns: str,
) -> Step:
    head = state.checkpoint if state else None
    names = author(graph, head, updates)
    check_nodes(graph, names)
    match names:
        case [special] if special in (END, INPUT, COPY):
            made = yield from _special(graph, state, updates[0], limits, ns)
        case _:
            made = yield from _written(graph, head, list(zip(names, updates, strict=True)), limits)
    yield SaveUpdate(head, made)
    return made


def _written(
    graph: Graph,
    head: Checkpoint | None,
    updates: Sequence[tuple[str, StateUpdate]],
    limits: Limits,
) -> Step:
    base = head or _EMPTY
    done = []
    for index, (name, given) in enumerate(updates):
        tid = given.task_id or task_id(base, "", name, index)
        result = yield from _as_node(pretend(graph, name, given.values, tid), base)
        done.append((Task(tid, name, index), result))
    stamp = yield NewStamp(head)
    made = apply_writes(graph, base, done, stamp, limits, "update")
    return ThreadState(replace(made, parent_id=head.id if head else None))


def _as_node(pretended: Pretended, base: Checkpoint) -> Generator[Request, Any, Completed]:
    task = pretended.task
    ran: Mapping[str, Result] = yield RunHere(pretended.graph, ThreadState(base), (task,))
    match ran[task.id]:
        case Completed() as done:
            return done
        case Errored(exception=error) if error is not None:
            raise error
    msg = f"The update as node '{task.node}' did not complete."
    raise InvalidUpdateError(msg)


def _special(
    graph: Graph, state: ThreadState | None, given: StateUpdate, limits: Limits, ns: str
) -> Step:
    head = state.checkpoint if state else None
    stamp = yield NewStamp(head)
    if given.as_node == INPUT:
        return begin(head, given.values, stamp, limits)
    if state is None or head is None:
        msg = f"There is no checkpoint that could be updated as {given.as_node}."
        raise InvalidUpdateError(msg)
    if given.values is not None:
        msg = f"An update as {given.as_node} takes no values."
        raise InvalidUpdateError(msg)
    if given.as_node == COPY:
        copied = replace(head, id=stamp.id, ts=stamp.ts, step=head.step + 1, source="fork")
        return ThreadState(replace(copied, metadata=limits.metadata))
    done = [
        (task, result)
        for task in tasks_of(graph, state, ns)
        if isinstance(result := state.results.get(task.id), Completed)
    ]
    made = apply_writes(graph, head, done, stamp, limits, "update")
    return ThreadState(replace(made, frontier=(), deferred=frozenset(), arrived={}))
