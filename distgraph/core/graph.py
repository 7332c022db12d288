"""The checked, frozen graph that the algorithm works on; the builder makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from distgraph._caching import CachePolicy
from distgraph._timeouts import TimeoutPolicy
from distgraph.channels.base import BaseChannel
from distgraph.core.model import TAG_HIDDEN, Write
from distgraph.managed.base import Managed
from distgraph.types import RetryPolicy

ROOT = "__root__"
UNNAMED = "LangGraph"
"""The name of a graph that was given none, as in LangGraph."""
ChannelKeys = str | tuple[str, ...]
"""Channels whose values stand in a dict; a single name stands for the bare value of that one."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Which channels a function reads, and the class that its input is made an instance of."""

    keys: tuple[str, ...]
    make: Callable[..., Any] | None = None

    def read(self, values: Mapping[str, Any]) -> Any:
        """Return the input: a bare value for ``__root__``, else a dict or a schema instance."""
        if self.keys == (ROOT,):
            return values.get(ROOT)
        found = {key: values[key] for key in self.keys if key in values}
        return found if self.make is None else self.make(**found)


@dataclass(frozen=True, slots=True)
class Callee:
    """A user's function: its blocking and its async form (either may be None).

    ``wants``: parameter name -> what is injected there ("config", "runtime", "writer", "store", in
    workflows and the functions that they call "previous", in error handlers "error").
    ``graph``: the graph that it is, if any. ``sees_state``: it asks for the state besides what it
    is sent.
    """

    name: str
    call: Callable[..., Any] | None
    acall: Callable[..., Any] | None
    wants: Mapping[str, str] = field(default_factory=dict)
    graph: Graph | None = field(default=None, repr=False, compare=False)
    sees_state: bool = False

    @property
    def needs_loop(self) -> bool:
        """Whether it cannot be run to its end without an event loop."""
        return self.call is None or (self.graph is not None and self.graph.needs_loop)


@dataclass(frozen=True, slots=True)
class Branch:
    """A conditional edge; ``ends`` maps what its path function returns to node names.

    ``follows``: the path function names no schema of its own, and has that of its node.
    """

    path: Callee
    schema: Schema
    ends: Mapping[Any, str] | None = None
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """A multi-source edge: ``target`` runs after all ``sources`` have run."""

    name: str
    sources: frozenset[str]
    target: str


