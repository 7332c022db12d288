"""What of a run is streamed, as its record has it: the stream modes, and whether at all levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.frames import FrameName
from distgraph._brief import brief
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import CorruptRecord
from distgraph.events import Relayed

SUBGRAPHS = "subgraphs"


@dataclass(frozen=True, slots=True)
class Shown:
    """The stream modes of a run, and whether they show graphs inside nodes too.

    ``about`` stands with every message.
    """

    modes: frozenset[str]
    subgraphs: bool
    about: Mapping[str, Any]

    def wants(self, mode: str) -> bool:
        """Whether ``mode`` is shown, or the debug mode, which has it inside."""
        return mode in self.modes or "debug" in self.modes

    @property
    def record(self) -> str:
        """What a run's record has of it."""
        return " ".join((*sorted(self.modes), *((SUBGRAPHS,) if self.subgraphs else ())))


def read_shown(record: str, about: Mapping[str, Any]) -> Shown:
    """Return what the ``record`` of a run says."""
    words = frozenset(record.split())
    return Shown(words - {SUBGRAPHS}, SUBGRAPHS in words, about)


def frame_of(relayed: Relayed) -> str:
    """Return the hash of the frame whose graph showed something."""
    return FrameName(relayed.ns).hash


def encode_relayed(relayed: Relayed, serializer: JsonPlusSerializer) -> bytes:
    """Return what an event has of a graph inside; SerializationError for what none can have."""
    chunks = [list(chunk) for chunk in relayed.chunks]
    return serializer.dumps([relayed.ns, chunks, list(relayed.known)])


def decode_relayed(blob: bytes, serializer: JsonPlusSerializer) -> Relayed:
    """Return what an event has of a graph inside a task; CorruptRecord for anything else.

    Raises DeserializationError for a class that is not known here.
    """
    match serializer.loads(blob):
        case [str(ns), list(chunks), list(known)] if all(_is_chunk(chunk) for chunk in chunks):
            return Relayed(ns, tuple((mode, chunk) for mode, chunk in chunks), tuple(known))
        case other:
            msg = f"An event of a graph inside a task has no chunks but {brief(other)}."
            raise CorruptRecord(msg)


def _is_chunk(chunk: Any) -> bool:
    match chunk:
        case [str(), _]:
            return True
        case _:
            return False
