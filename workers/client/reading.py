"""How a client reads a thread: one moment of it, or its history."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from checkpoint_redis import commands, loading, packets
from checkpoint_redis.keys import Thread
from checkpoint_redis.readings import CallerWrites, LeftTask, Loaded
from distgraph.checkpoint.replaced import LastOfRuns
from distgraph.checkpoint.targets import packets_of
from distgraph.core.model import Checkpoint, ThreadState
from distgraph.runners.backend import Listing, Place

from ..shared.wire import Wire
from .effects import Effect, Flow

CHUNK = 50


def load_state(
    wire: Wire, thread: Thread, cp: str = ""
) -> Generator[Effect, Any, tuple[Loaded | None, ThreadState | None]]:
    """Read a thread at one moment; what does not come at once is fetched after it."""
    loaded: Loaded | None = yield from loading.load(thread, "", cp)
    return loaded, (yield from state_of(wire, thread, loaded, cp))


def state_of(
    wire: Wire, thread: Thread, loaded: Loaded | None, cp: str = ""
) -> Generator[Effect, Any, ThreadState | None]:
    """Return the state that was loaded of ``cp``, with the channels that did not come with it."""
    if loaded is None or loaded.checkpoint is None:
        return None
    wire = wire.of(loaded.header.graph)
    channels = dict(loaded.channels)
    beyond = cp not in ("", loaded.header.cp)
    read = wire.unpack(loaded.checkpoint)
    wanted = read.names(beyond=beyond)
    missing = tuple(name for name in wanted if channels.get(name) is None)
    channels |= yield from fetch_channels(thread, missing)
    return wire.with_left(wire.state(loaded, read, channels), loaded.left or ())


def with_packets(
    wire: Wire, thread: Thread, state: ThreadState
) -> Generator[Effect, Any, ThreadState]:
    """Return ``state`` with the arguments of what it sends, which nobody else needs to read."""
    wanted = packets_of(state.checkpoint.frontier)
    blobs = yield from packets.read(thread, "", wanted)
    return replace(state, checkpoint=wire.filled(state.checkpoint, blobs))


def fetch_channels(
    thread: Thread, names: tuple[str, ...]
) -> Generator[Effect, Any, Mapping[str, bytes | None]]:
    return (yield from loading.values(partial(commands.channels, thread, ""), names))


def history(wire: Wire, thread: Thread, place: Place, listing: Listing) -> Flow:
    """Return a thread's states, newest first, as ``listing`` wants them."""
    loaded, head = yield from load_state(wire, thread)
    wire = wire if loaded is None else wire.of(loaded.header.graph)
    if place.checkpoint_id:
        named = yield from _states(wire, thread, (place.checkpoint_id,), head)
        return [state for state in named if _matches(state.checkpoint, listing.filter)]
    found: list[ThreadState] = []
    before, limit = listing.before, listing.limit
    shown = yield from _shown_before(wire, thread, before)
    passes = bool(listing.filter) or limit is None
    while limit is None or len(found) < limit:
        size = CHUNK if passes or limit is None else min(CHUNK, limit - len(found))
        ids = yield commands.history(thread, "", before, size)
        states = yield from _states(wire, thread, ids, head)
        seen = [state for state in states if shown.has("", state.checkpoint.metadata)]
        found += [state for state in seen if _matches(state.checkpoint, listing.filter)]
        if len(ids) < size:
            break
        before, passes = ids[-1], passes or len(seen) < len(states)
    return found[:limit]


def _shown_before(wire: Wire, thread: Thread, cp: str) -> Generator[Effect, Any, LastOfRuns]:
    """Return what tells which checkpoints are seen that are older than ``cp``."""
    shown = LastOfRuns()
    (blob,) = (yield commands.checkpoints(thread, "", (cp,))) if cp else (None,)
    if blob is not None:
        shown.has("", wire.unpack(blob).bare.metadata)
    return shown


def _states(
    wire: Wire, thread: Thread, ids: tuple[str, ...], head: ThreadState | None
) -> Generator[Effect, Any, list[ThreadState]]:
    """Read some checkpoints; what they share of their channels is fetched once."""
    blobs = yield from loading.values(partial(commands.checkpoints, thread, ""), ids)
    written = yield from loading.values(partial(commands.caller_writes, thread, ""), ids)
    left = yield from loading.values(partial(commands.left, thread, ""), ids)
    found = [(cp, blob, written[cp]) for cp in ids if (blob := blobs[cp]) is not None]
    there = [(cp, wire.unpack(blob), by) for cp, blob, by in found]
    wanted = dict.fromkeys(name for _, read, _ in there for name in read.names())
    channels = yield from fetch_channels(thread, tuple(wanted))
    states = []
    for cp, read, by in there:
        tasks = yield from loading.left(thread, "", cp, left[cp])
        states.append(_state(wire, wire.read_checkpoint(read, channels), by, tasks, head))
    return states


def _state(
    wire: Wire,
    checkpoint: Checkpoint,
    written: CallerWrites,
    left: tuple[LeftTask, ...],
    head: ThreadState | None,
) -> ThreadState:
    if head is not None and head.checkpoint.id == checkpoint.id:
        return head
    state = ThreadState(checkpoint, caller_writes=wire.read_caller_writes(written))
    return wire.with_left(state, left)


def _matches(checkpoint: Checkpoint, wanted: Mapping[str, Any]) -> bool:
    known = {**checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step}
    return all(known.get(key) == value for key, value in wanted.items())
