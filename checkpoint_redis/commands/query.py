"""Commands that read: a frame, its history, outcomes, lists of threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands.read import (
    blobs,
    checked,
    items,
    named,
    number,
    pairs,
    record,
    text,
)
from checkpoint_redis.commands.read import thread_id as read_thread_id
from checkpoint_redis.commands.script import Arguments, Plain, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.replies import (
    CallerWrites,
    Header,
    Listed,
    Loaded,
    OpenQuestions,
    OpenTask,
    RunOutcome,
)

CHUNK = 500


def load(thread: Thread, ns: str = "", cp: str = "", *, open: bool = True) -> Script[Loaded | None]:  # noqa: A002 - what is open
    """Read a frame at one moment; None when the thread does not exist.

    Of a checkpoint that is not the head come neither channels nor the open superstep, but what
    callers wrote there.
    """
    return Arguments().script("load", thread, _loaded, ns=ns, cp=cp, open=int(open))


def header(thread: Thread, ns: str = "") -> Script[Header | None]:
    """Read the header and the fields of one frame."""
    return Arguments().script("header", thread, _header_or_none, ns=ns)


def outcome(thread: Thread, run: str) -> Script[RunOutcome | None]:
    """Read how a run stands; None when it is not known (any more)."""
    return Arguments().script("outcome", thread, _outcome, run=run)


def history(thread: Thread, ns: str, cursor: int) -> Script[tuple[int, tuple[str, ...]]]:
    """Read some ids of the frame's checkpoints, unordered, and the next cursor (0 = all read)."""
    prefix = f"k|{ns}|"
    return Arguments().script(
        "fields", thread, _checkpoint_ids, cursor=cursor, prefix=prefix, count=CHUNK
    )


def fields(thread: Thread, cursor: int) -> Script[tuple[int, tuple[str, ...]]]:
    """Read some names of what is stored beside the header, and the next cursor (0 = all read)."""
    return Arguments().script("fields", thread, _names, cursor=cursor, prefix="", count=CHUNK)


def checkpoints(thread: Thread, ns: str, cps: tuple[str, ...]) -> Script[tuple[bytes | None, ...]]:
    """Read checkpoint blobs; at most CHUNK at a time."""
    return Arguments().script("values", thread, tuple, fields=[f"k|{ns}|{cp}" for cp in cps])


def channels(thread: Thread, ns: str, refs: tuple[str, ...]) -> Script[tuple[bytes | None, ...]]:
    """Read channel blobs by "channel@ref"; at most CHUNK at a time."""
    return Arguments().script("values", thread, tuple, fields=[f"v|{ns}|{ref}" for ref in refs])


def caller_writes(
    thread: Thread, ns: str, cps: tuple[str, ...]
) -> Script[tuple[CallerWrites, ...]]:
    """Read what callers wrote and stands beside checkpoints; at most CHUNK at a time."""
    return Arguments().script(
        "values", thread, _caller_writes, fields=[f"z|{ns}|{cp}" for cp in cps]
    )


def writes(thread: Thread, ns: str, cursor: int) -> Plain[tuple[int, dict[str, bytes]]]:
    """Read a part of a closed superstep's writes, and the next cursor (0 = all read)."""
    return Plain(("HSCAN", thread.writes(ns), cursor, "COUNT", CHUNK), _writes)


def threads(namespace: str, shard: int, status: str, limit: int) -> Script[tuple[Listed, ...]]:
    """List a shard's threads of a status (busy, interrupted, error), longest waiting first."""
    key = keys.due(namespace, shard)
    return Arguments().script("threads", key, _listed, status=status, limit=limit)


def scan(namespace: str, cursor: int) -> Plain[tuple[int, tuple[Thread, ...]]]:
    """Find some of all threads, and the next cursor (0 = all found); a thread may come twice."""

    @checked
    def read(raw: Any) -> tuple[int, tuple[Thread, ...]]:
        return int(raw[0]), tuple(keys.thread_of_header(namespace, text(key)) for key in raw[1])

    return Plain(("SCAN", cursor, "MATCH", keys.all_headers(namespace), "COUNT", CHUNK), read)


@checked
def _header_or_none(raw: Any) -> Header | None:
    return None if raw is None else _header(raw)


