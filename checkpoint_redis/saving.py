"""What each method of a saver asks of Redis, as generators of commands.

A blocking and an asyncio saver carry them: a generator yields a command and is sent its reply.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from checkpoint_redis import commands, loading, packets, references
from checkpoint_redis.bundles import Bundle, Packets, is_apart, packet_name
from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread, channel_field, packet_field
from checkpoint_redis.known_lines import Lines
from checkpoint_redis.layout import Field, ThreadStatus
from checkpoint_redis.records import CheckpointEntry, NewHead
from checkpoint_redis.references import Ref
from checkpoint_redis.replies import Changed, Header, Loaded
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_checkpoint_metadata,
)
from distgraph.checkpoint.base.blobs import matches
from distgraph.checkpoint.base.config import Coordinates, checkpoint_coordinates, coordinates_of
from distgraph.checkpoint.base.frames import with_orphans
from distgraph.checkpoint.base.types import INTERRUPT, RunnableConfig
from distgraph.checkpoint.lines import numbered_segment
from distgraph.errors import ThreadBusy, ThreadConflict, ThreadNotFound

T = TypeVar("T")
Steps = Generator[Script[Any] | Plain[Any], Any, T]
FORGOTTEN = 1_000
"""So many fields are removed at once."""
PAGE = 50
"""So many checkpoints of one frame are listed at once."""
ATTEMPTS = 5
"""How often a change is tried again when the thread changed in between."""


@dataclass(frozen=True, slots=True, order=True)
class Located:
    """Where a checkpoint is; sorts by its id."""

    cp: str
    ns: str
    x: str

    @property
    def frame(self) -> str:
        """What Redis knows its frame by."""
        return FrameName(self.ns).hash


@dataclass(frozen=True, slots=True)
class Page:
    """Some checkpoints; the ``following`` ones are before that, None where these are the last."""

    found: tuple[Located, ...]
    following: Mapping[str, Any] | None = None


# --- reading ----------------------------------------------------------------------------------


def get_tuple(archive: Archive, config: Mapping[str, Any]) -> Steps[CheckpointTuple | None]:
    """Return the checkpoint that ``config`` names, or the latest."""
    place = coordinates_of(config)
    thread = archive.thread(place.thread_id)
    return (yield from _get(archive, thread, place.ns, place.checkpoint_id or "", None))


def get_found(
    archive: Archive, found: Located, wanted: Mapping[str, Any] | None
) -> Steps[CheckpointTuple | None]:
    """Return a checkpoint when its metadata has every entry of ``wanted``."""
    return (
        yield from _get(
            archive, Thread.from_x(archive.namespace, found.x), found.ns, found.cp, wanted
        )
    )


def get_frame(
    archive: Archive, thread: Thread, ns: str, cp: str
) -> Steps[tuple[str, CheckpointTuple | None]]:
    """Return a frame's epoch ('' = it has none), and what is stored of it at ``cp``."""
    loaded: Loaded | None = yield from loading.load(thread, FrameName(ns).hash, cp)
    found = yield from _read(archive, thread, Located(cp, ns, thread.x), loaded, None)
    return (loaded.header.ep if loaded else ""), found


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
    channels = yield from _channels(thread, where.ns, names, loaded.channels)
    archive.known.keep((thread.x, where.ns, cp), archive.lines(loaded.checkpoint, channels))
    refers = (*archive.packets(loaded.checkpoint), *archive.sent(loaded))
    known = yield from packets.read(thread, where.frame, refers)
    place = Coordinates(loaded.header.thread_id, where.ns, where.cp)
    return archive.read(place, loaded, channels, known)


def _channels(
    thread: Thread, ns: str, names: Iterable[str], known: Mapping[str, bytes | None]
) -> Steps[dict[str, bytes | None]]:
    """Return the blobs of channels, those that are not known yet from Redis."""
    missing = [name for name in names if known.get(name) is None]
    read = partial(commands.channels, thread, FrameName(ns).hash)
    return {**known, **(yield from loading.values(read, missing))}


