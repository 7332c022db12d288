"""NodeBuilder: says of a node which channels it takes, what it does, and where that goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from distgraph._arguments import names_of, shortly
from distgraph._caching import CachePolicy
from distgraph._checked import checked
from distgraph._timeouts import Timeout, TimeoutPolicy
from distgraph.core.graph import ChannelKeys
from distgraph.core.model import Write
from distgraph.graph.callees import combined, is_runnable
from distgraph.graph.checks import policies_of
from distgraph.types import RetryPolicy


class _Given:
    """What stands for what the node has made, among what it writes."""

    def __repr__(self) -> str:
        return "<what the node returns>"


GIVEN: Final = _Given()


@dataclass(frozen=True, slots=True)
class Writes:
    """What a node writes: (channel, a value, or GIVEN, or a function of what the node returns)."""

    entries: tuple[tuple[str, Any], ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Where it writes to, each once."""
        return tuple(dict.fromkeys(channel for channel, _ in self.entries))

    def __call__(self, output: Any) -> tuple[Write, ...]:
        """Return the writes of a node that returned ``output``."""
        return tuple((channel, _made(source, output)) for channel, source in self.entries)


def _made(source: Any, output: Any) -> Any:
    if source is GIVEN:
        return output
    return source(output) if callable(source) else source


@dataclass(frozen=True, slots=True)
class PregelNode:
    """A node as ``NodeBuilder.build`` gives it.

    ``channels`` is what it takes: the bare value of one, or a dict of several. It runs after one of
    ``triggers`` was written.
    """

    channels: ChannelKeys = ()
    triggers: tuple[str, ...] = ()
    steps: tuple[Any, ...] = ()
    writes: Writes = Writes()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    retry: tuple[RetryPolicy, ...] = ()
    timeout: TimeoutPolicy | None = None
    cache: CachePolicy | None = None


@checked
class NodeBuilder:
    """Says what a node of a ``Pregel`` graph is; every method returns the builder.

    The names are LangGraph's. Nothing is looked at before ``Pregel(...)`` is made of it.
    """

    def __init__(self) -> None:
        self._node = PregelNode()

    def subscribe_only(self, channel: str) -> Self:
        """Run when ``channel`` was written, on its bare value; ValueError next to others."""
        if self._node.channels or self._node.triggers:
            msg = (
                f"Cannot subscribe to '{channel}' alone: other channels are subscribed to already."
            )
            raise ValueError(msg)
        self._node = replace(self._node, channels=channel, triggers=(channel,))
        return self

    def subscribe_to(self, *channels: str, read: bool = True) -> Self:
        """Run when one of ``channels`` was written, on a dict in which they are if they are read.

        Raises ValueError after ``subscribe_only``.
        """
        added = self._several("subscribe to", channels)
        if not read:
            added = tuple(name for name in added if name in self._node.channels)
        triggers = tuple(dict.fromkeys((*self._node.triggers, *channels)))
        self._node = replace(self._node, channels=added, triggers=triggers)
        return self

    def read_from(self, *channels: str) -> Self:
        """Take ``channels`` too, without being run by them; ValueError after ``subscribe_only``."""
        self._node = replace(self._node, channels=self._several("read", channels))
        return self

    def _several(self, what: str, channels: tuple[str, ...]) -> tuple[str, ...]:
        match self._node.channels:
            case str(only):
                msg = (
                    f"Cannot {what} {', '.join(channels)} after subscribe_only('{only}'), by which "
                    "a node takes one bare value: use subscribe_to() for several."
                )
                raise ValueError(msg)
            case known:
                return tuple(dict.fromkeys((*known, *channels)))

    def do(self, node: Any) -> Self:
        """Call ``node``, a function or anything with invoke(), on what came of the one before."""
        node = combined(node)
        if not (callable(node) or is_runnable(node)):
            msg = f"A node does a function, a callable object or a graph, not {shortly(node)}."
            raise TypeError(msg)
        self._node = replace(self._node, steps=(*self._node.steps, node))
        return self

    def write_to(self, *channels: str, **values: Any) -> Self:
        """Write what comes of all that the node does to ``channels``; ``values`` says otherwise.

        Of those a function is called on it, and all else is written as it is.
        """
        entries = (*((name, GIVEN) for name in names_of(channels)), *values.items())
        self._node = replace(self._node, writes=Writes((*self._node.writes.entries, *entries)))
        return self

    def meta(self, *tags: str, **metadata: Any) -> Self:
        """Add tags and metadata, which drawings and the streams of tasks show."""
        node = self._node
        merged = {**node.metadata, **metadata}
        self._node = replace(node, tags=(*node.tags, *tags), metadata=merged)
        return self

    def add_retry_policies(self, *policies: RetryPolicy) -> Self:
        """Say when the node is run again after an error, as ``add_node(retry_policy=)`` does."""
        self._node = replace(self._node, retry=(*self._node.retry, *policies_of(policies)))
        return self

    def add_cache_policy(self, policy: CachePolicy) -> Self:
        """Say when what it left counts again, as ``add_node(cache_policy=)`` does."""
        self._node = replace(self._node, cache=policy)
        return self

    def set_timeout(self, timeout: Timeout) -> Self:
        """Limit each attempt at a coroutine, as ``add_node(timeout=)`` does."""
        self._node = replace(self._node, timeout=TimeoutPolicy.coerce(timeout))
        return self

    def build(self) -> PregelNode:
        """Return the node as it is said to be now."""
        return self._node


def built(name: str, node: Any) -> PregelNode:
    """Return the node that was given under ``name``; TypeError for something else."""
    match node:
        case NodeBuilder():
            return node.build()
        case PregelNode():
            return node
        case _:
            msg = f"Node '{name}' must be a NodeBuilder, not {shortly(node)}."
            raise TypeError(msg)
