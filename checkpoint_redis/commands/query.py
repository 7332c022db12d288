"""Commands that read: a frame, its history, outcomes, lists of threads."""

from __future__ import annotations

from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands.loaded import marked, read_header, read_loaded
from checkpoint_redis.commands.read import (
    checked,
    flags,
    items,
    pairs,
    part,
    record,
    row,
    scanned,
    text,
)
from checkpoint_redis.commands.script import Arguments, Plain, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import (
    AskedReply,
    AwaitedRow,
    PartReply,
    TaskField,
    TaskRow,
    TaskState,
    ThreadKey,
)
from checkpoint_redis.readings import Askers, CallerWrites, Header, Loaded, TaskSeen
from distgraph.checkpoint import formats
from distgraph.errors import NewerFormat

CHUNK = 500


def load(thread: Thread, ns: str = "", cp: str = "", *, open: bool = True) -> Script[Loaded | None]:  # noqa: A002 - what is open
    """Read a frame at one moment, as far as a script may; None when the thread does not exist.

    ``loading.load`` reads all of it. Of a checkpoint that is not the head come neither channels nor
    the open superstep, but what callers wrote there.
    """
    return Arguments().script("load", thread, read_loaded, ns=ns, cp=cp, open=int(open))


def asked(thread: Thread, iids: tuple[str, ...]) -> Script[Askers | None]:
    """Find who asks the questions of at most Limit.looked_up ids; None when there is no thread.

    Those that do not wait are left out, and what is more than a reply holds.
    """
    return Arguments().script("asked", thread, _asked_by, iids=iids)


def late(thread: Thread, tid: str) -> Script[tuple[tuple[str, bytes], ...]]:
    """Read what takes the place of answers to questions of a task whose deadlines are over.

    ((id, blob), ...), as many as one answer may bring.
    """
    return Arguments().script("late", thread, _late, tid=tid)


def tasks(thread: Thread, ns: str, tids: tuple[str, ...]) -> Plain[tuple[TaskSeen, ...]]:
    """Look at tasks of the superstep that is open now; those that it has not are left out."""
    stored = [f"{field}{tid}" for tid in tids for field in (TaskField.record, TaskField.blob)]

    @checked
    def read(raw: Any) -> tuple[TaskSeen, ...]:
        found = zip(tids, raw[::2], raw[1::2], strict=True)
        return tuple(_seen(*each) for each in found if None not in each)

    return Plain(("HMGET", thread.tasks(ns), *stored), read)


def open_part(
    thread: Thread, ns: str, ep: str, part: ThreadKey, cursor: int
) -> Script[tuple[int, dict[str, bytes]] | None]:
    """Read some fields of a superstep's tasks, writes or questions, and the next cursor.

    None when ``ep`` is not the open superstep any more.
    """
    return Arguments().script(
        "part", thread, _open_part, ns=ns, ep=ep, part=part, cursor=cursor, count=CHUNK
    )


def header(thread: Thread, ns: str = "") -> Script[Header | None]:
    """Read the header and the fields of one frame; NewerFormat as all that reads a thread."""

    def read(raw: Any) -> Header | None:
        found = _header_or_none(raw)
        if found is not None and found.format > formats.FORMAT:
            raise NewerFormat(thread.title, found.format, formats.FORMAT, found.release)
        return found

    return Arguments().script("header", thread, read, ns=ns)


def any_header(thread: Thread) -> Script[Header | None]:
    """Read the header of a thread in whichever format: for lists, and for what finds faults."""
    return Arguments().script("header", thread, _header_or_none, ns="")


def last_event(thread: Thread) -> Plain[str]:
    """Read the id of the thread's last event; 0-0 when there is none."""

    @checked
    def read(raw: Any) -> str:
        return next((text(name) for name, _ in raw), "0-0")

    return Plain(("XREVRANGE", thread.events, "+", "-", "COUNT", 1), read)


def events_after(thread: Thread, after: str, count: int) -> Plain[tuple[Any, ...]]:
    """Read entries of some events after ``after``, oldest first."""
    return Plain(("XRANGE", thread.events, f"({after}", "+", "COUNT", count), tuple)


def ends_after(namespace: str, shard: int, after: str, count: int) -> Plain[tuple[Any, ...]]:
    """Read entries of some ends of a shard's runs after ``after``, oldest first."""
    key = keys.ends(namespace, shard)
    return Plain(("XRANGE", key, f"({after}", "+", "COUNT", count), tuple)


def wake(key: str) -> Script[bool]:
    """Wake a read that is blocked, or will be."""
    return Script("wake", (key,), (), bool)


def events_back(thread: Thread, upto: str, count: int) -> Plain[tuple[Any, ...]]:
    """Read entries of some events from ``upto`` back, newest first; "(<id>" leaves that one out."""
    return Plain(("XREVRANGE", thread.events, upto, "-", "COUNT", count), tuple)