def places(
    archive: Archive, config: Mapping[str, Any] | None, before: Mapping[str, Any] | None
) -> Steps[Page]:
    """Return where the checkpoints are that ``config`` may mean, newest first."""
    older_than = get_checkpoint_id(before) if before else None
    place = coordinates_of(config) if config else None
    ns = config["configurable"].get("checkpoint_ns") if config else None
    if place is not None and ns is not None and not place.checkpoint_id:
        thread = archive.thread(place.thread_id)
        ids = yield commands.history(thread, FrameName(ns).hash, older_than or "", PAGE)
        return Page(
            tuple(Located(cp, ns, thread.x) for cp in ids),
            {"configurable": {"checkpoint_id": ids[-1]}} if len(ids) == PAGE else None,
        )
    threads = (
        (yield from _all(archive.namespace)) if place is None else {archive.thread(place.thread_id)}
    )
    found = []
    for thread in threads:
        for each in (yield from _of_thread(thread))[1]:
            right_id = place is None or place.checkpoint_id in (None, each.cp)
            right_ns = ns is None or ns == each.ns
            if right_id and right_ns and (older_than is None or each.cp < older_than):
                found.append(each)
    return Page(tuple(sorted(found, reverse=True)))


def listed(
    archive: Archive,
    config: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    limit: int | None,
) -> Steps[list[CheckpointTuple]]:
    """Return the checkpoints that ``config`` may mean, newest first and at most ``limit``."""
    read: list[CheckpointTuple] = []
    page = yield from places(archive, config, before)
    while True:
        for place in page.found:
            if limit is not None and len(read) >= limit:
                return read
            found = yield from get_found(archive, place, None)
            if found is not None:
                read.append(found)
        if page.following is None:
            return read
        page = yield from places(archive, config, page.following)


def _all(namespace: str) -> Steps[set[Thread]]:
    cursor, found = 0, set[Thread]()
    while True:
        cursor, part = yield commands.scan(namespace, cursor)
        found |= set(part)
        if cursor == 0:
            return found


def _of_thread(thread: Thread) -> Steps[tuple[set[str], list[Located]]]:
    """Return every field of the thread's checkpoint key, and the checkpoints among them."""
    cursor, names = 0, set[str]()
    while True:
        cursor, part = yield commands.fields(thread, cursor)
        names |= set(part)
        if cursor == 0:
            break
    frames: dict[str, str] = {"": "", **(yield commands.frames(thread))}
    found = (name for name in names if name.startswith(Field.checkpoint))
    parts = (name.removeprefix(Field.checkpoint).partition("|") for name in found)
    # One that is not named was removed in this moment.
    here = (Located(cp, frames[ns], thread.x) for ns, _, cp in parts if ns in frames)
    return names, sorted(here)


# --- writing ----------------------------------------------------------------------------------


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
    entry = archive.entry(place, checkpoint, known, new_versions, before, _nonce())
    needs, free = archive.needs(entry, checkpoint), references.free(entry.refs, entry.channels)
    yield from packets.stage(thread, entry.packets)
    changed = yield commands.put(thread, frame, entry, ep=_nonce(), needs=needs, free=tuple(free))
    if changed.status == "unstored":
        versions = checkpoint["channel_versions"]
        entry = archive.entry(place, checkpoint, known, versions, {}, _nonce())
        yield from packets.stage(thread, entry.packets)
        changed = yield commands.put(thread, frame, entry, ep=_nonce())
    _check(changed, thread)
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
    changed = yield commands.put_writes(thread, frame, cp, added, asks=asks, new_ep=_nonce())
    for _ in range(ATTEMPTS):
        if changed.status != "conflict":
            break
        # The epoch was read before the superstep: when it is still the same, so is what was open.
        ep = changed.head
        loaded: Loaded | None = yield from loading.load(thread, frame, cp)
        before = (yield from _opened(archive, thread, frame, cp, loaded)) if loaded else ()
        records = (*before, *added)
        changed = yield commands.put_writes(
            thread, frame, cp, records, asks=asks, ep=ep, new_ep=_nonce()
        )
    _check(changed, thread)


def _opened(
    archive: Archive, thread: Thread, frame: str, cp: str, loaded: Loaded
) -> Steps[tuple[bytes, ...]]:
    """Return the log of what is open, with what its tasks sent."""
    known = yield from packets.read(thread, frame, archive.sent(loaded))
    return archive.opened(loaded, cp, known)


def _check(changed: Changed, thread: Thread) -> None:
    name = thread.thread_id or thread.x
    if changed.status == "busy":
        raise ThreadBusy(
            f"Workers carry run {changed.run} of thread {name!r}: its state is theirs until the "
            "run ends. Wait for it, or cancel it."
        )
    if changed.status == "missing":
        raise ThreadNotFound(f"There is no thread {name!r}: it was deleted, or never stored.")
    if changed.status == "conflict":
        raise ThreadConflict(f"Somebody else changed thread {name!r} meanwhile: try again.")


