"""How nodes and channels become the graph that the algorithm works on."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from distgraph._arguments import names_of, shortly
from distgraph._caching import CachePolicy
from distgraph.channels.base import BaseChannel
from distgraph.core.graph import ChannelKeys, Graph, Node, Schema
from distgraph.graph.callees import callee_of, limited
from distgraph.graph.checks import check_name, check_text
from distgraph.graph.fingerprint import fingerprint
from distgraph.graph.subscribing import PregelNode, Writes, built
from distgraph.types import RetryPolicy

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NamedChannels:
    """The channels of a graph, and which of them are its input, its output, and what it shows."""

    known: Mapping[str, BaseChannel]
    inputs: ChannelKeys
    outputs: ChannelKeys
    streams: ChannelKeys

    @classmethod
    def of(
        cls,
        channels: Mapping[str, BaseChannel],
        inputs: str | Sequence[str],
        outputs: str | Sequence[str],
        streams: str | Sequence[str] | None,
    ) -> Self:
        """Return them, checked: TypeError for what is no channel, ValueError for unknown names."""
        for name, channel in channels.items():
            if not isinstance(channel, BaseChannel):
                msg = (
                    f"Channel '{name}' must be one such as LastValue(int), not {shortly(channel)}."
                )
                raise TypeError(msg)
            check_text("The name of a channel", name)
        made = cls(dict(channels), _keys(inputs), _keys(outputs), _keys(streams or ()))
        for what, keys in (
            ("Input", made.inputs),
            ("Output", made.outputs),
            ("Stream", made.streams),
        ):
            made.check(f"{what} channel", names_of(keys))
        return made

    def check(self, what: str, names: Iterable[str]) -> None:
        """Raise ValueError for a name that is no channel."""
        for name in names:
            if name not in self.known:
                known = ", ".join(map(repr, self.known))
                msg = f"{what} '{name}' is not among the channels: {known}."
                raise ValueError(msg)


def _keys(given: str | Sequence[str]) -> ChannelKeys:
    return given if isinstance(given, str) else tuple(names_of(given))


def graph_of(
    name: str,
    nodes: Mapping[str, Any],
    channels: NamedChannels,
    retry: tuple[RetryPolicy, ...],
    cache: CachePolicy | None = None,
) -> Graph:
    """Return the graph, with its fingerprint; ``retry`` and ``cache`` are for nodes without.

    Raises ValueError for a node that names no channel, and for an input that no node takes.
    """
    check_text("The name of a graph", name)
    made = {key: _node(key, built(key, node), channels) for key, node in nodes.items()}
    made = {
        key: replace(node, retry=node.retry or retry, cache=node.cache or cache)
        for key, node in made.items()
    }
    triggers = defaultdict[str, list[str]](list)
    for key, node in made.items():
        for trigger in node.triggers:
            triggers[trigger].append(key)
    if triggers.keys().isdisjoint(names := names_of(channels.inputs)):
        msg = f"Input channel {', '.join(names)} is not subscribed to by any node"
        raise ValueError(msg)
    return fingerprint(
        Graph(
            name=name,
            nodes=made,
            channels=channels.known,
            joins=(),
            inputs=channels.inputs,
            outputs=channels.outputs,
            schema_types=tuple(channel.typ for channel in channels.known.values()),
            retry=retry,
            cache=cache,
            triggers={channel: tuple(sorted(runs)) for channel, runs in triggers.items()},
            streams=channels.streams,
        )
    )


def _node(name: str, node: PregelNode, channels: NamedChannels) -> Node:
    check_name(name, ())
    channels.check(f"Node {name} reads a channel, and", (*names_of(node.channels), *node.triggers))
    first, *then = (callee_of(step, name) for step in node.steps or (_same,))
    return Node(
        name=name,
        callee=first,
        then=tuple(then),
        schema=_schema(node.channels),
        triggers=node.triggers,
        retry=node.retry,
        cache=node.cache,
        timeout=limited("Node", node.timeout, first, *then),
        metadata={**node.metadata, **({"tags": list(node.tags)} if node.tags else {})},
        returns=Writes(tuple(_known(name, node.writes, channels))),
    )


def _same(given: Any) -> Any:
    return given


def _schema(taken: ChannelKeys) -> Schema:
    return Schema((taken,), _bare) if isinstance(taken, str) else Schema(taken)


def _bare(**values: Any) -> Any:
    (value,) = values.values()
    return value


def _known(name: str, writes: Writes, channels: NamedChannels) -> Iterator[tuple[str, Any]]:
    """Yield the writes to known channels: others are ignored, as LangGraph does."""
    for channel, source in writes.entries:
        if channel in channels.known:
            yield channel, source
        else:
            log.warning("Node '%s' writes to unknown channel '%s', ignoring it.", name, channel)
