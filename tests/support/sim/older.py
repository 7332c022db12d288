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
    # When it is looked at again is no business of the thread's.
    planned = keys.planned(thread.namespace, thread.shard)
    due = [sorted(client.zrange(key, 0, -1)) for key in planned]
    keys_of_thread = sorted(client.keys(f"{thread.prefix}*"))
    return [*((key, _content(client, key)) for key in keys_of_thread), *due]


def _content(client: Any, key: bytes) -> Any:
    """Return what is in a key; of what has no order not the order, which a mere look may change."""
    match client.type(key):
        case b"hash":
            return client.hgetall(key)
        case b"set":
            return client.smembers(key)
        case _:
            return client.dump(key)