def _nonce() -> str:
    return secrets.token_hex(8)


# --- threads ------------------------------------------------------------------------------------


def delete_thread(archive: Archive, thread_id: str) -> Steps[None]:
    """Remove everything of a thread, also what workers are about to do."""
    yield commands.delete(archive.thread(thread_id))


def copy_thread(archive: Archive, source_id: str, target_id: str) -> Steps[None]:
    """Copy every checkpoint with what its tasks left, oldest first."""
    source, target = archive.thread(source_id), archive.thread(target_id)
    found = (yield from _of_thread(source))[1]
    if not found:
        raise ThreadNotFound(f"There is no thread {source_id!r} to copy.")
    if (yield from _of_thread(target))[1]:
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
        if log := archive.logged(loaded, each.cp, known):
            asks = bool(loaded.questions) or loaded.header.st is ThreadStatus.interrupted
            before, ep = ep, _nonce()
            put = commands.put_writes(
                target, each.frame, each.cp, log, asks=asks, ep=before, new_ep=ep
            )
            _check((yield put), target)


def _copied(
    target: Thread, frame: FrameName, entry: CheckpointEntry, source: Header, expect: str
) -> Steps[str]:
    """Put a checkpoint on a thread that has the epoch ``expect``; return the new epoch."""
    ep = _nonce()
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
    _check((yield put), target)
    return ep


def _raw(
    archive: Archive, source: Thread, where: Located, blob: bytes, sent: set[tuple[str, str]]
) -> Steps[CheckpointEntry | None]:
    """Return a stored checkpoint with those channels and packets that were not sent yet, undecoded.

    None when it is removed in this moment; else what has no value has none.
    """
    refs = archive.refs(blob)
    new = [name for name in references.names(refs) if (where.ns, name) not in sent]
    blobs = yield from _channels(source, where.ns, new, {})
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


def prune(archive: Archive, thread_id: str) -> Steps[None]:
    """Keep the latest checkpoint of each namespace."""

    def doomed(found: list[Located], blobs: Mapping[Located, bytes]) -> set[Located]:
        del blobs
        latest = {each.ns: each for each in found}
        return set(found) - set(latest.values())

    yield from _forget(archive, archive.thread(thread_id), doomed)


def delete_for_runs(archive: Archive, run_ids: Sequence[str]) -> Steps[None]:
    """Delete the checkpoints whose metadata name one of the runs, in all threads."""
    runs = set(map(str, run_ids))

    def doomed(found: list[Located], blobs: Mapping[Located, bytes]) -> set[Located]:
        return {each for each in found if archive.metadata(blobs[each]).get("run_id") in runs}

    for thread in (yield from _all(archive.namespace)):
        yield from _forget(archive, thread, doomed)


def _forget(archive: Archive, thread: Thread, doomed: Any) -> Steps[None]:
    """Remove the checkpoints that ``doomed`` chooses, and what nothing refers to any more."""
    changed = Changed("conflict")
    for attempt in range(ATTEMPTS):
        header: Header | None = yield commands.header(thread)
        names, found = yield from _of_thread(thread)
        if header is None or not found:
            return
        blobs = yield from _blobs(thread, found)
        kept = [each for each in found if each in blobs]
        gone = _doomed(archive, blobs, doomed(kept, blobs))
        # Another one came between the slices: what is left of the first ones is nobody's any more.
        if not gone and not attempt:
            return
        if len(gone) == len(kept):
            changed = yield commands.delete(thread, ep=header.ep)
        else:
            fields, heads = _unused(archive, names, blobs, gone)
            sent, large = _unsent(archive, blobs, gone)
            changed = yield from _forget_fields(thread, (*fields, *sent), heads, header.ep, large)
        if changed.status != "conflict":
            break
    if changed.status != "missing":
        _check(changed, thread)


def _forget_fields(
    thread: Thread,
    fields: tuple[str, ...],
    heads: tuple[NewHead, ...],
    ep: str,
    bundles: tuple[str, ...],
) -> Steps[Changed]:
    """Remove fields in slices, each with an epoch of its own, and larger bundles with the last one.

    Checkpoints go before what they refer to, and how many records a log has before the records;
    the oldest go first, so that what another command finds in between has the newest ones.
    """
    ordered = sorted(fields, key=lambda field: (_rank(field), field))
    changed = Changed("ok")
    for start in range(0, len(ordered), FORGOTTEN):
        part, new_ep = tuple(ordered[start : start + FORGOTTEN]), _nonce()
        last = bundles if start + FORGOTTEN >= len(ordered) else ()
        changed = yield commands.forget(thread, part, heads, ep=ep, new_ep=new_ep, bundles=last)
        if changed.status != "ok":
            break
        ep, heads = new_ep, ()
    return changed


