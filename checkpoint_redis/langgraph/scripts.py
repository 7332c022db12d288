"""What the checkpointer for LangGraph asks of Redis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.commands.read import checked
from checkpoint_redis.langgraph import names
from checkpoint_redis.langgraph.names import ThreadKeys
from checkpoint_redis.langgraph.records import (
    CheckpointFound,
    StoredCheckpoint,
    StoredWrite,
    unpacked,
)

FieldToSet = tuple[str, bytes]
_AT_ONCE = 1_000


def find(thread: ThreadKeys, wanted: Iterable[str]) -> Script[list[CheckpointFound]]:
    """Read checkpoints by their names; those that are not there are left out."""

    @checked
    def read(raw: Sequence[Sequence[Any]]) -> list[CheckpointFound]:
        return [_found(*each) for each in raw]

    return Script("langgraph/find", (thread.fields, thread.index), _blobs(wanted), read)


def store(
    thread: ThreadKeys,
    fields: Iterable[FieldToSet],
    kept: Iterable[FieldToSet] = (),
    ttl_ms: int | None = None,
) -> Script[bool]:
    """Store fields; of ``kept`` those that are there already stay as they are."""
    args = [b"" if ttl_ms is None else str(ttl_ms).encode()]
    for how, given in ((b"HSET", fields), (b"HSETNX", kept)):
        args += [part for field, blob in given for part in (how, field.encode(), blob)]
    return Script("langgraph/store", (thread.fields, thread.index), tuple(args), bool)


def remove(thread: ThreadKeys, checkpoints: Iterable[str]) -> Script[bool]:
    """Remove checkpoints by their names, with what only they refer to."""
    return Script("langgraph/remove", (thread.fields, thread.index), _blobs(checkpoints), bool)


def names_of(
    thread: ThreadKeys, ns: str | None, before: str | None, limit: int | None
) -> Plain[list[str]]:
    """Read the names of checkpoints, newest first; of all frames without ``ns``, by frame."""
    first = names.CHECKPOINT if ns is None else f"{names.CHECKPOINT}{names.quoted(ns)}/"
    last = f"{first}{names.quoted(before)}" if before and ns is not None else _behind(first)
    words = ("ZREVRANGEBYLEX", thread.index, f"({last}", f"[{first}")
    some = () if limit is None else ("LIMIT", 0, limit)
    return Plain((*words, *some), lambda raw: [each.decode()[2:] for each in raw])


def fields_of(thread: ThreadKeys) -> Plain[list[str]]:
    """Read which fields there are of a thread."""
    return Plain(("HKEYS", thread.fields), lambda raw: [each.decode() for each in raw])


def values_of(thread: ThreadKeys, fields: Sequence[str]) -> list[Plain[list[bytes | None]]]:
    """Read fields, in several commands where there are many."""
    parts = (fields[n : n + _AT_ONCE] for n in range(0, len(fields), _AT_ONCE))
    return [Plain(("HMGET", thread.fields, *part), list) for part in parts]


def delete(thread: ThreadKeys) -> Plain[bool]:
    return Plain(("UNLINK", thread.fields, thread.index), bool)


def scan(namespace: str, cursor: int) -> Plain[tuple[int, list[str]]]:
    """Read where to go on (0 = nowhere), and ids of threads; one may come twice."""
    words = ("SCAN", cursor, "MATCH", names.all_threads(namespace), "COUNT", _AT_ONCE)
    return Plain(words, lambda raw: (int(raw[0]), [names.thread_of(each) for each in raw[1]]))


def note_run(
    namespace: str, run_id: str, thread_id: str, ttl_ms: int | None = None
) -> list[Plain[bool]]:
    """Note that a run stores checkpoints of a thread."""
    key = names.run_key(namespace, run_id)
    blob = thread_id.encode("utf-8", "surrogatepass")
    lapsing = [] if ttl_ms is None else [Plain(("PEXPIRE", key, ttl_ms), bool)]
    return [Plain(("SADD", key, blob), bool), *lapsing]


def threads_of_run(namespace: str, run_id: str) -> Plain[list[str]]:
    words = ("SMEMBERS", names.run_key(namespace, run_id))
    return Plain(words, lambda raw: [each.decode("utf-8", "surrogatepass") for each in raw])


def forget_run(namespace: str, run_id: str) -> Plain[bool]:
    return Plain(("UNLINK", names.run_key(namespace, run_id)), bool)


def _blobs(texts: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


def _behind(first: str) -> str:
    return first.removesuffix("/") + names.AFTER


def _found(
    name: bytes,
    record: bytes,
    fields: Sequence[bytes],
    values: Sequence[bytes | None],
    writes: Sequence[bytes],
) -> CheckpointFound:
    channels = (names.channel_of_field(field.decode()) for field in fields)
    pairs = zip(channels, values, strict=True)
    held: dict[str, Any] = {channel: unpacked(blob) for channel, blob in pairs if blob is not None}
    found = sorted(StoredWrite(*unpacked(blob)) for blob in writes)
    stored = StoredCheckpoint(*unpacked(record))
    return CheckpointFound(*names.place_of(name.decode()), stored, held, found)
