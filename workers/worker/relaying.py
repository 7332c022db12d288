"""What an attempt at a task streams of the graphs inside it, as chunks that need no code to read.

Whoever follows the run may not know such a graph, which need not be stored either.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any, Final

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.core.graph import Graph
from distgraph.errors import SerializationError
from distgraph.events import Inside, Relayed
from distgraph.levels import placed_chunks
from distgraph.streaming import View

from ..shared.shown import Shown, encode_relayed, frame_of
from .emitter import Emitter

log: Final = logging.getLogger(__name__)


class Relay:
    """Streams what happens in the graphs inside one attempt, in the modes of the run."""

    def __init__(
        self, shown: Shown, graph: Graph, serializer: JsonPlusSerializer, emitter: Emitter
    ) -> None:
        self._view = View(graph, shown.modes, graph.outputs, set(), shown.about)
        self._serializer, self._emitter = serializer, emitter
        self._is_lost = False

    def publish(self, told: Inside) -> None:
        """Stream the chunks of what happened, each for itself: together they may be too large."""
        serializer = self._knowing(told.graph)
        for ns, mode, chunk in placed_chunks(self._view, told, subgraphs=True):
            self._send(Relayed(ns, ((mode, chunk),)), serializer)

    def _send(self, relayed: Relayed, serializer: JsonPlusSerializer) -> None:
        try:
            blob = encode_relayed(relayed, serializer)
        except SerializationError as error:
            if not self._is_lost:
                log.warning("What '%s' streams cannot be shown outside: %s", relayed.ns, error)
            self._is_lost = True
        else:
            self._emitter.relay(frame_of(relayed), blob)

    def _knowing(self, graph: Graph) -> JsonPlusSerializer:
        return _knowing(self._serializer, graph.schema_types)


@lru_cache(maxsize=256)
def _knowing(serializer: JsonPlusSerializer, schemas: tuple[Any, ...]) -> JsonPlusSerializer:
    """Return what encodes the values of a graph that others need not know."""
    return serializer.allow(*classes_of(*schemas))
