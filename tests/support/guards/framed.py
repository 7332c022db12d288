"""Guards of frames inside tasks that have jobs of their own: a frame's fields are its key's."""

from __future__ import annotations

from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import Limit, ThreadKey
from checkpoint_redis.records import ResultEntry
from checkpoint_redis.replies import Committed
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, SERVED, Driver, nonce, superstep

NS = FrameName("node:task").hash
PARTS = (ThreadKey.tasks, ThreadKey.active, ThreadKey.queued)


def opened(d: Driver, *tids: str) -> str:
    """Make the superstep that a start opened that of a frame inside a task; return its epoch."""
    ep, prefix = d.started(*tids), d.thread.prefix
    for part in PARTS:
        d.client.rename(f"{prefix}{part}", f"{prefix}{part}{NS}")
    frame = f"{prefix}{ThreadKey.frame}{NS}"
    d.client.hset(
        frame, mapping={"/ep": ep, "/cp": "in-0", "/step": "7", "graph": "graph", "fp": "1"}
    )
    d.client.hset(d.thread.header, "/ep", nonce())
    for name in ("k||cp-0", "f|", "v||c@cp-0"):
        inner = name.replace("|cp-0", f"{NS}|in-0").replace("||c@", f"|{NS}|c@")
        inner = inner if inner != "f|" else f"f|{NS}"
        d.client.hset(d.thread.checkpoints, inner, d.client.hget(d.thread.checkpoints, name))
    return ep


def claim(d: Driver, ep: str, *tids: str) -> int:
    claimed = d.ledger.claim(
        d.thread, NS, ep, tids, tok="t", owner="worker", lease_ms=LEASE, served=SERVED
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
        d.thread, NS, ep, tok="next", lease_ms=LEASE, served=SERVED, max_advances=1, lost=b"lost"
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
        "commit.lua",
        "frame_key(A.ns)",
        "H",
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
