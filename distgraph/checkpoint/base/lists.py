"""How a saver stores lists that grow: under their version how far they reach in a line of segments.

The rule to keep: nobody else stores segments between the finding and the storing of them. A
serializer of somebody else's may write the same items differently each time: with one, every value
is stored as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from distgraph.checkpoint.base.blobs import (
    EMPTY,
    Find,
    Typed,
    dump,
    excerpt_in,
    line_in,
    of_excerpt,
    of_line,
)
from distgraph.checkpoint.base.types import ChannelVersions, Checkpoint
from distgraph.checkpoint.lines import (
    WORTH,
    excerpt,
    next_segment,
    numbered_segment,
    place,
    segment,
)
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import TYPE_NAME, JsonPlusSerializer

Piece = tuple[str, Any, Typed]
"""A channel, the version or the segment that is stored, and the bytes."""


def divided(
    serde: SerializerProtocol, checkpoint: Checkpoint, new: ChannelVersions
) -> tuple[ChannelVersions, ChannelVersions]:
    """Return ``new`` without the lists that may be stored in segments, and those."""
    grown, values = checkpoint.get("grown"), checkpoint["channel_values"]
    if not grown or not isinstance(serde, JsonPlusSerializer):
        return new, {}
    lists = {name: new[name] for name in grown if name in new and type(values.get(name)) is list}
    return {name: version for name, version in new.items() if name not in lists}, lists


def dump_lists(
    serde: SerializerProtocol, checkpoint: Checkpoint, lists: ChannelVersions, find: Find
) -> list[Piece]:
    """Return what is to be stored of ``lists``; ``find`` knows what is stored of them already."""
    if not isinstance(serde, JsonPlusSerializer):
        return []
    named = lists.items()
    return [each for name, v in named for each in _dumped(serde, checkpoint, name, v, find)]


def _dumped(
    serde: JsonPlusSerializer, checkpoint: Checkpoint, name: str, version: Any, find: Find
) -> Iterator[Piece]:
    value = checkpoint["channel_values"][name]
    before = line_in(find(name, checkpoint["grown"][name]))
    if before and find(name, next_segment(before)) != EMPTY:
        before = None
    encode = partial(_encoded, serde, name)
    placed = place(encode, serde.max_bytes, str(version), value, before)
    line, blob = placed.line, (TYPE_NAME, placed.blob or b"")
    if line is None:
        yield name, version, blob
        return
    if placed.blob is not None:
        yield name, segment(line.name, line.segments), blob
    yield name, version, of_line(line)


def _encoded(serde: SerializerProtocol, name: str, items: list[Any]) -> bytes:
    return dump(serde, name, items)[1]


def shared(channel: str, stored: Typed, pieces: Iterable[Piece]) -> Typed | None:
    """Return what is to be stored of a task's write instead, when it stands in a new segment.

    ``pieces``: what was just stored of lists, among them the one that the write is part of now.
    """
    kind, written = stored
    for name, version, (_, blob) in pieces if kind == TYPE_NAME and len(written) > WORTH else ():
        if name == channel and is_segment(version):
            part = excerpt(written, version, blob)
            return of_excerpt(part) if part else None
    return None


def is_segment(version: Any) -> bool:
    """Whether ``version`` is the name of a segment."""
    return isinstance(version, str) and numbered_segment(version) is not None


class Reached:
    """How far the lines that are still in use are needed."""

    def __init__(self, used: Iterable[tuple[Any, Typed]]) -> None:
        """``used``: where a channel is (namespace and name), and what it or a write has there."""
        self._most: dict[tuple[Any, str], int] = {}
        for where, stored in used:
            line, part = line_in(stored), excerpt_in(stored)
            if line is not None:
                self._add(where, line.name, line.segments)
            elif part is not None:
                self._add(where, *(numbered_segment(part.segment) or (part.segment, 0)))

    def _add(self, where: Any, line: str, number: int) -> None:
        self._most[where, line] = max(number, self._most.get((where, line), 0))

    def needs(self, where: Any, version: Any) -> bool:
        """Whether ``version`` of the channel at ``where`` is a segment that is in use."""
        found = numbered_segment(version) if isinstance(version, str) else None
        return found is not None and found[1] <= self._most.get((where, found[0]), 0)
