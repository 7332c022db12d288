"""What an event tells of a graph inside a task of the run."""

from __future__ import annotations

import logging
from collections.abc import Collection, Generator
from typing import Any, Final

from checkpoint_redis.events import StreamEvent
from checkpoint_redis.layout import EventKind, RetryEvent
from distgraph.effects import Tell
from distgraph.errors import DeserializationError
from distgraph.events import Custom

from ..shared.shown import decode_relayed
from .effects import Effect
from .marks import Superseded
from .watched import Watched

log: Final = logging.getLogger(__name__)


def told_inside(
    of: Watched, event: StreamEvent, *, modes: Collection[str], marks: bool
) -> Generator[Effect, Any, None]:
    """Tell what a graph inside showed, as far as its classes are known here.

    With ``marks`` also which attempt inside is void.
    """
    match event.payload:
        case RetryEvent(tid=tid, attempt=attempt, frame=name):
            if marks:
                node = of.served.wire.read_node(tid, event.blob)
                yield Tell(Superseded(name, tid, node, attempt))
        case _ if event.kind == EventKind.custom:  # of a run that shows nothing else of it
            if "custom" in modes:
                yield Tell(Custom("", of.served.wire.serializer.loads(event.blob)))
        case _ if event.blob:
            yield from _relayed(of, event.blob)
        case _:
            pass


def _relayed(of: Watched, blob: bytes) -> Generator[Effect, Any, None]:
    try:
        relayed = decode_relayed(blob, of.served.wire.serializer)
    except DeserializationError as error:
        log.warning("Run %s: what a graph inside shows cannot be read here: %s", of.run, error)
    else:
        yield Tell(relayed)
