"""Guards of leases: heartbeat, release and sweep touch what is theirs."""

from __future__ import annotations

from itertools import count, islice

from checkpoint_redis import keys
from checkpoint_redis.layout import Limit
from checkpoint_redis.records import Lease
from checkpoint_redis.replies import OutboxEntry
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce


def a_release_from_a_failed_run_starts_nothing(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    reply = d.ledger.release(d.thread, "", ep, ("b",), owner="worker", max_lost=0)
    assert (reply.status, reply.hints, d.due()) == ("released", (), set())
    assert (d.status, d.states()) == ("error", {"a": "X", "b": "Q"})


def a_worker_releases_only_what_it_still_holds(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a", tok="first", owner="dead")
    d.sweep(after_ms=LEASE + 1)
    d.claim(ep, "a", tok="second", owner="alive")
    reply = d.ledger.release(d.thread, "", ep, ("a",), owner="dead", max_lost=3)
    assert reply.hints == ()
    assert d.states() == {"a": "R"}


def a_task_that_kills_its_workers_ends_the_run(d: Driver) -> None:
    ep = d.started("a")
    for _ in range(2):
        d.claim(ep, "a", tok=nonce())
        d.sweep(after_ms=LEASE + 1, max_lost=1)
    assert d.outcome() == "error"


def a_reducer_that_is_told_to_end_gives_the_advance_back(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.client.delete(d.due_key)

    def given_back(owner: str) -> tuple[OutboxEntry, ...]:
        return d.ledger.release(
            d.thread, "", ep, ("@",), owner=owner, max_lost=0, given_back=True
        ).hints

    assert given_back("other") == ()
    assert given_back("adv") == (OutboxEntry("", ep, "@", "queue", 0),)
    assert d.due() == {"|a", "|d"}
    assert given_back("adv") == ()
    assert [d.claim_advance(ep, "new", max_advances=1).status for _ in range(2)] == ["advance"] * 2


def a_beat_renews_only_the_present_attempt(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a", tok="first")
    d.sweep(after_ms=LEASE + 1)
    d.claim(ep, "a", tok="second")
    leases = tuple(Lease(d.thread.x, "", ep, "a", tok) for tok in ("first", "second"))
    namespace, shard = d.thread.namespace, d.thread.shard
    assert d.ledger.beat(namespace, shard, leases, lease_ms=LEASE) == (False, True)


def a_beat_renews_only_the_present_reducer(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="adv")
    leases = tuple(Lease(d.thread.x, "", ep, "@", tok) for tok in ("other", "adv"))
    namespace, shard = d.thread.namespace, d.thread.shard
    assert d.ledger.beat(namespace, shard, leases, lease_ms=LEASE) == (False, True)


def a_sweep_leaves_a_task_that_is_done(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.client.zadd(d.due_key, {f"{d.thread.x}||a|l": 1})
    assert d.sweep() == ()
    assert d.states() == {"a": "D", "b": "Q"}


def a_sweep_lets_a_thread_at_rest_rest(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    assert d.sweep(after_ms=LEASE + 1) == ()
    assert d.states() == {"a": "X", "b": "R"}
    assert d.due() == set()


def a_lost_advance_is_handed_out_later_each_time(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    (due,) = d.sweep(after_ms=LEASE + 1)
    assert [(hint.tid, hint.queue, hint.ep) for hint in due.hints] == [("@", "queue", ep)]
    assert d.sweep(after_ms=14_000) == ()
    assert len(d.sweep(after_ms=2_000)) == 1
    assert d.sweep(after_ms=29_000) == ()


def what_is_not_so_any_more_is_not_due(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.claim(ep, "b")
    stale = (f"{d.thread.x}||{end}" for end in ("a|l", "a|b", "none|l", "|a"))
    d.client.zadd(d.due_key, dict.fromkeys(stale, 1))
    d.client.zadd(d.outboxes_key, {f"{d.thread.x}|||d": 1})
    assert d.sweep() == ()
    assert d.due() == {"b|l"}


def what_cannot_be_read_waits(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.client.hset(f"{d.thread.prefix}s:", "t|a", "{")
    d.client.zadd(d.due_key, {"no member": 1, f"{d.thread.x}|||d": 1})
    d.client.zadd(d.outboxes_key, {f"{d.thread.x}||a|l": 1})
    assert [due.kind for due in d.sweep(after_ms=LEASE + 1)] == ["unreadable"]
    assert d.client.zrange(d.due_key, 0, -1) == [f"{d.thread.x}||a|l".encode()]
    assert d.client.zrange(d.outboxes_key, 0, -1) == []


def a_beat_puts_the_end_of_a_lease_off(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.pass_time(LEASE - 1)
    lease = Lease(d.thread.x, "", ep, "a", "t")
    assert d.ledger.beat(d.thread.namespace, d.thread.shard, (lease,), lease_ms=LEASE) == (True,)
    assert [due.kind for due in d.sweep(after_ms=LEASE - 1_000)] == ["d"]
    assert d.states() == {"a": "R", "b": "Q"}


def a_beat_puts_the_end_of_an_advance_off(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.pass_time(LEASE - 1)
    lease = Lease(d.thread.x, "", ep, "@", "adv")
    assert d.ledger.beat(d.thread.namespace, d.thread.shard, (lease,), lease_ms=LEASE) == (True,)
    assert d.sweep(after_ms=LEASE - 1_000) == ()


def a_look_that_finds_as_much_as_it_may_says_so(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.pass_time(LEASE + 1)
    namespace, shard = d.thread.namespace, d.thread.shard
    looks = [d.ledger.sweep(namespace, shard, limit=1, max_lost=3) for _ in range(3)]
    assert [(len(look.found), look.more) for look in looks] == [(1, True), (1, True), (0, False)]


def a_look_gives_as_many_hints_as_a_reply_may_hold(d: Driver) -> None:
    namespace, shard = d.thread.namespace, d.thread.shard
    beside = (n for n in count() if keys.Thread(namespace, str(n)).shard == shard)
    for n in islice(beside, 2 * Limit.hints // Limit.sample + 1):
        Driver(d.client, namespace, str(n)).started(*(f"t{n}" for n in range(Limit.sample)))
    d.pass_time(Limit.outbox_ms + 1)
    looks = [d.ledger.sweep(namespace, shard, max_lost=3) for _ in range(3)]
    given = [sum(len(due.hints) for due in look.found) for look in looks]
    assert given == [Limit.hints, Limit.hints, Limit.sample]
    assert [look.more for look in looks] == [True, True, False]


GUARDS = (
    Guard(
        a_reducer_that_is_told_to_end_gives_the_advance_back,
        "release.lua",
        " or frame.token ~= A.owner then return end",
        " then return end",
    ),
    Guard(
        a_reducer_that_is_told_to_end_gives_the_advance_back,
        "release.lua",
        "  call('HSET', frame_key(A.ns), FRAME.advance, ADVANCE.waiting, FRAME.advance_token,"
        " '')\n",
        "",
    ),
    Guard(
        a_reducer_that_is_told_to_end_gives_the_advance_back,
        "release.lua",
        "  call('HINCRBY', frame_key(A.ns), FRAME.advances, -1)\n",
        "",
    ),
    Guard(
        a_reducer_that_is_told_to_end_gives_the_advance_back,
        "release.lua",
        "  due(A.ns, '', DUE.advance, now() + LIMIT.outbox_ms)\n",
        "",
    ),
    Guard(
        a_look_gives_as_many_hints_as_a_reply_may_hold,
        "sweep.lua",
        "    if told >= LIMIT.hints then return limit, 0 end\n",
        "",
    ),
    Guard(
        what_cannot_be_read_waits,
        "sweep.lua",
        " or planned_in(kind) ~= key then",
        " then",
    ),
    Guard(
        a_look_that_finds_as_much_as_it_may_says_so,
        "sweep.lua",
        "more = count == limit",
        "more = false",
    ),
    Guard(
        a_lost_advance_is_handed_out_later_each_time,
        "sweep.lua",
        "  later(ns, DUE.advance, 1)\n",
        "",
    ),
    Guard(
        what_is_not_so_any_more_is_not_due,
        "sweep.lua",
        "  not_due(ns, tid, kind)\n  local leased",
        "  local leased",
    ),
    Guard(
        what_is_not_so_any_more_is_not_due,
        "sweep.lua",
        "if #tids == 0 then return not_due(ns, '', DUE.outbox) end",
        "if #tids == 0 then return end",
    ),
    Guard(
        what_is_not_so_any_more_is_not_due,
        "sweep.lua",
        "if not advance then return not_due(ns, '', DUE.advance) end",
        "if not advance then return end",
    ),
    Guard(
        what_cannot_be_read_waits,
        "sweep.lua",
        "      found(ns, DUE.unreadable, tid, {})\n",
        "",
    ),
    Guard(what_cannot_be_read_waits, "sweep.lua", "call('ZREM', key, each)", "call('PING')"),
    Guard(
        a_beat_puts_the_end_of_a_lease_off,
        "beat.lua",
        "else due(ns, tid, DUE.lease",
        "else now(ns, tid, DUE.lease",
    ),
    Guard(
        a_beat_puts_the_end_of_an_advance_off,
        "beat.lua",
        "then due(ns, '', DUE.advance",
        "then now(ns, '', DUE.advance",
    ),
    Guard(a_release_from_a_failed_run_starts_nothing, "release.lua", "elseif busy then", "else"),
    Guard(
        a_worker_releases_only_what_it_still_holds,
        "release.lua",
        " and task[TASK.owner] == A.owner",
        "",
    ),
    Guard(
        a_task_that_kills_its_workers_ends_the_run,
        "failing.lua",
        "if task[TASK.lost] <= max then",
        "if true then",
    ),
    Guard(a_beat_renews_only_the_present_attempt, "beat.lua", " and task[TASK.token] == token", ""),
    Guard(a_beat_renews_only_the_present_reducer, "beat.lua", " and frame.token == token", ""),
    Guard(
        a_sweep_leaves_a_task_that_is_done,
        "sweep.lua",
        "if not begins_again and (not task or task[TASK.state] ~= expected) then return end",
        "",
    ),
    Guard(
        a_sweep_lets_a_thread_at_rest_rest,
        "sweep.lua",
        "elseif st ~= STATUS.busy then",
        "elseif false then",
    ),
)
