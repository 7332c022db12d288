"""What stores keep, as Redis has it: how namespaces and vectors are written, and where they lie.

In the name of a namespace each part ends with a dot, which no part has in it: so what lies below it
begins with its name. A shard is that of the first two parts: what is below two lies on one shard.
"""

from __future__ import annotations

import binascii
import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from checkpoint_redis import keys
from distgraph._arguments import shortly
from distgraph.errors import CorruptRecord
from distgraph.store.ops import StoreNamespace
from distgraph.store.ranking import Vector

LONGEST = 1_024
"""Bytes of a namespace, and of a key."""
START = (b"", b"")
"""Where the first page begins."""
_FORM = 1
_HEAD = struct.Struct("<BI")
_FLOAT = 4


class KeptPlace(NamedTuple):
    """Where an item is: the key of its shard's namespaces, its namespace's name, and its key."""

    home: str
    space: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class KeptItem:
    """An item as it is stored; times in microseconds since 1970. ``lapses``: it has a time."""

    space: bytes
    key: bytes
    value: bytes
    created: int
    updated: int
    lapses: bool = False
    vectors: bytes = b""


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A part of the items below a namespace; ``after``: where the next one begins, if any."""

    after: tuple[bytes, bytes] | None
    items: tuple[KeptItem, ...]


def space_of(namespace: Iterable[Any]) -> bytes | None:
    """Return the name of a namespace; None for one under which nothing can be."""
    parts = tuple(namespace)
    if not all(isinstance(part, str) and part and "." not in part for part in parts):
        return None
    return b"".join(encoded(part) + b"." for part in parts)


def namespace_of(space: bytes) -> StoreNamespace:
    """Return the namespace of a name."""
    return tuple(decoded(part) for part in space.split(b".")[:-1])


def bounds(space: bytes) -> tuple[bytes, bytes]:
    """Return between which bounds, as ZRANGEBYLEX has them, the names are that begin so."""
    return b"[" + space, b"(" + space[:-1] + b"/" if space else b"+"  # "/" follows the dot


def home(prefix: str, space: bytes) -> str:
    """Return the key of the shard that a namespace lies on, of the stores of ``prefix``."""
    first = b".".join(space.split(b".")[:2])
    return keys.kept(prefix, binascii.crc_hqx(first, 0) % keys.SHARDS)


def place_of(prefix: str, space: bytes, key: bytes) -> KeptPlace:
    """Return where an item of the stores of ``prefix`` is."""
    return KeptPlace(home(prefix, space), space, key)


def homes_below(prefix: str, space: bytes) -> tuple[str, ...]:
    """Return the keys of all shards on which something below a namespace may lie."""
    if space.count(b".") > 1:
        return (home(prefix, space),)
    return tuple(keys.kept(prefix, shard) for shard in range(keys.SHARDS))


def check_length(what: str, text: str, found: bytes) -> bytes:
    """Return what a name or key is stored as; ValueError for one that is too long."""
    if len(found) > LONGEST:
        msg = (
            f"The {what} {shortly(text)} takes {len(found):,} bytes, and may take {LONGEST:,}: "
            "what is long belongs into the value."
        )
        raise ValueError(msg)
    return found


def encoded(text: str) -> bytes:
    """Return a text, which may have half a character, as bytes."""
    return text.encode("utf-8", "surrogatepass")


def decoded(blob: bytes) -> str:
    """Return the text of such bytes."""
    return blob.decode("utf-8", "surrogatepass")


def packed(vectors: Sequence[Vector]) -> bytes:
    """Return vectors of one length as bytes: numbers of four bytes, as models make them."""
    if not vectors:
        return b""
    size = len(vectors[0])
    numbers = [float(number) for vector in vectors for number in vector]
    return _HEAD.pack(_FORM, size) + struct.pack(f"<{len(numbers)}f", *numbers)


def unpacked(blob: bytes) -> list[Vector]:
    """Return the vectors of such bytes; CorruptRecord for others."""
    if not blob:
        return []
    form, size = _HEAD.unpack_from(blob) if len(blob) >= _HEAD.size else (0, 0)
    body = blob[_HEAD.size :]
    if form != _FORM or not size or len(body) % (size * _FLOAT):
        msg = "Redis holds vectors of a store that this version cannot read: was it another one?"
        raise CorruptRecord(msg)
    numbers = array("f", struct.unpack(f"<{len(body) // _FLOAT}f", body))
    return [numbers[at : at + size] for at in range(0, len(numbers), size)]