def _header(raw: Any) -> Header:
    return Header(
        thread_id=read_thread_id(raw[0]),
        graph=text(raw[1]),
        fp=text(raw[2]),
        queue=text(raw[3]),
        st=text(raw[4]),
        run=text(raw[5]),
        modes=text(raw[6]),
        released=text(raw[7]),
        created=number(raw[8]),
        upd=number(raw[9]),
        ep=text(raw[10]),
        cp=text(raw[11]),
        step=number(raw[12]),
        stop=number(raw[13]),
        event_id=text(raw[16]) or "0-0",
        cfg=raw[17] or b"",
    )


@checked
def _outcome(raw: Any) -> RunOutcome | None:
    if raw[0] is None:
        return None
    status, cp = record(raw[0])
    return RunOutcome(status, cp, raw[1] or b"")


@checked
def _loaded(raw: Any) -> Loaded | None:
    if raw is None:
        return None
    kept = CallerWrites(blobs(raw[6][1:]), raw[6][:1] == [b"followed"])
    s, w, u = (pairs(part) for part in raw[7:]) if len(raw) > 7 else ({}, {}, {})  # noqa: PLR2004 - the open superstep follows
    return Loaded(
        header=_header(raw[0]),
        outcome=_outcome(raw[1:3]),
        checkpoint=raw[3],
        channels=named(raw[4]),
        tasks=tuple(_open_task(s, field[2:]) for field in s if field.startswith("t|")),
        writes=w,
        questions=tuple(_asked(u, s, tid) for tid in u),
        caller_writes=_open_writes(s, number(raw[0][15])) if s else kept,
        log=blobs(raw[5]),
    )


def _open_writes(s: Mapping[str, bytes], count: int) -> CallerWrites:
    return CallerWrites(tuple(s[f"z|{n}"] for n in range(count)))


def _open_task(s: Mapping[str, bytes], tid: str) -> OpenTask:
    st, rnd, _tok, att, lost, owner, queue, priority, _reads, answers = record(s[f"t|{tid}"])
    return OpenTask(
        tid=tid,
        st=st,
        rnd=rnd,
        att=att,
        lost=lost,
        owner=owner,
        queue=queue,
        priority=priority,
        blob=s[f"i|{tid}"],
        answers=tuple(s[f"r|{tid}|{n}"] for n in range(answers)),
        memo=s.get(f"m|{tid}"),
        error=s.get(f"e|{tid}"),
    )


def _asked(u: Mapping[str, bytes], s: Mapping[str, bytes], tid: str) -> OpenQuestions:
    questions = tuple((iid, int(deadline)) for iid, deadline in record(u[tid]))
    return OpenQuestions(tid, questions, s[f"v|{tid}"])


@checked
def _checkpoint_ids(raw: Any) -> tuple[int, tuple[str, ...]]:
    return int(raw[0]), tuple(text(field).rpartition("|")[2] for field in raw[1])


@checked
def _caller_writes(raw: Any) -> tuple[CallerWrites, ...]:
    lists = (() if part is None else items(part) for part in raw)
    return tuple(CallerWrites(each[1:], each[:1] == (b"followed",)) for each in lists)


@checked
def _names(raw: Any) -> tuple[int, tuple[str, ...]]:
    return int(raw[0]), tuple(text(field) for field in raw[1])


@checked
def _writes(raw: Any) -> tuple[int, dict[str, bytes]]:
    return int(raw[0]), _scanned(raw[1])


def _scanned(raw: Any) -> dict[str, bytes]:
    """Redis-py reads the reply of HSCAN into a dict by itself, under some protocols."""
    return {text(field): raw[field] for field in raw} if isinstance(raw, dict) else pairs(raw)


@checked
def _listed(raw: Any) -> tuple[Listed, ...]:
    return tuple(
        Listed(text(x), int(since), read_thread_id(name), text(graph), text(run))
        for x, since, name, graph, run in raw
    )


def event_blob(thread: Thread, ref: str) -> Plain[bytes | None]:
    """Read an event payload that was too large for the stream; None once it has expired."""

    def read(raw: Any) -> bytes | None:
        return raw if isinstance(raw, bytes) else None

    return Plain(("HGET", thread.event_blobs, ref), read)
