"""What a record of the checkpointer for LangGraph holds, as bytes."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgpack
from langgraph.checkpoint.serde.base import SerializerProtocol

TypedValue = tuple[str, bytes]
"""The name of a format, and a value in it: what LangGraph's serializers give."""


class StoredCheckpoint(NamedTuple):
    """A checkpoint without its values; ``parent_id``: that of the one before, in the same ns."""

    parent_id: str | None
    checkpoint: TypedValue
    metadata: TypedValue


class StoredWrite(NamedTuple):
    """A pending write; the first three are the order in which LangGraph applies writes."""

    task_path: str
    task_id: str
    idx: int
    channel: str
    value: TypedValue


class CheckpointFound(NamedTuple):
    """A checkpoint as it was read; ``values``: by the name of the channel."""

    ns: str
    checkpoint_id: str
    stored: StoredCheckpoint
    values: dict[str, TypedValue]
    writes: list[StoredWrite]


def packed(record: tuple[Any, ...]) -> bytes:
    """Return the bytes of a record, or of a typed value; texts may have lone surrogates."""
    found: bytes = msgpack.packb(record, unicode_errors="surrogatepass")
    return found


def unpacked(blob: bytes) -> list[Any]:
    found: list[Any] = msgpack.unpackb(blob, use_list=False, unicode_errors="surrogatepass")
    return found


def metadata_of(blob: bytes, serde: SerializerProtocol) -> dict[str, Any]:
    """Return the metadata of the checkpoint of which ``blob`` is the record."""
    found: dict[str, Any] = serde.loads_typed(StoredCheckpoint(*unpacked(blob)).metadata)
    return found
