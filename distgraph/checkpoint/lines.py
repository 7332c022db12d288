"""Lists that grow are stored in pieces: what was appended is a segment of its own, behind others.

The segments of a line are numbered from 1. Each value of the list is so many segments of its line,
and a line is never changed, only continued: where somebody else has continued it already, where an
item is no longer what it was, or where the segments would be too small, another line begins. A
short list is stored as a whole instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple
from zlib import crc32

from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core.model import Line
from distgraph.errors import SerializationError

SEPARATOR = ";"
SMALLEST = 512
"""A line's segments have at least so many bytes on an average, or it is not continued."""
SHORT = 4_096
"""A list of up to so many bytes is stored as a whole."""
WORTH = 64
"""A reference takes about so many bytes."""
_CHUNK = 65_536
Dumps = Callable[[Any], bytes]


class Placed(NamedTuple):
    """What there is to store of a list: its last segment, or all of it where it has no line.

    ``blob`` is None when nothing was appended.
    """

    line: Line | None
    blob: bytes | None


def place(
    dumps: Dumps, limit: int, name: str, value: list[Any], before: Line | None = None
) -> Placed:
    """Return how ``value`` is stored, which goes on from what ``before`` holds, if it does.

    ``dumps`` and ``limit``, of the bytes of the whole list: those of a JsonPlusSerializer.
    ``name``: of the line that begins where none goes on.
    """
    placed = before and _continued(dumps, value, before)
    fits = placed and placed.line and placed.line.size < limit
    return placed if placed and fits else _begun(dumps, name, value)


def _continued(dumps: Dumps, value: list[Any], before: Line) -> Placed | None:
    if before.size < before.segments * SMALLEST or not before.digest:
        return None
    known = _Digest()
    # What was changed into something that cannot be stored is a change as well.
    with suppress(SerializationError):
        for blob in _chunks(dumps, value, before):
            known.add(blob)
    if (known.size, known.value) != (before.size, before.digest):
        return None
    if len(value) == before.items:
        return Placed(before, None)
    blob = dumps(value[before.items :])
    known.add(blob)
    return Placed(known.line(before.name, before.segments + 1, len(value)), blob)


def _begun(dumps: Dumps, name: str, value: list[Any]) -> Placed:
    blob = dumps(value)
    if len(blob) <= SHORT:
        return Placed(None, blob)
    whole = _Digest()
    whole.add(blob)
    return Placed(whole.line(name, 1, len(value)), blob)


def _chunks(dumps: Dumps, value: list[Any], before: Line) -> Iterator[bytes]:
    """Encode what was there before in pieces that stay in the processor's cache."""
    count = max(1, before.items * _CHUNK // before.size)
    for first in range(0, before.items, count):
        yield dumps(value[first : min(first + count, before.items)])


class _Digest:
    """The digest of encoded items, however they are divided into lists.

    It is looked at in each superstep, and nobody means to deceive it: a checksum.
    """

    def __init__(self) -> None:
        self.size = self._sum = 0

    def add(self, blob: bytes) -> None:
        """Add the items of an encoded list."""
        items = memoryview(blob)[_head(blob) :]
        self._sum = crc32(items, self._sum)
        self.size += len(items)

    @property
    def value(self) -> bytes:
        return self._sum.to_bytes(4, "big")

    def line(self, name: str, segments: int, items: int) -> Line:
        """Return how far a list of these items reaches."""
        return Line(name, segments, items, self.size, self.value)


def _head(blob: bytes) -> int:
    """Return where the items of an encoded list begin: after the serializer's byte and a length.

    What is no list is taken for one item.
    """
    match blob[1]:
        case 0xDC:
            return 4
        case 0xDD:
            return 6
        case first if 0x90 <= first <= 0x9F:  # noqa: PLR2004 a list of up to 15
            return 2
        case _:
            return 1


def check_of(line: Line) -> str:
    """Return what tells the items of ``line`` from others; '' where nobody knows their digest."""
    return _check(line.size, line.digest) if line.digest else ""


def _check(size: int, digest: bytes) -> str:
    return f"{size}:{digest.hex()}"


def holds(check: str, blobs: Iterable[bytes | None]) -> bool:
    """Whether ``blobs`` are the segments, all of them, of the line that ``check`` is of."""
    whole = _Digest()
    for blob in blobs:
        if blob is None:
            return False
        whole.add(blob)
    return _check(whole.size, whole.value) == check


class Excerpt(NamedTuple):
    """Encoded items that stand in a segment too: ``head``, then so many of its bytes."""

    segment: str
    head: bytes
    start: int
    length: int

    def of(self, segment: bytes) -> bytes:
        """Return what this is an excerpt of the bytes of that segment for."""
        return self.head + segment[self.start : self.start + self.length]


def excerpt(blob: bytes, name: str, segment: bytes, after: int = 0) -> Excerpt | None:
    """Return where the encoded items of ``blob`` stand in a segment, if they do.

    That is for what a task wrote: beside the segment that it became it is not stored again. They
    are looked for from ``after`` on, where those of the task before end, and then everywhere.
    """
    at = _head(blob)
    if len(blob) - at < WORTH:
        return None
    items, first = blob[at:], _head(segment)
    start = segment.find(items, max(after, first))
    if start < 0 < after:
        start = segment.find(items, first)
    return Excerpt(name, blob[:at], start, len(blob) - at) if start >= 0 else None


def segment(line: str, number: int) -> str:
    """Return the name of a segment."""
    return f"{line}{SEPARATOR}{number}"


def segments(line: Line) -> Iterator[str]:
    """Yield the names of all segments that hold the items of ``line``, in their order."""
    return (segment(line.name, number) for number in range(1, line.segments + 1))


def next_segment(line: Line) -> str:
    """Return the name that the next segment of ``line`` has."""
    return segment(line.name, line.segments + 1)


def numbered_segment(name: str) -> tuple[str, int] | None:
    """Return line and number of what may be the name of a segment, else None."""
    line, separator, number = name.rpartition(SEPARATOR)
    return (line, int(number)) if separator and number.isascii() and number.isdigit() else None


def closed(line: Line) -> Line:
    """Return ``line`` such that nothing is appended to it any more."""
    return replace(line, digest=b"")


def pack_excerpt(part: Excerpt) -> list[Any]:
    """Return the record of an excerpt."""
    return numbered(Kind.excerpt, part.segment, part.head, part.start, part.length)


def unpack_excerpt(packed: Any) -> Excerpt:
    """Return the excerpt of a record; CorruptRecord when it is none."""
    match fields_of(Kind.excerpt, packed):
        case [str(segment), bytes(head), int(start), int(length)] if start > 0 < length:
            return Excerpt(segment, head, start, length)
        case _:
            raise corrupt(Kind.excerpt, packed)


def pack_line(line: Line) -> list[Any]:
    """Return the record of how far a list reaches in its line."""
    return numbered(Kind.line, line.name, line.segments, line.items, line.size, line.digest)


def unpack_line(packed: Any) -> Line:
    """Return how far a list reaches; CorruptRecord when ``packed`` does not tell."""
    match fields_of(Kind.line, packed):
        case [str(name), int(segments), int(items), int(size), bytes(digest)] if (
            0 < segments <= items <= size
        ):
            return Line(name, segments, items, size, digest)
        case _:
            raise corrupt(Kind.line, packed)
