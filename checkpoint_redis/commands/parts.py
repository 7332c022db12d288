"""Reads records of which parts stand in values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checkpoint_redis.commands.read import checked, items, text

_PARTS = 4
"""In a list: what comes before a part, the name of its value, from where on, and how much of it."""


def values_in(record: bytes) -> tuple[str, ...]:
    """Return the names of the values in which parts of a record stand."""
    return tuple(name for _, name, _, _ in _parts(record)) if _is_shared(record) else ()


@checked
def whole(record: bytes, values: Mapping[str, bytes | None]) -> bytes | None:
    """Return a record with what stands in ``values``; None when one of these is not there."""
    if not _is_shared(record):
        return record
    found = list[bytes]()
    for before, name, start, length in _parts(record):
        value = values.get(name)
        if value is None:
            return None
        found += [before, value[start - 1 : start - 1 + length]]
    return b"".join((*found, items(record)[-1]))


def _is_shared(record: bytes) -> bool:
    """Whether it is a list, which begins with a digit, and not as a serializer's bytes do."""
    return record[:1].isdigit()


def _parts(record: bytes) -> Iterator[tuple[bytes, str, int, int]]:
    listed = items(record)
    for at in range(0, len(listed) - 1, _PARTS):
        before, name, start, length = listed[at : at + _PARTS]
        yield before, text(name), int(start), int(length)
