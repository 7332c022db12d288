"""Change the state from outside: an update counts as a superstep of one pretended node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from distgraph._arguments import as_name
from distgraph._brief import brief
from distgraph.core.graph import Callee, Graph
from distgraph.core.model import END, START, Checkpoint, Task
from distgraph.errors import InvalidUpdateError
from distgraph.types import Send, StateUpdate

INPUT = "__input__"
COPY = "__copy__"


@dataclass(frozen=True, slots=True)
class Pretended:
    """A task whose node is taken to have returned ``values``; its edges are real."""

    graph: Graph
    task: Task


def pretend(graph: Graph, node: str, values: Any, task_id: str) -> Pretended:
    """Return the task that writes ``values`` as if ``node`` had returned them."""
    real = graph.nodes[node]
    identity = Callee(node, _identity, None)
    made = replace(real, callee=identity, then=(), retry=(), handler=None, cache=None)
    nodes = {**graph.nodes, node: made}
    return Pretended(replace(graph, nodes=nodes), Task(task_id, node, 0, Send(node, values)))


def _identity(values: Any) -> Any:
    return values


def author(graph: Graph, head: Checkpoint | None, updates: Sequence[StateUpdate]) -> list[str]:
    """Return the node that each update is written as.

    Raises InvalidUpdateError for an unknown node, or when it is left out and not obvious.
    """
    for update in updates:
        if not isinstance(update.as_node, str | None):
            msg = f"as_node must be the name of a node, not {brief(update.as_node)}."
            raise InvalidUpdateError(msg)
    if len(updates) > 1 and any(update.as_node is None for update in updates):
        msg = "as_node is required when applying multiple updates: each of a superstep needs one."
        raise InvalidUpdateError(msg)
    return [as_name(update.as_node) or graph.entry or _guess(graph, head) for update in updates]


def updates_of_copy(values: Any) -> list[StateUpdate]:
    """Return the updates that are written onto a copy of a checkpoint.

    A list of StateUpdates, or of tuples of their fields. Raises InvalidUpdateError for others.
    """
    given = values if isinstance(values, list | tuple) and type(values) is not StateUpdate else ()
    updates = [StateUpdate(*each) for each in given if _is_update(each)]
    if not given or len(updates) != len(given):
        msg = (
            f"An update as {COPY} takes no values, or a list of StateUpdate(values, as_node) that "
            f"are written onto the copy, not {brief(values)}."
        )
        raise InvalidUpdateError(msg)
    if any(update.as_node in (INPUT, COPY) for update in updates):
        msg = f"What is written onto a copy cannot be an update as {INPUT} or {COPY}."
        raise InvalidUpdateError(msg)
    return updates


def _is_update(given: Any) -> bool:
    return isinstance(given, tuple) and 0 < len(given) <= len(StateUpdate._fields)


def _guess(graph: Graph, head: Checkpoint | None) -> str:
    if graph.triggers and len(graph.nodes) == 1:
        return next(iter(graph.nodes))
    if head is None or not head.authors:
        if graph.triggers:
            msg = "Ambiguous update, specify as_node: no node has run on this thread."
            raise InvalidUpdateError(msg)
        return START
    if len(head.authors) > 1:
        names = ", ".join(head.authors)
        msg = f"Ambiguous update, specify as_node: the last nodes to run were {names}."
        raise InvalidUpdateError(msg)
    return head.authors[0]


def check_nodes(graph: Graph, names: Sequence[str]) -> None:
    """Raise InvalidUpdateError for a name that is no node and none of the special ones."""
    for name in names:
        if name not in graph.nodes and name not in (END, INPUT, COPY):
            msg = f"Node {name} does not exist"
            raise InvalidUpdateError(msg)
        if len(names) > 1 and name in (END, INPUT, COPY):
            msg = f"An update as {name} cannot be combined with others in one superstep."
            raise InvalidUpdateError(msg)
