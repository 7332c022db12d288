"""A caller of an older version, to whom the thread is stored in a newer format for a moment."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands import Script
from checkpoint_redis.layout import HeaderField
from checkpoint_redis.ledger import Ledger
from distgraph.checkpoint import formats
from distgraph.errors import NewerFormat

ALLOWED = ("delete", "stage", "stage_packets", "sweep", "overdue")
"""What works on threads in any format, or on what is not a thread's yet; sweeps pass over."""


def is_harmless(ledger: Ledger, thread: keys.Thread, command: Script[Any]) -> bool:
    """Tell whether `command` changes nothing when a version that is too old gives it."""
    client: Any = ledger.client
    before = client.hget(thread.header, HeaderField.form)
    if before is None or command.name in ALLOWED:
        return True
    client.hset(thread.header, HeaderField.form, formats.FORMAT + 1)
    stood = _stored(client, thread)
    with suppress(NewerFormat):
        ledger.call(command)
    same = _stored(client, thread) == stood
    client.hset(thread.header, HeaderField.form, before)
    return same


def _stored(client: Any, thread: keys.Thread) -> list[Any]:
    found = sorted(client.keys(f"{thread.prefix}*"))
    with client.pipeline(transaction=False) as pipe:
        for key in found:
            pipe.type(key)
        kinds = pipe.execute()
        for key, kind in zip(found, kinds, strict=True):
            _read(pipe, key, kind)
        # When it is looked at again is no business of the thread's.
        planned = keys.planned(thread.namespace, thread.shard)
        for key in planned:
            pipe.zrange(key, 0, -1)
        read = pipe.execute()
    contents, due = read[: len(found)], read[len(found) :]
    return [*zip(found, contents, strict=True), *map(sorted, due)]


def _read(pipe: Any, key: bytes, kind: bytes) -> None:
    """Ask what is in a key; of what has no order not the order, which a mere look may change."""
    match kind:
        case b"hash":
            pipe.hgetall(key)
        case b"set":
            pipe.smembers(key)
        case _:
            pipe.dump(key)
