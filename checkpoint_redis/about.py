"""What is told of a thread: its metadata, and the sets of threads in which it is found.

Metadata are scalars by name, small, and JSON where they are stored. A *mark* is the digest of a
name and its value: two may have the same one, so that whoever looks by marks compares the values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.layout import IndexName, ThreadStatus

MetaValue = str | int | float | bool
MOST, LONGEST = 16, 255
"""So many scalars are kept, with names and texts of so many characters."""
ALL: str = IndexName.all


@dataclass(frozen=True, slots=True)
class Sought:
    """What the threads of a list have: the sets that they stand in, and pieces of metadata.

    They changed at or after ``since`` and before ``before``: ms, '' = whenever.
    """

    sets: tuple[str, ...] = (ALL,)
    having: tuple[str, ...] = ()
    since: str = ""
    before: str = ""


def kept(given: Mapping[str, Any]) -> dict[str, MetaValue]:
    """Return what of a call's metadata is kept as the thread's: the first small scalars."""
    small = [(name, value) for name, value in given.items() if _is_small(name, value)]
    return dict(small[:MOST])


def _is_small(name: Any, value: Any) -> bool:
    texts = [each for each in (name, value) if isinstance(each, str)]
    fits = all(len(each) <= LONGEST for each in texts)
    return isinstance(name, str) and isinstance(value, str | int | float | bool) and fits


def encode(metadata: Mapping[str, MetaValue]) -> bytes:
    """Return what is stored of metadata; nothing where there are none."""
    return _text(dict(metadata)).encode() if metadata else b""


def decode(blob: bytes) -> dict[str, MetaValue]:
    """Return the metadata that are stored so; ValueError or TypeError for what are none."""
    found = json.loads(blob) if blob else {}
    if not isinstance(found, dict) or not all(_is_small(*each) for each in found.items()):
        raise TypeError("the metadata of a thread are scalars by name")
    return found


def piece(name: str, value: MetaValue) -> str:
    """Return what stands in the stored metadata that have it: 1 is neither 1.0 nor True."""
    return _text({name: value})[1:-1]


def mark(name: str, value: MetaValue) -> str:
    """Return the mark of a piece of metadata."""
    return hashlib.blake2b(_text([name, value]).encode(), digest_size=4).hexdigest()


def marks(metadata: Mapping[str, MetaValue], names: Iterable[str]) -> tuple[str, ...]:
    """Return the marks of those pieces that are looked for by ``names``."""
    return tuple(mark(name, metadata[name]) for name in names if name in metadata)


def by_status(status: str) -> str:
    """Return the name of the set of all threads of a status."""
    return f"{IndexName.status}{ThreadStatus(status)}"


def by_graph(graph: str) -> str:
    """Return the name of the set of all threads of a graph."""
    return f"{IndexName.graph}{graph}"


def by_mark(mark: str) -> str:
    """Return the name of the set of all threads with a mark."""
    return f"{IndexName.mark}{mark}"


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
