"""Values of channels as bytes, with errors that say which channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from distgraph.channels.base import MISSING
from distgraph.checkpoint.base.types import (
    CALLER_WRITES,
    ERROR,
    INTERRUPT,
    RESULT,
    RESUME,
    TASKS,
    Checkpoint,
)
from distgraph.checkpoint.blame import (
    ANSWER,
    QUESTION,
    Part,
    blamed,
    of_key,
    of_packed,
    of_packet,
    of_targets,
)
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.lines import (
    Excerpt,
    pack_excerpt,
    pack_line,
    segments,
    unpack_excerpt,
    unpack_line,
)
from distgraph.checkpoint.records import bounded
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.targets import content
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core.model import Line
from distgraph.errors import DeserializationError, SerializationError
from distgraph.types import Send

Typed = tuple[str, bytes]
EMPTY: Typed = ("empty", b"")
"""Stands for a channel that was written but has no value."""
Find = Callable[[str, Any], Typed]
"""Returns what is stored under a name and a version, or EMPTY."""
METADATA, RECORD = "__metadata__", "__checkpoint__"
LINE, EXCERPT, _COUNT, _SEND = "line", "excerpt", "packets", f"{TASKS}|"
_PLAIN = JsonPlusSerializer()
_NAMES = {
    INTERRUPT: QUESTION,
    RESUME: ANSWER,
    TASKS: "A packet",
    CALLER_WRITES: "What a caller wrote",
    ERROR: "The failure",
    RESULT: "What the node left",
    METADATA: "The metadata of the run",
    RECORD: "What is stored beside the values of a checkpoint",
}
NULL: Typed = ("null", b"")
"""None, which most gotos and many channels hold, without asking the serializer."""


def dump(serde: SerializerProtocol, channel: str, value: Any) -> Typed:
    """Return the bytes of a channel's value; SerializationError names the channel."""
    if value is None:
        return NULL
    if channel == RESULT:
        value = bounded(value, lambda part: serde.dumps_typed(part)[1])
    try:
        return serde.dumps_typed(value)
    except SerializationError as error:
        found = blamed(error, lambda part: serde.dumps_typed(part)[1], _parts(channel, value))
        named = SerializationError(f"{_where(channel)}: {error}") if found is error else found
        raise named from error


def dump_packet(serde: SerializerProtocol, send: Send) -> Typed:
    """Return the bytes of what a Send takes along; SerializationError names its node."""
    try:
        stored = content(send)
        return NULL if stored is None else serde.dumps_typed(stored)
    except SerializationError as error:
        raise SerializationError(f"{of_packet(send.node)}: {error}") from error


def load(serde: SerializerProtocol, channel: str, stored: Typed) -> Any:
    """Return a channel's value; DeserializationError names the channel."""
    if stored[0] == NULL[0]:
        return None
    try:
        return serde.loads_typed(stored)
    except DeserializationError as error:
        raise DeserializationError(f"{_where(channel)}: {error}") from error


def _where(channel: str) -> str:
    return _NAMES.get(channel) or of_key(channel)


def _parts(channel: str, value: Any) -> Iterable[Part]:
    """Return the parts of what one of our own channels holds, () for a value of the user's."""
    match channel, value:
        case (c, Send()) if c == TASKS:
            return of_targets([value])
        case (c, list()) if c == CALLER_WRITES:
            return (part for packed in value for part in of_packed(packed))
        case (c, dict()) if c == METADATA:
            return ((f"config entry '{key}'", each) for key, each in value.items())
        case _:
            return ()


def dump_channels(
    serde: SerializerProtocol, checkpoint: Checkpoint, channels: Iterable[str]
) -> dict[str, Typed]:
    """Return the bytes of those channels of ``checkpoint``; of the Sends one by one.

    What stands for the Sends is their number, beside which each has a name of its own.
    """
    values = checkpoint["channel_values"]
    found: dict[str, Typed] = {}
    for name in channels:
        value = values.get(name)
        if name == TASKS and isinstance(value, list):
            sends = {f"{_SEND}{n}": dump(serde, TASKS, send) for n, send in enumerate(value)}
            found |= {TASKS: (_COUNT, str(len(sends)).encode()), **sends}
        else:
            found[name] = dump(serde, name, value) if name in values else EMPTY
    return found


def channel_of(name: str) -> str:
    """Return the channel that the bytes called ``name`` are of."""
    return TASKS if name.startswith(_SEND) else name


def load_channel(serde: SerializerProtocol, name: str, version: Any, find: Find) -> Any:
    """Return a channel's value from what ``find`` has of it; MISSING for one without."""
    match stored := find(name, version):
        case (kind, _) if kind == EMPTY[0]:
            return MISSING
        case (kind, count) if kind == _COUNT:
            return [load(serde, TASKS, find(f"{_SEND}{n}", version)) for n in range(int(count))]
        case _ if line := line_in(stored):
            return [item for each in segments(line) for item in load(serde, name, find(name, each))]
        case _:
            return load(serde, name, stored)


def line_in(stored: Typed) -> Line | None:
    """Return how far a list reaches in its line, where that is what is stored of it."""
    return unpack_line(_PLAIN.loads(stored[1])) if stored[0] == LINE else None


def of_line(line: Line) -> Typed:
    """Return what is stored of a list that stands in segments."""
    return LINE, _PLAIN.dumps(pack_line(line))


def load_write(serde: SerializerProtocol, name: str, stored: Typed, find: Find) -> Any:
    """Return what a task wrote, which may stand in a segment of the list that it became part of."""
    part = excerpt_in(stored)
    return load(serde, name, stored if part is None else part_of(part, find(name, part.segment)))


def part_of(part: Excerpt, segment: Typed) -> Typed:
    """Return the write that stands in a segment."""
    return segment[0], part.of(segment[1])


def excerpt_in(stored: Typed) -> Excerpt | None:
    """Return where a write stands, where that is what is stored of it."""
    return unpack_excerpt(_PLAIN.loads(stored[1])) if stored[0] == EXCERPT else None


def of_excerpt(part: Excerpt) -> Typed:
    """Return what is stored of a write that stands in a segment."""
    return EXCERPT, _PLAIN.dumps(pack_excerpt(part))


def dump_record(serde: SerializerProtocol, checkpoint: Checkpoint) -> Typed:
    """Return the bytes of everything in ``checkpoint`` but its channel values."""
    without = ("channel_values", "grown")
    record = {key: value for key, value in checkpoint.items() if key not in without}
    return dump(serde, RECORD, numbered(Kind.saved, record))


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
