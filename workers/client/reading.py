"""How a client reads a thread: one moment of it, or its history."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.replies import CallerWrites, Loaded
from distgraph.core.model import Checkpoint, ThreadState
from distgraph.runners.backend import Listing, Place
from workers.client.effects import Effect, Flow
from workers.shared.wire import Wire

CHUNK, FIELDS = 50, 500


def load_state(
    wire: Wire, thread: Thread, cp: str = ""
) -> Generator[Effect, Any, tuple[Loaded | None, ThreadState | None]]:
    """Read a thread at one moment; what does not come at once is fetched after it."""
    loaded: Loaded | None = yield commands.load(thread, "", cp)
    if loaded is None or loaded.checkpoint is None:
        return loaded, None
    channels = dict(loaded.channels)
    missing = tuple(name for name in wire.refs(loaded.checkpoint) if channels.get(name) is None)
    channels |= yield from fetch_channels(thread, missing)
    return loaded, wire.state(loaded, channels)


def fetch_channels(
    thread: Thread, names: tuple[str, ...]
) -> Generator[Effect, Any, Mapping[str, bytes | None]]:
    found: dict[str, bytes | None] = {}
    for start in range(0, len(names), FIELDS):
        part = names[start : start + FIELDS]
        blobs = yield commands.channels(thread, "", part)
        found.update(zip(part, blobs, strict=True))
    return found


def history(wire: Wire, thread: Thread, place: Place, listing: Listing) -> Flow:
    """Return a thread's states, newest first, as ``listing`` wants them."""
    _, head = yield from load_state(wire, thread)
    found: list[ThreadState] = []
    ids = yield from _ids(thread, place, listing)
    most = len(ids) if listing.limit is None else listing.limit
    while ids and len(found) < most:
        size = CHUNK if listing.filter else min(CHUNK, most - len(found))
        part, ids = tuple(ids[:size]), ids[size:]
        states = yield from _states(wire, thread, part, head)
        found += [state for state in states if _matches(state.checkpoint, listing.filter)]
    return found[:most]


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


def _states(
    wire: Wire, thread: Thread, ids: tuple[str, ...], head: ThreadState | None
) -> Generator[Effect, Any, list[ThreadState]]:
    """Read some checkpoints; what they share of their channels is fetched once."""
    blobs = yield commands.checkpoints(thread, "", ids)
    written = yield commands.caller_writes(thread, "", ids)
    there = [(blob, by) for blob, by in zip(blobs, written, strict=True) if blob is not None]
    refs = dict.fromkeys(ref for blob, _ in there for ref in wire.refs(blob))
    channels = yield from fetch_channels(thread, tuple(refs))
    return [_state(wire, blob, by, channels, head) for blob, by in there]


def _state(
    wire: Wire,
    blob: bytes,
    written: CallerWrites,
    channels: Mapping[str, bytes | None],
    head: ThreadState | None,
) -> ThreadState:
    checkpoint = wire.read_checkpoint(blob, channels)
    if head is not None and head.checkpoint.id == checkpoint.id:
        return head
    return ThreadState(
        checkpoint,
        caller_writes=wire.read_caller_writes(written),
    )


def _matches(checkpoint: Checkpoint, wanted: Mapping[str, Any]) -> bool:
    known = {**checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step}
    return all(known.get(key) == value for key, value in wanted.items())
