"""Commands of heartbeat, sweeper and publishing: what keeps leases, and what is overdue."""

# ruff: noqa: PLR0913 - the arguments are those of the wire
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands.read import checked, flags, hints, part, text
from checkpoint_redis.commands.script import Arguments, Plain, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import DueKind, DueRow, EmittedRow, LeaseRow, SweptReply
from checkpoint_redis.records import Lease
from checkpoint_redis.replies import Due, OutboxEntry, Released, Swept
from checkpoint_redis.sightings import Glance
from distgraph.checkpoint import formats

SWEEP_EVERY_MS = 900
KILL_WITHIN, DRAIN_WITHIN = 60, 86_400
"""Seconds for which workers are told to end what runs in vain, and which runs are to stop."""
Living = Mapping[str, int] | None
"""The greatest format that living workers read, by what they serve; None = nobody knows."""


def release(
    thread: Thread,
    ns: str,
    ep: str,
    tids: tuple[str, ...],
    *,
    owner: str,
    max_lost: int,
    lost: bytes = b"",
    given_back: bool = False,
) -> Script[Released]:
    """Queue the tasks that ``owner`` held, because it died.

    ``given_back``: because it shuts down, which counts as no attempt; so may who holds the advance,
    whose token stands for ``owner`` then. More than ``max_lost``
    losses of a task end the run with ``lost``.
    """
    arguments = Arguments()
    return arguments.script(
        "release",
        thread,
        _released,
        ns=ns,
        ep=ep,
        tids=tids,
        owner=owner,
        max_lost=max_lost,
        error=arguments.add(lost),
        given_back=given_back,
    )


def beat(
    namespace: str, shard: int, leases: tuple[Lease, ...], *, lease_ms: int
) -> Script[tuple[bool, ...]]:
    """Renew leases of one shard; False: lost, stop working."""
    held = [
        LeaseRow(x=each.x, ns=each.ns, epoch=each.ep, tid=each.tid, token=each.tok)
        for each in leases
    ]
    key = keys.due(namespace, shard)
    return Arguments().script("beat", key, flags, leases=held, lease=lease_ms)


def published(thread: Thread, ns: str, ep: str) -> Script[bool]:
    """Tell that the hints are out: the outbox is looked at 15 s later."""
    return Arguments().script("published", thread, bool, ns=ns, ep=ep)


def sweep(
    namespace: str,
    shard: int,
    *,
    limit: int = 100,
    max_lost: int,
    lost: bytes = b"",
    living: Living = None,
    outboxes: bool = True,
) -> Script[Swept]:
    """Act on what is due in a shard, and return what has to be published.

    No hint is sent again that no living worker would take, and none without a look at ``outboxes``.

    At most ``limit`` entries are looked at: when it were so many, another call may find more.
    """
    arguments = Arguments()
    return arguments.script(
        "sweep",
        keys.due(namespace, shard),
        _swept,
        limit=limit,
        max_lost=max_lost,
        error=arguments.add(lost),
        living=False if living is None else living,
        outboxes=outboxes,
    )


def glance(namespace: str, shards: Sequence[int]) -> Script[Glance]:
    """Find those of ``shards`` that have something to look at.

    The shards are one alone where they lie on several servers.
    """
    found = tuple(key for shard in shards for key in keys.planned(namespace, shard))

    @checked
    def read(raw: Any) -> Glance:
        due, waiting = ([shards[number] for number in part] for part in raw)
        return Glance(tuple(due), tuple(waiting))

    return Script("glance", found, (), read)


def kill(namespace: str, x: str) -> Plain[bool]:
    """Have nodes of a thread ended that run in vain, on workers that look within a minute."""
    return Plain(("SET", keys.killed(namespace, x), 1, "EX", KILL_WITHIN), bool)


def is_killed(namespace: str, x: str) -> Plain[bool]:
    """Ask whether they are to be."""
    return Plain(("EXISTS", keys.killed(namespace, x)), bool)


