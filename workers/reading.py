"""How a client reads a thread's history."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.replies import Nulls
from distgraph.core.model import Checkpoint, ThreadState
from distgraph.runners.backend import Listing, Place
from workers.flows import Effect, Flow
from workers.starting import fetch_channels, load_state
from workers.wire import Wire

CHUNK = 100


def history(wire: Wire, thread: Thread, place: Place, listing: Listing) -> Flow:
    """Return a thread's states, newest first, as ``listing`` wants them."""
    _, head = yield from load_state(wire, thread)
    found: list[ThreadState] = []
    for part in _chunks((yield from _ids(thread, place, listing))):
        blobs = yield commands.checkpoints(thread, "", part)
        nulls = yield commands.nulls(thread, "", part)
        for blob, written in zip(blobs, nulls, strict=True):
            if blob is None:
                continue
            state = yield from _state(wire, thread, blob, written, head)
            if _matches(state.checkpoint, listing.filter):
                found.append(state)
            if listing.limit is not None and len(found) >= listing.limit:
                return found[: listing.limit]
    return found


def _ids(thread: Thread, place: Place, listing: Listing) -> Generator[Effect, Any, list[str]]:
    if place.checkpoint_id:
        return [place.checkpoint_id]
    cursor, ids = 0, []
    while True:
        cursor, part = yield commands.history(thread, "", cursor)
        ids += part
        if cursor == 0:
            break
    older = listing.before
    return sorted({cp for cp in ids if not older or cp < older}, reverse=True)


def _chunks(ids: list[str]) -> list[tuple[str, ...]]:
    return [tuple(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)]


def _state(
    wire: Wire,
    thread: Thread,
    blob: bytes,
    nulls: Nulls,
    head: ThreadState | None,
) -> Generator[Effect, Any, ThreadState]:
    channels = yield from fetch_channels(thread, wire.refs(blob))
    checkpoint = wire.read_checkpoint(blob, channels)
    if head is not None and head.checkpoint.id == checkpoint.id:
        return head
    return ThreadState(checkpoint, nulls=wire.read_nulls(nulls.blobs, over=nulls.over))


def _matches(checkpoint: Checkpoint, wanted: Mapping[str, Any]) -> bool:
    known = {**checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step}
    return all(known.get(key) == value for key, value in wanted.items())
