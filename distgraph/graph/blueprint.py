"""What was said of a graph so far: its nodes, edges and schemas, as they were added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from distgraph._caching import CachePolicy
from distgraph._timeouts import TimeoutPolicy
from distgraph.channels import BaseChannel
from distgraph.core.graph import Callee
from distgraph.graph.callees import is_runnable
from distgraph.managed.base import Managed
from distgraph.types import RetryPolicy


class NodeSpec(NamedTuple):
    """A node as it was added."""

    callee: Callee
    schema: Any
    retry: tuple[RetryPolicy, ...]
    defer: bool
    queue: str
    priority: int
    metadata: Mapping[str, Any]
    destinations: Mapping[str, str | None] | None = None
    handler: Callee | None = None
    timeout: TimeoutPolicy | None = None
    cache: CachePolicy | None = None
    action: Any = None

    @property
    def runnable(self) -> Any:
        """What the node does: a Runnable, or a function as a ``NodeFunction``."""
        if is_runnable(self.action):
            return self.action
        is_async = self.callee.acall is not None
        return NodeFunction(None, self.action) if is_async else NodeFunction(self.action, None)


class NodeFunction(NamedTuple):
    """A function that is a node, in its blocking or its async form; the names are LangGraph's."""

    func: Any
    afunc: Any


class NodeDefaults(NamedTuple):
    """What counts for nodes that say nothing of it themselves."""

    retry: tuple[RetryPolicy, ...] = ()
    handler: Callee | None = None
    timeout: TimeoutPolicy | None = None
    cache: CachePolicy | None = None


class BranchSpec(NamedTuple):
    """A conditional edge as it was added; ``ends`` is None when any node may come.

    ``follows``: the schema is that of the node, as the function names none.
    """

    path: Callee
    schema: Any
    ends: Mapping[Any, str] | None
    follows: bool


@dataclass(eq=False, repr=False)
class Blueprint:
    """A graph while it is built.

    ``waiting_edges`` have several starts. ``branches``: source -> name -> conditional edge.
    ``channels`` and ``schemas`` are those of the state and of every node's and path's input,
    ``managed`` the state keys that runs fill in by themselves.
    """

    state_schema: Any
    context_schema: Any
    input_schema: Any
    output_schema: Any
    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    edges: set[tuple[str, str]] = field(default_factory=set)
    waiting_edges: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    branches: dict[str, dict[str, BranchSpec]] = field(default_factory=dict)
    channels: dict[str, BaseChannel] = field(default_factory=dict)
    managed: dict[str, Managed] = field(default_factory=dict)
    schemas: list[Any] = field(default_factory=list)
    defaults: NodeDefaults = field(default_factory=NodeDefaults)

    @property
    def handlers(self) -> tuple[str, ...]:
        """The names of its error handlers."""
        found = (spec.handler or self.defaults.handler for spec in self.nodes.values())
        return tuple(handler.name for handler in found if handler is not None)
