"""Reading checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from checkpoint_redis import commands, loading, packets, references
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread
from checkpoint_redis.readings import Loaded
from checkpoint_redis.saving.finding import Located, places
from checkpoint_redis.saving.steps import Steps
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import CheckpointTuple, get_checkpoint_id
from distgraph.checkpoint.base.blobs import matches
from distgraph.checkpoint.base.config import Coordinates, coordinates_of
from distgraph.checkpoint.replaced import LastOfRuns


def get_tuple(archive: Archive, config: Mapping[str, Any]) -> Steps[CheckpointTuple | None]:
    """Return the checkpoint that ``config`` names, or the latest."""
    place = coordinates_of(config)
    thread = archive.thread(place.thread_id)
    return (yield from _get(archive, thread, place.ns, place.checkpoint_id or "", None))


def get_found(
    archive: Archive, found: Located, wanted: Mapping[str, Any] | None, shown: LastOfRuns
) -> Steps[CheckpointTuple | None]:
    """Return a checkpoint when it is ``shown`` and its metadata has every entry of ``wanted``."""
    thread = Thread.from_x(archive.namespace, found.x)
    loaded: Loaded | None = yield from loading.load(thread, FrameName(found.ns).hash, found.cp)
    if loaded is None or loaded.checkpoint is None:
        return None
    if not shown.has(found.ns, archive.metadata(loaded.checkpoint)):
        return None
    return (yield from _read(archive, thread, found, loaded, wanted))


def shown_before(
    archive: Archive, config: Mapping[str, Any] | None, before: Mapping[str, Any] | None
) -> Steps[LastOfRuns]:
    """Return what tells which checkpoints are seen of a frame, those before one of it."""
    shown, place = LastOfRuns(), coordinates_of(config) if config else None
    cp = get_checkpoint_id(before) if before else None
    if place is not None and cp:
        thread, frame = archive.thread(place.thread_id), FrameName(place.ns).hash
        (blob,) = yield commands.checkpoints(thread, frame, (cp,))
        if blob:
            shown.has(place.ns, archive.metadata(blob))
    return shown


def get_frame(
    archive: Archive, thread: Thread, ns: str, cp: str, known: Loaded | None = None
) -> Steps[tuple[Loaded | None, CheckpointTuple | None]]:
    """Return a frame as it stands, None where nothing is stored, and what it has at ``cp``.

    ``known``: as for ``loading.load``.
    """
    loaded: Loaded | None = yield from loading.load(thread, FrameName(ns).hash, cp, known)
    found = yield from _read(archive, thread, Located(cp, ns, thread.x), loaded, None)
    return loaded, found


def listed(
    archive: Archive,
    config: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    limit: int | None,
) -> Steps[list[CheckpointTuple]]:
    """Return the checkpoints that ``config`` may mean, newest first and at most ``limit``."""
    read, shown = list[CheckpointTuple](), (yield from shown_before(archive, config, before))
    page = yield from places(archive, config, before)
    while True:
        for place in page.found:
            if limit is not None and len(read) >= limit:
                return read
            found = yield from get_found(archive, place, None, shown)
            if found is not None:
                read.append(found)
        if page.following is None:
            return read
        page = yield from places(archive, config, page.following)


def _get(
    archive: Archive, thread: Thread, ns: str, cp: str, wanted: Mapping[str, Any] | None
) -> Steps[CheckpointTuple | None]:
    loaded: Loaded | None = yield from loading.load(thread, FrameName(ns).hash, cp)
    return (yield from _read(archive, thread, Located(cp, ns, thread.x), loaded, wanted))


def _read(
    archive: Archive,
    thread: Thread,
    where: Located,
    loaded: Loaded | None,
    wanted: Mapping[str, Any] | None,
) -> Steps[CheckpointTuple | None]:
    if loaded is None or loaded.checkpoint is None:
        return None
    if not matches(archive.metadata(loaded.checkpoint), wanted):
        return None
    cp = where.cp or loaded.header.cp
    names = references.names(archive.refs(loaded.checkpoint), beyond=cp != loaded.header.cp)
    channels = yield from channels_of(thread, where.ns, names, loaded.channels)
    archive.known.keep((thread.x, where.ns, cp), archive.lines(loaded.checkpoint, channels))
    refers = (*archive.packets(loaded.checkpoint), *archive.sent(loaded))
    known = yield from packets.read(thread, where.frame, refers)
    place = Coordinates(loaded.header.thread_id, where.ns, where.cp)
    return archive.read(place, loaded, channels, known)


def channels_of(
    thread: Thread, ns: str, names: Iterable[str], known: Mapping[str, bytes | None]
) -> Steps[dict[str, bytes | None]]:
    """Return the blobs of channels, those that are not known yet from Redis."""
    missing = [name for name in names if known.get(name) is None]
    read = partial(commands.channels, thread, FrameName(ns).hash)
    return {**known, **(yield from loading.values(read, missing))}