def drain(thread: Thread, run: str, reason: str) -> Plain[bool]:
    """Have a run stop at the next superstep that it begins within a day."""
    key = keys.drained(thread.namespace, thread.x, run)
    return Plain(("SET", key, reason, "EX", DRAIN_WITHIN), bool)


def drained(thread: Thread, run: str) -> Plain[str | None]:
    """Ask why a run is to stop; None where it is not."""
    return Plain(("GET", keys.drained(thread.namespace, thread.x, run)), _text)


def _text(reply: bytes | None) -> str | None:
    return None if reply is None else reply.decode()


def sweeper_turn(namespace: str, owner: str) -> Plain[bool]:
    """Ask for the right to sweep all shards now; it lapses by itself.

    It is for workers of one format, since one that reads less passes over what others have to do.
    """
    key = keys.sweeper(namespace, formats.FORMAT)
    words = ("SET", key, owner, "NX", "PX", SWEEP_EVERY_MS)
    return Plain(words, bool)


def outbox(
    thread: Thread, ns: str, ep: str, cursor: int = 0, *, count: int = 1_000
) -> Script[tuple[int, tuple[OutboxEntry, ...]]]:
    """Read about ``count`` tasks of the whole outbox, and the next cursor (0 = all read)."""
    return Arguments().script("outbox", thread, _outbox, ns=ns, ep=ep, cursor=cursor, count=count)


def overdue(
    namespace: str,
    shard: int,
    *,
    empty: tuple[str, ...],
    living: Living = None,
    cursor: int = 0,
) -> Script[tuple[int, tuple[Due, ...]]]:
    """Find frames whose hints are gone, while the queues ``empty`` hold no message.

    Those are found whose outbox has not shrunk since a call before, at least 0.9 s ago, and each
    later every time. With the next cursor (0 = all outboxes of the shard were looked at).
    """
    key = keys.due(namespace, shard)
    known = False if living is None else living
    return Arguments().script("overdue", key, _dues, empty=empty, living=known, cursor=cursor)


def emit(
    thread: Thread,
    run: str,
    ns: str,
    tid: str,
    *,
    tok: str,
    first: int,
    blobs: tuple[bytes, ...],
    frames: tuple[str, ...] = (),
) -> Script[bool]:
    """Append chunks of a task's attempt, of which ``blobs[0]`` is number ``first`` (from 1).

    ``frames``: of each the hash of the frame inside the task that it is of, '' for the task's own.
    Those that came before are not appended again. False when it is no longer the attempt under way.
    """
    arguments = Arguments()
    named = zip(frames or ("",) * len(blobs), blobs, strict=True)
    rows = [EmittedRow(frame=frame, blob=arguments.add(blob)) for frame, blob in named]
    return arguments.script(
        "emit", thread, bool, run=run, ns=ns, tid=tid, tok=tok, first=first, chunks=rows
    )


@checked
def _released(raw: Any) -> Released:
    match [text(each) if isinstance(each, bytes) else each for each in raw]:
        case ["released", found]:
            return Released("released", hints(found))
        case ["failed", up]:
            return Released("failed", up=hints(up))
        case ["gone"]:
            return Released("gone")
        case other:
            raise ValueError(f"release answered {other[:1]}")


@checked
def _swept(raw: Any) -> Swept:
    reply = SweptReply._make(raw)
    found = tuple(_due(DueRow._make(each)) for each in reply.due)
    return Swept(found, bool(reply.more), bool(reply.outboxes))


@checked
def _dues(raw: Any) -> tuple[int, tuple[Due, ...]]:
    cursor, found = part(raw)
    return cursor, tuple(_due(DueRow._make(each)) for each in found)


def _due(row: DueRow) -> Due:
    return Due(
        x=text(row.x),
        ns=text(row.ns),
        ep=text(row.epoch),
        kind=DueKind(text(row.kind)),
        tid=text(row.tid),
        hints=hints(row.hints),
    )


@checked
def _outbox(raw: Any) -> tuple[int, tuple[OutboxEntry, ...]]:
    cursor, found = part(raw)
    return cursor, hints(found)
