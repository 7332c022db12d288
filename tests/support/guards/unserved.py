"""Guards of what no worker here can take: it waits unharmed, and is told of again with pauses."""

from __future__ import annotations

from checkpoint_redis.commands import Living
from checkpoint_redis.layout import Limit
from checkpoint_redis.replies import Claimed
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver

OTHER = ("graph@2",)
LIVES: Living = {"graph@1": 1}


def claim_as_another(d: Driver, ep: str) -> Claimed:
    return d.ledger.claim(
        d.thread, "", ep, ("a",), tok="t", owner="w", lease_ms=LEASE, served=OTHER
    )


def published(d: Driver) -> str:
    ep = d.started("a")
    d.ledger.published(d.thread, "", ep)
    return ep


def what_a_worker_could_not_take_is_told_of_again_in_a_second(d: Driver) -> None:
    ep = published(d)
    assert claim_as_another(d, ep).status == "unserved"
    assert d.sweep(after_ms=Limit.unserved_ms - 500) == ()
    assert [due.kind for due in d.sweep(after_ms=501)] == ["d"]
    task = d.claim(ep, "a").tasks[0]
    assert (task.status, task.att) == ("ok", 1)


def it_is_told_of_later_each_time(d: Driver) -> None:
    ep, pause = published(d), Limit.unserved_ms
    for _ in range(8):
        claim_as_another(d, ep)
        assert d.sweep(after_ms=pause - 500) == ()
        assert [due.kind for due in d.sweep(after_ms=501)] == ["d"]
        pause = min(2 * pause, Limit.unserved_max_ms)


def it_is_never_told_of_later_than_it_would_be(d: Driver) -> None:
    ep = d.started("a")
    d.pass_time(Limit.outbox_ms - 100)
    claim_as_another(d, ep)
    assert [due.kind for due in d.sweep(after_ms=101)] == ["d"]


def a_hint_to_what_is_over_tells_nobody_again(d: Driver) -> None:
    ep = published(d)
    claim_as_another(d, "0" * 16)
    assert d.sweep(after_ms=Limit.unserved_ms + 1) == ()
    assert d.claim(ep, "a").status == "ok"


def an_advance_that_a_worker_could_not_take_is_told_of_again(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="")
    refused = d.ledger.claim_advance(d.thread, "", ep, tok="t", lease_ms=LEASE, served=OTHER)
    assert refused.status == "unserved"
    assert d.sweep(after_ms=Limit.unserved_ms - 500) == ()
    assert [due.kind for due in d.sweep(after_ms=501)] == ["a"]


def nobody_is_told_of_what_nobody_alive_would_take(d: Driver) -> None:
    published(d)
    d.pass_time(Limit.recheck_ms)
    for living in ({}, {"graph@2": 9}, {"graph@1": 0}):
        assert d.sweep(living=living) == ()
        d.pass_time(Limit.unserved_max_ms)
    assert [due.kind for due in d.sweep(living=LIVES)] == ["d"]


def what_nobody_alive_would_take_is_looked_at_again_later(d: Driver) -> None:
    published(d)
    d.pass_time(Limit.recheck_ms)
    assert d.sweep(living={}) == ()
    assert d.sweep(after_ms=Limit.unserved_max_ms - 1_000, living=LIVES) == ()
    assert [due.kind for due in d.sweep(after_ms=1_001, living=LIVES)] == ["d"]


def nobody_looks_for_hints_that_nobody_alive_would_take(d: Driver) -> None:
    d.started("a")
    namespace, shard = d.thread.namespace, d.thread.shard
    for living in ({}, {"graph@2": 9}):
        d.ledger.overdue(namespace, shard, empty=("queue",), living=living)
        assert d.client.hget(d.thread.header, "/ov") is None
    d.ledger.overdue(namespace, shard, empty=("queue",), living=LIVES)
    assert d.client.hget(d.thread.header, "/ov") is not None


GUARDS = (
    Guard(
        what_a_worker_could_not_take_is_told_of_again_in_a_second,
        "claim.lua",
        "  due_again(A.ns, DUE.outbox)\n",
        "",
    ),
    Guard(
        it_is_told_of_later_each_time,
        "due.lua",
        "LIMIT.unserved_ms * 2 ^ visits",
        "LIMIT.unserved_ms",
    ),
    Guard(
        it_is_told_of_later_each_time,
        "due.lua",
        "math.min(LIMIT.unserved_ms * 2 ^ visits, LIMIT.unserved_max_ms)",
        "LIMIT.unserved_ms * 2 ^ visits",
    ),
    Guard(
        it_is_never_told_of_later_than_it_would_be,
        "due.lua",
        "planned and tonumber(planned) > at then call('ZADD', key",
        "planned then call('ZADD', key",
    ),
    Guard(
        a_hint_to_what_is_over_tells_nobody_again,
        "claim.lua",
        "beyond or frame and not_served(A.ns, frame, A.served)",
        "beyond or not_served(A.ns, frame or {graph = '', fp = ''}, A.served)",
    ),
    Guard(
        an_advance_that_a_worker_could_not_take_is_told_of_again,
        "claim_advance.lua",
        "  due_again(A.ns, DUE.advance)\n",
        "",
    ),
    Guard(
        what_nobody_alive_would_take_is_looked_at_again_later,
        "sweep.lua",
        "    due(ns, '', kind, now() + LIMIT.unserved_max_ms)\n",
        "",
    ),
    Guard(
        nobody_is_told_of_what_nobody_alive_would_take,
        "sweep.lua",
        "tid == '' and not finds_worker(ns, number)",
        "false",
    ),
    Guard(
        nobody_is_told_of_what_nobody_alive_would_take,
        "living.lua",
        "(reads or 0) >= tonumber(number or 0)",
        "reads",
    ),
    Guard(
        nobody_looks_for_hints_that_nobody_alive_would_take,
        "overdue.lua",
        "  if not finds_worker(ns, number) then return false end\n",
        "",
    ),
)
