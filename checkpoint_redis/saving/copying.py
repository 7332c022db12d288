"""Copying a thread."""

from __future__ import annotations

from checkpoint_redis import commands, loading, packets, references
from checkpoint_redis.bundles import Bundle, Packets
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import ThreadStatus
from checkpoint_redis.readings import Header, Loaded
from checkpoint_redis.records import CheckpointEntry
from checkpoint_redis.saving.finding import Located, of_thread
from checkpoint_redis.saving.reading import channels_of
from checkpoint_redis.saving.steps import Steps, check, nonce
from checkpoint_redis.stored import Archive
from distgraph.errors import ThreadNotFound


def copy_thread(archive: Archive, source_id: str, target_id: str) -> Steps[None]:
    """Copy every checkpoint with what its tasks left, oldest first."""
    source, target = archive.thread(source_id), archive.thread(target_id)
    found = (yield from of_thread(source))[1]
    if not found:
        raise ThreadNotFound(f"There is no thread {source_id!r} to copy.")
    if (yield from of_thread(target))[1]:
        raise ValueError(f"The thread {target_id!r} has checkpoints already: delete it first.")
    sent, ep = set[tuple[str, str]](), ""
    for each in found:
        loaded: Loaded | None = yield from loading.load(source, each.frame, each.cp)
        if loaded is None or loaded.checkpoint is None:
            continue  # removed in this moment
        entry = yield from _raw(archive, source, each, loaded.checkpoint, sent)
        if entry is None:
            continue
        # What was sent before must still be there: the target is as this copy left it, or it ends.
        frame = FrameName.of(each.ns, archive.metadata(entry.blob))
        ep = yield from _copied(target, frame, entry, loaded.header, ep)
        sent |= {(each.ns, name) for name in entry.channels}
        sent |= {(each.ns, bundle.name) for bundle in entry.packets}
        known = yield from packets.read(source, each.frame, archive.sent(loaded))
        if log := archive.whole_log(loaded, each.cp, known):
            asks = bool(loaded.questions) or loaded.header.st is ThreadStatus.interrupted
            before, ep = ep, nonce()
            put = commands.put_writes(
                target, each.frame, each.cp, log, asks=asks, ep=before, new_ep=ep
            )
            check((yield put), target)


def _copied(
    target: Thread, frame: FrameName, entry: CheckpointEntry, source: Header, expect: str
) -> Steps[str]:
    """Put a checkpoint on a thread that has the epoch ``expect``; return the new epoch."""
    ep = nonce()
    yield from packets.stage(target, entry.packets)
    put = commands.put(
        target,
        frame,
        entry,
        ep=ep,
        expect=expect,
        graph=source.graph,
        fp=source.fp,
        queue=source.queue,
    )
    check((yield put), target)
    return ep


def _raw(
    archive: Archive, source: Thread, where: Located, blob: bytes, sent: set[tuple[str, str]]
) -> Steps[CheckpointEntry | None]:
    """Return a stored checkpoint with those channels and packets that were not sent yet, undecoded.

    None when it is removed in this moment; else what has no value has none.
    """
    refs = archive.refs(blob)
    new = [name for name in references.names(refs) if (where.ns, name) not in sent]
    blobs = yield from channels_of(source, where.ns, new, {})
    channels = {ref: data for ref, data in blobs.items() if data is not None}
    refers = [p for p in archive.packets(blob) if (where.ns, p.bundle) not in sent]
    known = yield from packets.read(source, where.frame, refers)
    if len(channels) < len(new) or len(known) < len(refers):
        (left,) = yield commands.checkpoints(source, where.frame, (where.cp,))
        if left is None:
            return None
    made, step = _bundles(known), archive.step(blob)
    return CheckpointEntry(where.cp, blob, step, refs, channels, packets=made)


def _bundles(blobs: Packets) -> tuple[Bundle, ...]:
    """Return the bundles of ``blobs``, each under its name."""
    found: dict[str, dict[int, bytes]] = {}
    for packet, blob in blobs.items():
        found.setdefault(packet.bundle, {})[packet.number] = blob
    return tuple(
        Bundle(name, tuple(numbers[n] for n in sorted(numbers))) for name, numbers in found.items()
    )
