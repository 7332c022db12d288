"""How checkpoints for LangGraph are removed, and copied to another thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol

from checkpoint_redis.langgraph import names, scripts
from checkpoint_redis.langgraph.finding import Talk
from checkpoint_redis.langgraph.names import ThreadKeys
from checkpoint_redis.langgraph.records import StoredCheckpoint, metadata_of, unpacked
from checkpoint_redis.langgraph.writing import Depot
from distgraph.errors import ThreadNotFound

_DELTAS = "counters_since_delta_snapshot"
"""Whose values LangGraph finds from those of older checkpoints and what was written since."""
_COPIED = 100
_ORDER = names.VALUE, names.REFERENCES, names.WRITE, names.CHECKPOINT
"""A checkpoint is there when all that it refers to is."""


def delete_thread(namespace: str, thread_id: str) -> Talk[None]:
    yield (scripts.delete(ThreadKeys(namespace, str(thread_id))),)


def delete_for_runs(
    namespace: str, serde: SerializerProtocol, run_ids: Iterable[str]
) -> Talk[None]:
    """Remove what runs stored, in whichever threads."""
    for run_id in map(str, run_ids):
        [thread_ids] = yield (scripts.threads_of_run(namespace, run_id),)
        for thread_id in thread_ids:
            thread = ThreadKeys(namespace, thread_id)
            stored = yield from _checkpoints(thread)
            known = ((name, metadata_of(blob, serde)) for name, blob in stored.items())
            gone = [name for name, each in known if str(each.get("run_id")) == run_id]
            yield (scripts.remove(thread, gone),)
        yield (scripts.forget_run(namespace, run_id),)


def prune(
    namespace: str, serde: SerializerProtocol, thread_ids: Sequence[str], strategy: str
) -> Talk[None]:
    """Remove all of some threads, or all but the latest checkpoint of each frame.

    Older ones stay from which values of the latest are found (DeltaChannel).
    """
    if strategy not in ("keep_latest", "delete"):
        raise ValueError(f"strategy must be 'keep_latest' or 'delete', not {strategy!r}")
    for thread_id in map(str, thread_ids):
        if strategy == "delete":
            yield from delete_thread(namespace, thread_id)
            continue
        thread = ThreadKeys(namespace, thread_id)
        [fields] = yield (scripts.fields_of(thread),)
        stored = yield from _checkpoints(thread)
        needed = yield from _needed(thread, serde, stored, set(fields))
        yield (scripts.remove(thread, stored.keys() - needed),)


def _checkpoints(thread: ThreadKeys) -> Talk[dict[str, bytes]]:
    """Read all checkpoints of a thread, by their names."""
    [found] = yield (scripts.names_of(thread, None, None, None),)
    blobs = yield from _values(thread, [names.CHECKPOINT + name for name in found])
    return {name: blob for name, blob in zip(found, blobs, strict=True) if blob is not None}


def _values(thread: ThreadKeys, fields: Sequence[str]) -> Talk[list[bytes | None]]:
    if not fields:
        return []
    return list(chain.from_iterable((yield tuple(scripts.values_of(thread, fields)))))


def _needed(
    thread: ThreadKeys,
    serde: SerializerProtocol,
    stored: Mapping[str, bytes],
    fields: set[str],
) -> Talk[set[str]]:
    """Return the latest of each frame, and those that they are to be told from."""
    latest = {names.place_of(name)[0]: name for name in sorted(stored)}
    needed = set(latest.values())
    for ns, name in latest.items():
        wanted = set(metadata_of(stored[name], serde).get(_DELTAS) or ())
        at: str | None = name
        while at is not None and at in stored and wanted:
            needed.add(at)
            [references] = yield from _values(thread, [names.REFERENCES + at])
            there = fields.intersection((references or b"").decode().split())
            wanted -= set(map(names.channel_of_field, there))
            parent_id = StoredCheckpoint(*unpacked(stored[at])).parent_id
            at = names.checkpoint_name(ns, parent_id) if parent_id else None
    return needed


def copy_thread(depot: Depot, source: str, target: str) -> Talk[None]:
    """Copy a thread; ThreadNotFound without one, ValueError where the target has checkpoints."""
    old, new = (ThreadKeys(depot.namespace, str(each)) for each in (source, target))
    [fields], [taken] = (yield (scripts.fields_of(old),)), (yield (scripts.fields_of(new),))
    if not fields:
        raise ThreadNotFound(f"There is no thread {source!r} to copy.")
    if taken:
        raise ValueError(f"The thread {target!r} has checkpoints already: delete it first.")
    runs = set[str]()
    ordered = sorted(fields, key=lambda field: _ORDER.index(field[:2]))
    for n in range(0, len(ordered), _COPIED):
        some = ordered[n : n + _COPIED]
        blobs = yield from _values(old, some)
        pairs = [(field, blob) for field, blob in zip(some, blobs, strict=True) if blob]
        runs |= _runs_in(depot.serde, pairs)
        yield (scripts.store(new, pairs, ttl_ms=depot.ttl_ms),)
    for run_id in sorted(runs):
        yield tuple(scripts.note_run(depot.namespace, run_id, new.thread_id, depot.ttl_ms))


def _runs_in(serde: SerializerProtocol, pairs: Iterable[tuple[str, bytes]]) -> set[str]:
    stored = (blob for field, blob in pairs if field.startswith(names.CHECKPOINT))
    known: Iterable[Any] = (metadata_of(blob, serde).get("run_id") for blob in stored)
    return {str(each) for each in known if each is not None}
