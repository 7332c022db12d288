"""``update_state`` as a program: each superstep of updates becomes one checkpoint."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from distgraph.core.apply import apply_writes, unfinished
from distgraph.core.begin import begin, initial_values
from distgraph.core.graph import Graph
from distgraph.core.model import (
    END,
    ENDED,
    EXIT,
    HIDDEN,
    UNSAVED,
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
from distgraph.core.plan import plan, task_id, tasks_of
from distgraph.core.update import (
    COPY,
    INPUT,
    Pretended,
    author,
    check_nodes,
    pretend,
    updates_of_copy,
)
from distgraph.engine import Load, NewStamp, Program, Request, RunHere, SaveUpdate
from distgraph.errors import InvalidUpdateError
from distgraph.types import StateUpdate

Step = Generator[Request, Any, ThreadState]


def update(
    graph: Graph, supersteps: Sequence[Sequence[StateUpdate]], limits: Limits, ns: str = ""
) -> Program:
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
    if state is not None:
        limits = _of_frame(limits, state.checkpoint)
    for updates in supersteps:
        state = yield from _superstep(graph, state, updates, limits, ns)
    outcome: Outcome = Finished()
    return outcome


def _of_frame(limits: Limits, head: Checkpoint) -> Limits:
    """Return ``limits`` for the frame of ``head``: a called graph's stays that of its call."""
    hidden = {
        key: value
        for key, value in head.metadata.items()
        if key.startswith(HIDDEN) and key not in (EXIT, ENDED)
    }
    return replace(limits, metadata={**limits.metadata, **hidden}, parents=head.parents)


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
        case [only] if only == COPY and updates[0].values is not None:
            made: ThreadState = yield from _changed_copy(graph, state, updates[0], limits, ns)
        case [special] if special in (END, INPUT, COPY):
            changed = yield from _special(graph, state, updates[0], limits, ns)
            made = yield SaveUpdate(head, changed)
        case _:
            pairs = list(zip(names, updates, strict=True))
            made = yield from _written(graph, state, pairs, limits, ns)
    return made


def _changed_copy(
    graph: Graph, state: ThreadState | None, given: StateUpdate, limits: Limits, ns: str
) -> Step:
    """Copy a checkpoint, and write a superstep of updates onto the copy."""
    updates = updates_of_copy(given.values)
    check_nodes(graph, author(graph, state.checkpoint if state else None, updates))
    copied = yield from _superstep(graph, state, [StateUpdate(None, COPY)], limits, ns)
    return (yield from _superstep(graph, copied, updates, limits, ns))


def _written(
    graph: Graph,
    state: ThreadState | None,
    updates: Sequence[tuple[str, StateUpdate]],
    limits: Limits,
    ns: str,
) -> Step:
    head = state.checkpoint if state else None
    base = head or _fresh(graph)
    waiting: dict[str, list[str]] = {}
    for task in reversed(plan(base, ns)):
        waiting.setdefault(task.node, []).append(task.id)
    done = []
    for index, (name, given) in enumerate(updates):
        mine = waiting.get(name)
        tid = given.task_id or (mine.pop() if mine else task_id(base, ns, name, index))
        result = yield from _as_node(pretend(graph, name, given.values, tid), base)
        done.append((Task(tid, name, index), result))
    stamp = yield NewStamp(head)
    made = apply_writes(graph, base, done, stamp, limits, "update")
    updated = ThreadState(replace(made, parent_id=head.id if head else None))
    stored: ThreadState = yield SaveUpdate(head, updated, _spoken_for(state, done, ns))
    return stored


def _fresh(graph: Graph) -> Checkpoint:
    """Return what an update of a thread without any checkpoint is written onto."""
    values = initial_values(graph, {})
    versions = dict.fromkeys(values, UNSAVED)
    return Checkpoint("", None, -1, "update", "", values, versions)


def _spoken_for(
    state: ThreadState | None, done: Sequence[tuple[Task, Completed]], ns: str
) -> tuple[tuple[Task, Completed], ...]:
    """Return what was written for tasks that wait: their superstep shows it as their result.

    An update that neither writes nor leads anywhere says nothing of its task.
    """
    if state is None:
        return ()
    waiting = {
        task.id
        for task in plan(state.checkpoint, ns)
        if not isinstance(state.results.get(task.id), Completed)
    }
    said = ((task, result) for task, result in done if result.writes or result.goto)
    return tuple((task, result) for task, result in said if task.id in waiting)


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
        return begin(graph, head, given.values, stamp, limits)
    if state is None or head is None:
        msg = f"There is no checkpoint that could be updated as {given.as_node}."
        raise InvalidUpdateError(msg)
    if given.values is not None:
        msg = f"An update as {given.as_node} takes no values."
        raise InvalidUpdateError(msg)
    if given.as_node == COPY:
        copied = replace(head, id=stamp.id, ts=stamp.ts, step=head.step + 1, source="fork")
        return ThreadState(replace(copied, changed=frozenset(), grown={}, metadata=limits.metadata))
    done = [
        (task, result)
        for task in tasks_of(graph, state, ns)
        if isinstance(result := state.results.get(task.id), Completed)
    ]
    made = apply_writes(graph, head, done, stamp, limits, "update")
    ended = replace(
        made,
        frontier=(),
        deferred=frozenset(),
        arrived=unfinished(graph, made.arrived),
        authors=tuple(t.node for t in plan(head, ns) if t.send is None) or head.authors,
    )
    return ThreadState(ended)
