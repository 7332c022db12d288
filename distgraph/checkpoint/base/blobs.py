"""Values of channels as bytes, with errors that say which channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from distgraph.checkpoint.base.types import INTERRUPT, WRITES_IDX_MAP, Checkpoint
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core.model import START
from distgraph.errors import DeserializationError, SerializationError

Typed = tuple[str, bytes]
EMPTY: Typed = ("empty", b"")
"""Stands for a channel that was written but has no value."""
NULL: Typed = ("null", b"")
"""None, which most gotos and many channels hold, without asking the serializer."""


def dump(serde: SerializerProtocol, channel: str, value: Any) -> Typed:
    """Return the bytes of a channel's value; SerializationError names the channel."""
    if value is None:
        return NULL
    try:
        return serde.dumps_typed(value)
    except SerializationError as error:
        raise SerializationError(f"{_where(channel)}: {error}") from error


def load(serde: SerializerProtocol, channel: str, stored: Typed) -> Any:
    """Return a channel's value; DeserializationError names the channel."""
    if stored[0] == NULL[0]:
        return None
    try:
        return serde.loads_typed(stored)
    except DeserializationError as error:
        raise DeserializationError(f"{_where(channel)}: {error}") from error


def _where(channel: str) -> str:
    if channel == INTERRUPT:
        return "The value given to interrupt()"
    if channel == START:
        return "The input"
    return f"Channel '{channel}'" if channel in WRITES_IDX_MAP else f"State key '{channel}'"


def dump_channels(
    serde: SerializerProtocol, checkpoint: Checkpoint, channels: Iterable[str]
) -> dict[str, Typed]:
    """Return the bytes of those channels of ``checkpoint``."""
    values = checkpoint["channel_values"]
    return {name: dump(serde, name, values[name]) if name in values else EMPTY for name in channels}


def dump_record(serde: SerializerProtocol, checkpoint: Checkpoint) -> Typed:
    """Return the bytes of everything in ``checkpoint`` but its channel values."""
    record = {key: value for key, value in checkpoint.items() if key != "channel_values"}
    return dump(serde, "__checkpoint__", numbered(Kind.saved, record))


def load_record(serde: SerializerProtocol, stored: Typed) -> Checkpoint:
    """Return a checkpoint whose channel values are still to be put in."""
    packed = serde.loads_typed(stored)
    match fields_of(Kind.saved, packed):
        case [{"channel_versions": dict()} as record]:
            return cast(Checkpoint, {**record, "channel_values": {}})
        case _:
            raise corrupt(Kind.saved, packed)


def matches(metadata: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Whether ``metadata`` has every entry of ``wanted``."""
    return not wanted or all(
        key in metadata and metadata[key] == value for key, value in wanted.items()
    )