@dataclass(frozen=True, slots=True)
class Node:
    """A node with everything that its execution needs.

    ``returns`` tells the writes in what it returns, where that is not an update of a state.
    ``handler`` takes its place in a superstep where it fails for good. ``timeout`` limits each
    attempt at a coroutine.
    """

    name: str
    callee: Callee
    schema: Schema
    targets: tuple[str, ...] = ()
    branches: tuple[Branch, ...] = ()
    retry: tuple[RetryPolicy, ...] = ()
    defer: bool = False
    queue: str = ""
    priority: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    destinations: Mapping[str, str | None] | None = None
    """Where it says that its Commands lead, with labels; for drawings."""
    returns: Callable[[Any], tuple[Write, ...]] | None = None
    then: tuple[Callee, ...] = ()
    """What is called with what came of the callee, one with what came of another."""
    triggers: tuple[str, ...] = ()
    """The channels that make it run when they are written, in a graph without edges."""
    handler: Node | None = None
    timeout: TimeoutPolicy | None = None
    cache: CachePolicy | None = None
    routes_by: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The state keys that its path functions read."""
    needs_loop: bool = field(init=False, repr=False, compare=False)
    """Whether it, or one of its path functions, or a node inside it, only has an async form."""
    called: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    """The graphs that it was seen to call in this process; no part of what the node is."""

    def __post_init__(self) -> None:
        keys = (key for branch in self.branches for key in branch.schema.keys)
        paths = (branch.path for branch in self.branches)
        loops = any(callee.needs_loop for callee in (self.callee, *self.then, *paths))
        loops = loops or (self.handler is not None and self.handler.needs_loop)
        object.__setattr__(self, "routes_by", tuple(dict.fromkeys(keys)))
        object.__setattr__(self, "needs_loop", loops)

    def copy(self, update: Mapping[str, Any]) -> Node:
        """Return the same node with other values of the attributes that ``update`` names."""
        return replace(self, **update)

    @property
    def hidden(self) -> bool:
        """Whether it is tagged as one that is not shown."""
        tags = self.metadata.get("tags")
        return isinstance(tags, list | tuple) and TAG_HIDDEN in tags

    def reads(self, *, sent: bool) -> tuple[str, ...]:
        """Return the state keys that a task of it sees: all others need not be brought to it.

        A node that was ``sent`` its input reads none itself, unless its callee sees the state, but
        its path functions do.
        """
        own = () if sent and not self.callee.sees_state else self.schema.keys
        return tuple(dict.fromkeys((*own, *self.routes_by))) if self.routes_by else own


@dataclass(frozen=True, slots=True)
class Graph:
    """A compiled graph without any of its plugs; ``fingerprint`` changes with its structure.

    ``entry`` is the node of a workflow: it takes the input as it is, where other graphs have START.
    ``retry`` are the policies of the functions that its tasks call and that have none themselves,
    ``cache`` is that.
    ``triggers`` are those of its nodes: channel -> the nodes that run when it was written. A graph
    that has some takes its input right into the channels ``inputs``. ``streams`` are what snapshots
    and streams show, where that is not all. ``managed`` are the state keys that runs fill in.
    """

    name: str
    nodes: Mapping[str, Node]
    channels: Mapping[str, BaseChannel]
    joins: tuple[Join, ...]
    inputs: ChannelKeys
    outputs: ChannelKeys
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    fingerprint: str = ""
    schema_types: tuple[Any, ...] = ()
    entry: str = ""
    retry: tuple[RetryPolicy, ...] = ()
    triggers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    streams: ChannelKeys = ()
    cache: CachePolicy | None = None
    managed: Mapping[str, Managed] = field(default_factory=dict)
    veiled: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The channels of which something else is seen than they hold."""
    untracked: frozenset[str] = field(init=False, repr=False, compare=False)
    """The channels that are not stored."""
    volatile: Mapping[str, BaseChannel] = field(init=False, repr=False, compare=False)
    """Those that become empty in a superstep which does not write them."""
    growing: Mapping[str, BaseChannel] = field(init=False, repr=False, compare=False)
    """Those whose reducer appends to a list."""
    handles: bool = field(init=False, repr=False, compare=False)
    """Whether one of its nodes has an error handler."""
    needs_loop: bool = field(init=False, repr=False, compare=False)
    """Whether one of its nodes needs an event loop."""

    def __post_init__(self) -> None:
        channels, nodes = self.channels.items(), self.nodes.values()
        known = {
            "veiled": tuple(name for name, channel in channels if channel.veiled),
            "untracked": frozenset(name for name, channel in channels if not channel.stored),
            "volatile": {name: channel for name, channel in channels if channel.volatile},
            "growing": {name: channel for name, channel in channels if channel.appends},
            "handles": any(node.handler for node in nodes),
            "needs_loop": any(node.needs_loop for node in nodes),
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)

    @property
    def told_as(self) -> str:
        """The name by which callbacks hear of its runs: a workflow without has LangGraph's own."""
        return UNNAMED if self.entry and self.entry == self.name else self.name

    @property
    def hidden(self) -> frozenset[str]:
        """The nodes that are tagged as ones that are not shown."""
        return frozenset(name for name, node in self.nodes.items() if node.hidden)

    @property
    def shown(self) -> ChannelKeys:
        """The channels that snapshots and streams show, unless somebody asks for others."""
        return self.streams or (self.outputs if self.entry else tuple(self.channels))
