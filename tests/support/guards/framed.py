"""Guards of frames inside tasks that have jobs of their own: a frame's fields are its key's."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import Limit, ThreadKey
from checkpoint_redis.records import CheckpointEntry, ResultEntry
from checkpoint_redis.replies import Committed
from tests.support.frame_driver import INSIDE, Frame
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, superstep

NS = FrameName("node:task").hash


def opened(d: Driver, *tids: str) -> str:
    """Park the task of a start for a frame that has these tasks, at step 7; return its epoch."""
    around = d.started("task")
    d.claim(around, "task")
    checkpoint = CheckpointEntry("in-0", b"in-0", 7, ("c@in-0",), {"c@in-0": b"value"})
    step = replace(superstep("in-0", *tids), checkpoints=(checkpoint,))
    return Frame(d, "node:task", tid="task").park(around, step=step).ep


def claim(d: Driver, ep: str, *tids: str) -> int:
    claimed = d.ledger.claim(
        d.thread, NS, ep, tids, tok="t", owner="worker", lease_ms=LEASE, served=INSIDE
    )
    assert claimed.status == "ok"
    assert claimed.context is not None
    return claimed.context.head.step


def closed(d: Driver) -> str:
    """Close a superstep of the frame, whose advance `adv` has; return its epoch."""
    ep = opened(d, "a", "b")
    assert claim(d, ep, "a", "b") == 7
    for tid, closing in (("a", "open"), ("b", "advance")):
        recorded = d.ledger.complete(
            d.thread, NS, ep, (ResultEntry(tid, "", b"w"),), tok="t", tok2="adv", lease_ms=LEASE
        )
        assert recorded.closing == closing
    return ep


def header(d: Driver) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = d.client.hgetall(d.thread.header)
    return {field: found[field] for field in sorted(found) if field.startswith(b"/")}


def a_frames_superstep_leaves_the_header_alone(d: Driver) -> None:
    ep = opened(d, "a", "b")
    before = header(d)
    assert claim(d, ep, "a", "b") == 7
    for tid in ("a", "b"):
        d.ledger.complete(
            d.thread, NS, ep, (ResultEntry(tid, "", b"w"),), tok="t", tok2="adv", lease_ms=LEASE
        )
    step = superstep("in-1", "c")
    committed = d.ledger.commit(d.thread, NS, ep, step, advtok="adv")
    assert committed == Committed("go", step.ep)
    assert header(d) == before
    assert d.ledger.commit(d.thread, NS, ep, step, advtok="adv") == Committed("again", step.ep)
    assert claim(d, step.ep, "c") == 0


def only_the_holder_of_a_frames_advance_commits(d: Driver) -> None:
    ep = closed(d)
    step = superstep("in-1", "c")
    assert d.ledger.commit(d.thread, NS, ep, step, advtok="other").status == "stale"
    released = d.ledger.release(d.thread, NS, ep, ("@",), owner="adv", max_lost=3, given_back=True)
    assert [hint.ep for hint in released.hints] == [ep]
    taken = d.ledger.claim_advance(
        d.thread, NS, ep, tok="next", lease_ms=LEASE, served=INSIDE, max_advances=1, lost=b"lost"
    )
    assert taken.status == "advance"


def what_is_lost_of_a_frame_is_found(d: Driver) -> None:
    ep = opened(d, "a")
    d.client.zadd(d.outboxes_key, {f"{d.thread.x}|{NS}||d": 1})
    (found,) = d.sweep()
    assert (found.ns, found.ep, [hint.ep for hint in found.hints]) == (NS, ep, [ep])
    claim(d, ep, "a")
    found, *_ = d.sweep(after_ms=LEASE + 1)
    assert (found.ns, found.ep, found.tid) == (NS, ep, "a")
    assert not any(field.startswith(b"/dk") for field in header(d))


def a_frame_beside_an_empty_queue_is_found(d: Driver) -> None:
    ep = opened(d, "a")
    d.client.zadd(d.outboxes_key, {f"{d.thread.x}|{NS}||d": 1})
    namespace, shard = d.thread.namespace, d.thread.shard
    d.ledger.overdue(namespace, shard, empty=("queue",))
    frame = f"{d.thread.prefix}{ThreadKey.frame}{NS}"
    size, _, pause = (d.client.hget(frame, "/ov") or b"0 0 0").split()
    d.client.hset(frame, "/ov", b"%s 1 %s" % (size, pause))
    _, found = d.ledger.overdue(namespace, shard, empty=("queue",))
    assert [(each.ns, each.ep) for each in found] == [(NS, ep)]


def a_frame_is_told_less_often_while_nobody_takes_it(d: Driver) -> None:
    ep = opened(d, "a")
    key = f"{d.thread.prefix}{ThreadKey.frame}{NS}"
    d.client.zadd(d.outboxes_key, {f"{d.thread.x}|{NS}||d": 10**14})
    d.client.hset(key, "/dk", "3 1")
    d.ledger.claim(
        d.thread, NS, ep, ("a",), tok="t", owner="w", lease_ms=LEASE, served=("other@1",)
    )
    (at,) = (score for _, score in d.client.zrange(d.outboxes_key, 0, -1, withscores=True)[-1:])
    now = d.client.time()[0] * 1000
    assert at > now + 4 * Limit.unserved_ms


ALONE = "  if ns == '' then return call('HMGET', H, unpack(all)) end\n"
GUARDS = (
    Guard(
        a_frames_superstep_leaves_the_header_alone,
        "lib.lua",
        ALONE,
        ALONE.replace("ns == ''", "true"),
    ),
    Guard(
        a_frames_superstep_leaves_the_header_alone,
        "context.lua",
        "  if ns ~= '' then\n",
        "  if false then\n",
    ),
    Guard(
        a_frames_superstep_leaves_the_header_alone,
        "open.lua",
        "if call('HGET', frame_key(ns), FRAME.epoch) ~= s.ep",
        "if call('HGET', H, FRAME.epoch) ~= s.ep",
    ),
    Guard(
        a_frames_superstep_leaves_the_header_alone,
        "open.lua",
        "call('HSET', frame_key(ns)",
        "call('HSET', H",
    ),
    Guard(
        only_the_holder_of_a_frames_advance_commits,
        "release.lua",
        "call('HINCRBY', frame_key(A.ns)",
        "call('HINCRBY', H",
    ),
    Guard(
        only_the_holder_of_a_frames_advance_commits,
        "barrier.lua",
        "call('HSET', frame_key(ns), FRAME.advance, ADVANCE.leased",
        "call('HSET', H, FRAME.advance, ADVANCE.leased",
    ),
    Guard(
        what_is_lost_of_a_frame_is_found,
        "sweep.lua",
        "call('HSET', frame_key(ns), FRAME.visited",
        "call('HSET', H, FRAME.visited",
    ),
    Guard(
        what_is_lost_of_a_frame_is_found,
        "sweep.lua",
        "call('HGET', frame_key(ns), FRAME.epoch)",
        "call('HGET', H, FRAME.epoch)",
    ),
    Guard(
        a_frame_beside_an_empty_queue_is_found,
        "overdue.lua",
        "own_key = P .. KEY.queued .. ns, frame_key(ns)",
        "own_key = P .. KEY.queued .. ns, H",
    ),
    Guard(
        a_frame_is_told_less_often_while_nobody_takes_it,
        "due.lua",
        "call('HGET', frame_key(ns), FRAME.visited)",
        "call('HGET', H, FRAME.visited)",
    ),
)
