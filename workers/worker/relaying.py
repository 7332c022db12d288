"""What workers show of the graphs inside tasks, as chunks that need no code to read.

Whoever follows the run may not know such a graph, which need not be stored either.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph
from distgraph.core.model import Interrupted, Result
from distgraph.errors import SerializationError
from distgraph.events import Ended, Inside, OfFrame, Relayed
from distgraph.levels import placed_chunks
from distgraph.streaming import View, know

from ..shared.shown import Shown, encode_relayed, frame_of
from .emitter import Emitter
from .opened import Opened

log: Final = logging.getLogger(__name__)


class Relay:
    """Makes chunks of what happens in the graphs inside tasks, in the modes of the run."""

    def __init__(self, shown: Shown, graph: Graph, serializer: JsonPlusSerializer) -> None:
        self._view = View(graph, shown.modes, graph.outputs, set(), shown.about)
        self._serializer = serializer
        self._is_lost = False

    def publish(self, emitter: Emitter, told: Inside) -> None:
        """Stream the chunks of what happened, each for itself: together they may be too large."""
        for ns, mode, chunk in placed_chunks(self._view, told, subgraphs=True):
            relayed = Relayed(ns, ((mode, chunk),))
            if blob := self._encoded(told.graph, relayed):
                emitter.relay(frame_of(relayed), blob)

    def record(self, graph: Graph, ns: str, *told: OfFrame) -> bytes:
        """Return the chunks of what happened in a frame, for the event that tells of it."""
        made = tuple(self._made(graph, told))
        return self._encoded(graph, Relayed(ns, made)) if made else b""

    def custom(self, graph: Graph, ns: str, chunk: Any) -> bytes:
        """Return a custom chunk of a frame; SerializationError for what cannot be stored."""
        relayed = Relayed(ns, (("custom", chunk),))
        return encode_relayed(relayed, _knowing(self._serializer, graph.schema_types))

    def ended(self, opened: Opened, frame: TaskFrame, result: Result) -> Inside:
        """Return what is told of a task of a frame inside another one.

        Where it asks, the whole state is shown, which who runs one of several tasks has not got.
        """
        know(self._view, frame.checkpoint)
        values = frame.checkpoint.values
        if isinstance(result, Interrupted) and not opened.whole and "values" in self._view.modes:
            values = opened.all_values()
        step = frame.checkpoint.step + 1
        return Inside(opened.graph, Ended(opened.ns, frame.task, result, values, step=step))

    def _made(self, graph: Graph, told: Iterable[OfFrame]) -> Iterator[tuple[str, Any]]:
        for each in told:
            for _, mode, chunk in placed_chunks(self._view, Inside(graph, each), subgraphs=True):
                yield mode, chunk

    def _encoded(self, graph: Graph, relayed: Relayed) -> bytes:
        """Return the chunks as bytes, none where they cannot be stored."""
        try:
            return encode_relayed(relayed, _knowing(self._serializer, graph.schema_types))
        except SerializationError as error:
            if not self._is_lost:
                log.warning("What '%s' shows cannot be streamed: %s", relayed.ns, error)
            self._is_lost = True
            return b""


def relay_of(opened: Opened) -> Relay | None:
    """Return what makes chunks of what happens inside tasks, None where nobody asks for them."""
    shown, serializer = opened.shown, opened.served.wire.serializer
    return Relay(shown, opened.graph, serializer) if shown.subgraphs else None


@lru_cache(maxsize=256)
def _knowing(serializer: JsonPlusSerializer, schemas: tuple[Any, ...]) -> JsonPlusSerializer:
    """Return what encodes the values of a graph that others need not know."""
    return serializer.allow(*classes_of(*schemas))
