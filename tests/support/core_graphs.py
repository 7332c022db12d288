"""Small graphs, checkpoints and stamps for tests of the core, made without the builder."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from distgraph.channels import BaseChannel, BinaryOperatorAggregate, LastValue
from distgraph.core.frame import Invocation, TaskFrame
from distgraph.core.graph import Branch, Callee, Graph, Join, Node, Schema
from distgraph.core.model import START, Checkpoint, Limits, Stamp, Task
from distgraph.types import RetryPolicy

CHANNELS: Mapping[str, BaseChannel] = {
    "log": BinaryOperatorAggregate(list, operator.add),
    "last": LastValue(Any),
}
KEYS = tuple(CHANNELS)
LIMITS = Limits(recursion_limit=10, stop=20)


def node(
    name: str,
    call: Callable[..., Any] = lambda _: None,
    *targets: str,
    branches: tuple[Branch, ...] = (),
    defer: bool = False,
    retry: tuple[RetryPolicy, ...] = (),
) -> Node:
    """Return a node with a blocking function."""
    callee = Callee(name, call, None)
    return Node(name, callee, Schema(KEYS), targets, branches, retry=retry, defer=defer)


def graph(
    *nodes: Node,
    joins: tuple[Join, ...] = (),
    entry: tuple[str, ...] = (),
    channels: Mapping[str, BaseChannel] = CHANNELS,
) -> Graph:
    """Return a graph of ``nodes`` that starts with ``entry``."""
    start = Node(
        START,
        Callee(START, lambda given: given, None),
        Schema((START,), lambda **v: v[START]),
        entry,
    )
    known = {one.name: one for one in (start, *nodes)}
    keys = tuple(channels)
    return Graph("g", known, channels, joins, keys, keys)


def checkpoint(*frontier: Any, **fields: Any) -> Checkpoint:
    """Return a checkpoint at step 3 with ``frontier`` to run."""
    given: dict[str, Any] = {"id": "cp-3", "parent_id": "cp-2", "step": 3, **fields}
    return Checkpoint(source="loop", ts="then", frontier=frontier, **given)


def stamp(name: str = "cp-4") -> Stamp:
    """Return the identity of the next checkpoint."""
    return Stamp(name, "now")


def frame(task: Task, opened: Checkpoint | None = None, **fields: Any) -> TaskFrame:
    """Return the frame of one attempt at ``task`` in a run that can pause."""
    given: dict[str, Any] = {
        "ns": "",
        "token": "token",
        "invocation": Invocation(thread_id="t", durable=True),
        **fields,
    }
    return TaskFrame(task, opened or checkpoint(task.node), **given)
