"""Tasks and checkpoints as the modes tasks, checkpoints and debug show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from distgraph._arguments import names_of
from distgraph.core.frame import triggers
from distgraph.core.graph import Graph, Node, Schema
from distgraph.core.model import (
    PREVIOUS,
    Completed,
    Errored,
    Interrupted,
    Task,
    ThreadState,
)
from distgraph.core.snapshot import snapshot, written
from distgraph.core.veils import seen
from distgraph.types import Interrupt, PregelTask


def task_start(graph: Graph, task: Task, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a task that begins on the state ``values``."""
    node = graph.nodes[task.node]
    given = task.send.arg if task.send is not None else _read(graph, node, values)
    made = triggers(task, graph)
    start = {"id": task.id, "name": task.node, "input": given, "triggers": made}
    return {**start, "metadata": dict(node.metadata)} if node.metadata else start


def _read(graph: Graph, node: Node, values: Mapping[str, Any]) -> Any:
    """Return what a node reads; managed values, which only its task knows, are left out."""
    schema = node.schema
    if not graph.managed.keys().isdisjoint(schema.keys):
        own = tuple(key for key in schema.keys if key not in graph.managed)
        schema = Schema(own)
    return schema.read(seen(graph, values))


def task_result(
    graph: Graph, task: Task, result: Completed | Errored | Interrupted
) -> dict[str, Any]:
    """Return what is told of a task that has ended; its error is the exception where that is."""
    hidden = {PREVIOUS, *(graph.channels.keys() - set(names_of(graph.streams or graph.channels)))}
    error: BaseException | str | None = None
    shown: Any = {}
    interrupts: list[dict[str, Any]] = []
    match result:
        case Completed(writes):
            shown = written(write for write in writes if write[0] not in hidden)
        case Errored() as failure:
            error = str(failure) if failure.exception is None else failure.exception
        case Interrupted(questions):
            interrupts = [_asked(question.interrupt) for question in questions]
    return {
        "id": task.id,
        "name": task.node,
        "error": error,
        "result": shown,
        "interrupts": interrupts,
    }


def _asked(interrupt: Interrupt) -> dict[str, Any]:
    schema = interrupt.response_schema
    return {"value": interrupt.value, "id": interrupt.id, "response_schema": schema}


def checkpoint(
    graph: Graph, state: ThreadState, ns: str, thread_id: str, holds: Callable[[Node], bool]
) -> dict[str, Any]:
    """Return what is told of a checkpoint: what a snapshot of it has, as plain dicts and lists.

    ``holds``: whether a node has a graph inside, so that its task has a state of its own.
    """
    shown = snapshot(graph, state, {"thread_id": thread_id}, ns=ns, head=False)
    inside = {task.name: _holds(graph, task.name, holds) for task in shown.tasks}
    return {
        "config": shown.config,
        "parent_config": shown.parent_config,
        "values": shown.values,
        "metadata": shown.metadata,
        "next": list(shown.next),
        "tasks": [
            _task(task, state, _config(ns, thread_id, task) if inside[task.name] else None)
            for task in shown.tasks
        ],
    }


def _holds(graph: Graph, name: str, holds: Callable[[Node], bool]) -> bool:
    node = graph.nodes.get(name)
    return node is not None and holds(node)


def _config(ns: str, thread_id: str, task: PregelTask) -> dict[str, Any]:
    own = f"{task.name}:{task.id}"
    inside = f"{ns}|{own}" if ns else own
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": inside}}


def _task(task: PregelTask, state: ThreadState, inside: Mapping[str, Any] | None) -> dict[str, Any]:
    told: dict[str, Any] = {"id": task.id, "name": task.name, "state": inside}
    if task.error is not None:
        return {**told, "error": task.error}
    told["interrupts"] = tuple(map(_asked, task.interrupts))
    if task.result and isinstance(state.results.get(task.id), Completed):
        told["result"] = task.result
    return told


def debugged(kind: str, step: int, payload: Any, timestamp: str = "") -> dict[str, Any]:
    """Return what the debug mode has of a payload; ``timestamp``: when it was, by default now."""
    at = timestamp or datetime.now(UTC).isoformat()
    return {"step": step, "timestamp": at, "type": kind, "payload": payload}
