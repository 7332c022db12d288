"""Guards of formats: a sweeper that is too old passes over a thread, and does the rest."""

from __future__ import annotations

from checkpoint_redis.layout import DueKind
from tests.support.guards import Guard
from tests.support.newer import newer
from tests.support.thread_driver import LEASE, Driver
from tests.support.upgraded import all_of, upgrade


def a_sweeper_that_is_too_old_passes_over(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    upgrade(d)
    assert d.sweep(after_ms=LEASE + 1) == ()
    assert d.due() == {"|d", "a|l"}
    with newer():
        assert d.states() == {"a": "R"}
        (found, *_) = d.sweep(after_ms=1)
        assert found.kind is DueKind.lease


def what_is_passed_over_uses_up_no_limit(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    d.pass_time(100_000)
    d.client.zadd(d.due_key, {f"{d.thread.x}||t{n}|l": 1 for n in range(7)})
    other = Driver(d.client, d.thread.namespace, beside(d))
    ep = other.started("b")
    other.claim(ep, "b")
    other.client.delete(d.outboxes_key)
    other.pass_time(50_000)
    found = d.ledger.sweep(d.thread.namespace, d.thread.shard, limit=2, max_lost=3)
    assert [(due.x, due.ep) for due in found.found] == [(other.thread.x, ep)]


def beside(d: Driver) -> str:
    """Return the id of another thread of the same shard."""
    n = 0
    while Driver(d.client, d.thread.namespace, f"other {n}").thread.shard != d.thread.shard:
        n += 1
    return f"other {n}"


def what_is_passed_over_has_an_end(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    d.client.zadd(d.due_key, {f"{d.thread.x}||t{n}|l": 1 for n in range(2_500)})
    d.ledger.sweep(d.thread.namespace, d.thread.shard, limit=500, max_lost=3)
    assert d.client.zcount(d.due_key, 1, 1) == 2_000


def lost_hints_of_a_newer_thread_are_not_looked_for(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    namespace, shard = d.thread.namespace, d.thread.shard
    before = all_of(d)
    d.ledger.overdue(namespace, shard, empty=("queue",))
    assert all_of(d) == before


GUARDS = (
    Guard(
        a_sweeper_that_is_too_old_passes_over,
        "sweep.lua",
        "if needed(number) then",
        "if false then",
    ),
    Guard(
        what_is_passed_over_uses_up_no_limit,
        "sweep.lua",
        "    due(ns, tid, kind, now() + 1)\n",
        "",
    ),
    Guard(
        what_is_passed_over_uses_up_no_limit,
        "sweep.lua",
        "elseif newer then passed = passed + 1 end",
        "end",
    ),
    Guard(what_is_passed_over_has_an_end, "sweep.lua", " or looked >= LIMIT.passed", ""),
    Guard(
        lost_hints_of_a_newer_thread_are_not_looked_for,
        "overdue.lua",
        "  if needed(number) then return false end\n",
        "",
    ),
)