def carried(namespace: str, shard: int, runs: tuple[AwaitedRow, ...]) -> Script[tuple[bool, ...]]:
    """Tell of runs of one shard whether they are still under way."""
    key = keys.due(namespace, shard)
    return Arguments().script("carried", key, flags, runs=runs)


def history(thread: Thread, ns: str, before: str, count: int) -> Script[tuple[str, ...]]:
    """Read the ids of at most ``count`` checkpoints of a frame, newest first.

    ``before``: of those that come before this one; '' = from the newest on.
    """
    return Arguments().script("history", thread, _ids, ns=ns, before=before, count=count)


def fields(thread: Thread, cursor: int) -> Script[tuple[int, tuple[str, ...]]]:
    """Read some names of what is stored beside the header, and the next cursor (0 = all read)."""
    return Arguments().script("fields", thread, _names, cursor=cursor, count=CHUNK)


def frames(thread: Thread) -> Plain[dict[str, str]]:
    """Read the names of the frames inside tasks, by their hashes."""
    return Plain(("HGETALL", thread.frames), _frames)


def frame_name(thread: Thread, ns: str) -> Plain[str]:
    """Read the name of the frame inside a task that has the hash ``ns``; '' = not known."""
    return Plain(("HGET", thread.frames, ns), _name)


def checkpoints(thread: Thread, ns: str, cps: tuple[str, ...]) -> Script[tuple[bytes | None, ...]]:
    """Read checkpoint blobs; at most CHUNK at a time."""
    names = [keys.checkpoint_field(ns, cp) for cp in cps]
    return Arguments().script("values", thread, tuple, fields=names)


def channels(thread: Thread, ns: str, refs: tuple[str, ...]) -> Script[tuple[bytes | None, ...]]:
    """Read channel blobs by "channel@ref"; at most CHUNK at a time."""
    names = [keys.channel_field(ns, ref) for ref in refs]
    return Arguments().script("values", thread, tuple, fields=names)


def packets(thread: Thread, ns: str, names: tuple[str, ...]) -> Script[tuple[bytes | None, ...]]:
    """Read packets by name: the first of them, as many as fit into a reply."""
    return Arguments().script("packets", thread, tuple, ns=ns, names=names)


def caller_writes(
    thread: Thread, ns: str, cps: tuple[str, ...]
) -> Script[tuple[CallerWrites, ...]]:
    """Read what callers wrote and stands beside checkpoints; at most CHUNK at a time."""
    return Arguments().script(
        "values", thread, _caller_writes, fields=[keys.caller_writes_field(ns, cp) for cp in cps]
    )


def scan(namespace: str, cursor: int) -> Plain[tuple[int, tuple[Thread, ...]]]:
    """Find some of all threads, and the next cursor (0 = all found); a thread may come twice."""

    @checked
    def read(raw: Any) -> tuple[int, tuple[Thread, ...]]:
        cursor, found = part(raw)
        return cursor, tuple(keys.thread_of_header(namespace, text(key)) for key in found)

    return Plain(("SCAN", cursor, "MATCH", keys.all_headers(namespace), "COUNT", CHUNK), read)


@checked
def _header_or_none(raw: Any) -> Header | None:
    return None if raw is None else read_header(raw)


@checked
def _asked_by(raw: Any) -> Askers | None:
    if raw is None:
        return None
    found = AskedReply._make(raw)
    asked = {tid: questions for _, tid, questions in found.asked if questions}
    waiting = {text(iid): (text(tid), asked[tid]) for iid, tid, _ in found.asked}
    return Askers(read_header(found.header), waiting)


@checked
def _open_part(raw: Any) -> tuple[int, dict[str, bytes]] | None:
    if len(raw) < len(PartReply._fields):
        return None
    cursor, found = part(raw)
    return cursor, pairs(found)


def _seen(tid: str, raw: bytes, blob: bytes) -> TaskSeen:
    known = row(TaskRow, record(raw))
    return TaskSeen(tid, TaskState(known.state), known.attempts, blob)


@checked
def _late(raw: Any) -> tuple[tuple[str, bytes], ...]:
    return tuple((text(iid), blob) for iid, blob in zip(raw[::2], raw[1::2], strict=True))


@checked
def _ids(raw: Any) -> tuple[str, ...]:
    return tuple(text(each) for each in raw)


@checked
def _caller_writes(raw: Any) -> tuple[CallerWrites, ...]:
    return tuple(marked(() if each is None else items(each)) for each in raw)


@checked
def _frames(raw: Any) -> dict[str, str]:
    return {hash_: text(name) for hash_, name in scanned(raw).items()}


@checked
def _name(raw: Any) -> str:
    return text(raw or b"")


@checked
def _names(raw: Any) -> tuple[int, tuple[str, ...]]:
    cursor, found = part(raw)
    return cursor, tuple(text(field) for field in found)
