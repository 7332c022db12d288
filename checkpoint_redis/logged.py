"""The records that a saver notes of a checkpoint's tasks, and what of them a checkpoint has too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from checkpoint_redis.known_logs import Record
from checkpoint_redis.layout import Limit, SharedRow, SpanRow
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.lines import excerpt
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered

_PLAIN = JsonPlusSerializer()
Noted = tuple[str, bytes]
"""The name of a channel, or another one that a task writes under, and a blob."""


def logged(task: str, path: str, writes: Sequence[Noted]) -> tuple[bytes, ...]:
    """Return the records of what a task left: several of what is long."""
    found, first = [], 0
    for part in _parts(writes):
        flat = [each for pair in part for each in pair]
        found.append(_PLAIN.dumps(numbered(Kind.log, task, path, first, flat)))
        first += len(part)
    return tuple(found)


def _parts(pairs: Sequence[Noted]) -> Iterator[Sequence[Noted]]:
    """Cut what a task left where it gets long; an empty list is one part."""
    start = size = 0
    for n, (_, blob) in enumerate(pairs):
        size += len(blob)
        if size > Limit.inline_writes and n > start:
            yield pairs[start:n]
            start, size = n, len(blob)
    yield pairs[start:]


def read_log(record: bytes) -> tuple[str, int, list[Noted]]:
    """Return task, the number of the first write, and the writes; CorruptRecord otherwise."""
    packed = _PLAIN.loads(record)
    match fields_of(Kind.log, packed):
        case [str(task), str(), int(first), list(parts)] if len(parts) % 2 == 0:
            return task, first, list(zip(parts[::2], parts[1::2], strict=True))
        case _:
            raise corrupt(Kind.log, packed)


def shared(noted: Sequence[Record], values: Mapping[str, bytes]) -> tuple[SharedRow, ...]:
    """Return what of records stands in ``values``, which come with a checkpoint."""
    names = {name.rpartition("@")[0]: name for name in values}
    found = ((number, tuple(_spans(record, names, values))) for number, record in noted)
    return tuple(SharedRow(number, spans) for number, spans in found if spans)[: Limit.slice]


def _spans(
    record: bytes, names: Mapping[str, str], values: Mapping[str, bytes]
) -> Iterator[SpanRow]:
    """Yield what of a record stands in values; ``names``: of those, by channel."""
    at = 0
    for channel, blob in read_log(record)[2]:
        at = record.index(blob, at)
        name = names.get(channel, "")
        part = excerpt(blob, name, values[name]) if name and len(blob) > Limit.shared else None
        if part is not None:
            yield SpanRow(name, at + len(part.head) + 1, part.start + 1, part.length)
        at += len(blob)
