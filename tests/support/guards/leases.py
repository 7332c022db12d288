"""Guards of leases: heartbeat, release and sweep touch what is theirs."""

from __future__ import annotations

from checkpoint_redis.records import (
    Lease,
)
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


GUARDS = (
    Guard(a_release_from_a_failed_run_starts_nothing, "release.lua", "busy and lose", "lose"),
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
        "if not task or task[TASK.state] ~= expected then return end",
        "",
    ),
    Guard(
        a_sweep_lets_a_thread_at_rest_rest,
        "sweep.lua",
        "elseif call('HGET', H, HEADER.status) ~= STATUS.busy then",
        "elseif false then",
    ),
)