def _rank(field: str) -> int:
    """Return which fields go first: who reads between two slices must find what is referred to."""
    if field.startswith(Field.checkpoint):
        return 0
    counts = field.startswith(Field.log) and not field.rpartition("|")[-1].isdigit()
    return 1 if counts else 2


def _doomed(archive: Archive, blobs: Mapping[Located, bytes], gone: set[Located]) -> set[Located]:
    """Return the checkpoints to be removed, with those of graphs that were called from them."""
    found = {each: (each.ns, each.cp) for each in blobs}
    return with_orphans(found, gone, lambda each: archive.metadata(blobs[each]).get("parents", {}))


def _blobs(thread: Thread, found: list[Located]) -> Steps[dict[Located, bytes]]:
    blobs: dict[Located, bytes] = {}
    for ns in {each.ns for each in found}:
        here = [each for each in found if each.ns == ns]
        ids = [each.cp for each in here]
        read = partial(commands.checkpoints, thread, FrameName(ns).hash)
        got = yield from loading.values(read, ids)
        blobs |= {each: blob for each in here if (blob := got[each.cp])}
    return blobs


def _unused(
    archive: Archive, names: set[str], blobs: Mapping[Located, bytes], gone: set[Located]
) -> tuple[tuple[str, ...], tuple[NewHead, ...]]:
    """Return the fields to be removed, and the new heads where the head is among them."""
    kept = {each: archive.refs(blob) for each, blob in blobs.items() if each not in gone}
    used = Used((each.frame, ref) for each, refs in kept.items() for ref in refs)
    owners = {"", *(f"{each.frame}|{each.cp}" for each in kept)}
    fields = [
        name
        for name in names
        if (name.startswith(Field.channel) and not used.has(name)) or _owner(name) not in owners
    ]
    heads = []
    for ns in {each.ns for each in gone}:
        rest = [each for each in kept if each.ns == ns]
        last = max(rest, default=None)
        if last is None:
            heads.append(NewHead(FrameName(ns).hash))
        elif last.cp < max(each.cp for each in gone if each.ns == ns):
            heads.append(
                NewHead(FrameName(ns).hash, last.cp, archive.step(blobs[last]), kept[last])
            )
    return tuple(fields), tuple(heads)


class Used:
    """The values and segments that checkpoints refer to: of a line those up to the highest."""

    def __init__(self, refs: Iterable[tuple[str, Ref]]) -> None:
        """``refs``: with the frame that each is of."""
        self._whole, self._most = set[str](), dict[str, int]()
        for frame, ref in refs:
            if isinstance(ref, str):
                self._whole.add(channel_field(frame, ref))
            else:
                line = channel_field(frame, ref[0])
                self._most[line] = max(ref[1], self._most.get(line, 0))

    def has(self, field: str) -> bool:
        """Whether something refers to what is stored in ``field``."""
        line, number = numbered_segment(field) or ("", 1)
        return field in self._whole or number <= self._most.get(line, 0)


def _unsent(
    archive: Archive, blobs: Mapping[Located, bytes], gone: set[Located]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields of packets and the larger bundles that are referred to no more."""
    refers = {
        each: {(each.frame, packet) for packet in archive.packets(blob)}
        for each, blob in blobs.items()
    }
    used = {named for each, some in refers.items() if each not in gone for named in some}
    unused = {named for each in gone for named in refers[each]} - used
    small = sorted(
        packet_field(frame, packet_name(packet.bundle, packet.number))
        for frame, packet in unused
        if not is_apart(packet.bundle)
    )
    return tuple(small), tuple(sorted({p.bundle for _, p in unused if is_apart(p.bundle)}))


def _owner(name: str) -> str:
    """Return "ns|cp" of a field that goes with a checkpoint, else ''."""
    for kind in (Field.checkpoint, Field.caller_writes, Field.left):
        if name.startswith(kind):
            return name.removeprefix(kind)
    if not name.startswith(Field.log):
        return ""
    # Of a log: how many records it has, and each of them by its number.
    log = name.removeprefix(Field.log)
    head, _, last = log.rpartition("|")
    return head if last.isdigit() else log
