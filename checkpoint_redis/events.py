"""Reads entries of a thread's event stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.commands.read import checked


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event.

    kind and payload: run (run, how it began), step (ns, cp, step), task (ns, tid, attempt),
    ask (ns, tid, [iid, ...]), retry (ns, tid, attempt), fail (ns, tid), end (run, status, cp),
    custom (ns, tid, token). ``ref`` names the field of the thread's event blobs that holds a
    payload too large for the stream; ``blob`` is then empty.
    """

    id: str
    kind: str
    payload: tuple[Any, ...]
    blob: bytes = b""
    ref: str = ""


def is_end(entry: tuple[bytes, Mapping[bytes, bytes]]) -> bool:
    """Whether an entry tells the end of a run, without reading all of it."""
    return entry[1].get(b"k") == b"end"


@checked
def decode(entry: tuple[bytes, Mapping[bytes, bytes]]) -> StreamEvent:
    """Read an entry as redis-py's XREAD and XRANGE give it."""
    name, fields = entry
    payload = json.loads(fields[b"p"])
    return StreamEvent(
        id=name.decode(),
        kind=fields[b"k"].decode(),
        payload=tuple(payload),
        blob=fields.get(b"b", b""),
        ref=fields.get(b"r", b"").decode(),
    )
