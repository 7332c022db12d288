"""Storing checkpoints, and what their tasks left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checkpoint_redis import commands, loading, packets, references
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread
from checkpoint_redis.known_lines import Lines
from checkpoint_redis.logged import shared
from checkpoint_redis.readings import Loaded
from checkpoint_redis.saving.steps import ATTEMPTS, Steps, check, nonce
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    get_checkpoint_metadata,
)
from distgraph.checkpoint.base.config import Coordinates, checkpoint_coordinates, coordinates_of
from distgraph.checkpoint.base.types import INTERRUPT, RunnableConfig


def put(
    archive: Archive,
    config: Mapping[str, Any],
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
) -> Steps[RunnableConfig]:
    """Store a checkpoint under the one that ``config`` names; ThreadBusy while a run is open.

    Values that did not change are stored already; when they were removed meanwhile, all are.
    """
    place = coordinates_of(config)
    known = get_checkpoint_metadata(config, metadata)
    thread, frame = archive.thread(place.thread_id), FrameName.of(place.ns, known)
    before = (yield from _lines(archive, thread, place)) if "frontier" in checkpoint else {}
    entry = archive.entry(place, checkpoint, known, new_versions, before, nonce())
    needs, free = archive.needs(entry, checkpoint), references.free(entry.refs, entry.channels)
    parent = place.checkpoint_id or ""
    found = shared(archive.noted.take((thread.x, place.ns, parent)), entry.channels)
    after = parent if found or (entry.lines and before) else ""
    yield from packets.stage(thread, entry.packets)
    changed = yield commands.put(
        thread, frame, entry,
        ep=nonce(), needs=needs, after=after, free=tuple(free), shared=found,
    )  # fmt: skip
    if changed.status == "unstored":
        versions = checkpoint["channel_versions"]
        entry = archive.entry(place, checkpoint, known, versions, {}, nonce())
        yield from packets.stage(thread, entry.packets)
        changed = yield commands.put(thread, frame, entry, ep=nonce())
    check(changed, thread)
    archive.remember((thread.x, place.ns, checkpoint["id"]), checkpoint, entry)
    return place._replace(checkpoint_id=checkpoint["id"]).config


def _lines(archive: Archive, thread: Thread, place: Coordinates) -> Steps[Lines]:
    """Return the lines of a checkpoint; its record is read when it was not seen lately."""
    if place.checkpoint_id is None:
        return {}
    found = archive.known.get((thread.x, place.ns, place.checkpoint_id))
    if found is not None:
        return found
    frame = FrameName(place.ns).hash
    (blob,) = yield commands.checkpoints(thread, frame, (place.checkpoint_id,))
    return archive.lines(blob, {}) if blob else {}


def put_writes(
    archive: Archive,
    config: Mapping[str, Any],
    writes: Sequence[tuple[str, Any]],
    task_id: str,
    task_path: str,
) -> Steps[None]:
    """Store pending writes; ThreadBusy while a run is open, ThreadNotFound without a thread."""
    thread_id, ns, cp = checkpoint_coordinates(config)
    added = archive.log_records(task_id, task_path, writes)
    asks = any(name == INTERRUPT for name, _ in writes)
    thread, frame = archive.thread(thread_id), FrameName(ns).hash
    before: tuple[bytes, ...] = ()
    changed = yield commands.put_writes(thread, frame, cp, added, asks=asks, new_ep=nonce())
    for _ in range(ATTEMPTS):
        if changed.status != "conflict":
            break
        # The epoch was read before the superstep: when it is still the same, so is what was open.
        ep = changed.head
        loaded: Loaded | None = yield from loading.load(thread, frame, cp)
        before = (yield from _opened(archive, thread, frame, cp, loaded)) if loaded else ()
        records = (*before, *added)
        changed = yield commands.put_writes(
            thread, frame, cp, records, asks=asks, ep=ep, new_ep=nonce()
        )
    check(changed, thread)
    if changed.number >= 0:
        archive.noted.note((thread.x, ns, cp), changed.number + len(before), added)


def _opened(
    archive: Archive, thread: Thread, frame: str, cp: str, loaded: Loaded
) -> Steps[tuple[bytes, ...]]:
    """Return the log of what is open, with what its tasks sent."""
    known = yield from packets.read(thread, frame, archive.sent(loaded))
    return archive.opened(loaded, cp, known)
