"""What is looked at, when, and what comes of it."""

from __future__ import annotations

import pytest
import redis

from checkpoint_redis.layout import DueKind
from checkpoint_redis.records import ResultEntry
from checkpoint_redis.replies import Due, OutboxEntry
from tests.support.thread_driver import LEASE, Driver

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def closed(d: Driver) -> str:
    """Bring the thread to a closed superstep, whose reducer holds the advance."""
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    return ep


def test_a_lost_advance_is_offered_again_later_each_time(d: Driver) -> None:
    ep = closed(d)
    hint = OutboxEntry("", ep, "@", "queue", 0)
    lost = Due(d.thread.x, "", ep, DueKind.advance, "@", (hint,))
    assert lost in d.sweep(after_ms=LEASE + 1)
    assert d.sweep() == ()
    assert lost in d.sweep(after_ms=15_001)
    assert d.sweep(after_ms=15_001) == ()


def test_who_takes_a_lost_advance_has_a_lease_for_it(d: Driver) -> None:
    ep = closed(d)
    d.sweep(after_ms=LEASE + 1)
    d.claim_advance(ep)
    assert [due.kind for due in d.sweep(after_ms=LEASE + 1)] == ["a"]


def test_a_sweep_makes_no_advance_where_there_is_none(d: Driver) -> None:
    ep = d.started("a")
    d.client.zadd(d.due_key, {f"{d.thread.x}|||a": 1})
    assert d.sweep() == ()
    assert (d.claim_advance(ep).status, d.due()) == ("busy", {"|d"})


def test_a_lease_that_ran_out_is_found_once(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    assert "l" in [due.kind for due in d.sweep(after_ms=LEASE + 1)]
    assert d.due() == {"|d"}
    assert d.claim(ep, "a", tok="second").status == "ok"


def test_what_an_empty_outbox_gets_again_is_looked_for(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    assert d.sweep(after_ms=3_000) == ()
    assert d.due() == {"a|l"}
    d.ledger.release(d.thread, "", ep, ("a",), owner="worker", max_lost=3)
    assert d.due() == {"|d"}


def test_an_answered_question_is_looked_for_and_its_deadline_is_over(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1", deadline=10**13)
    d.answer("a", "q1")
    assert d.due() == {"|d"}


def test_a_retry_looks_for_what_was_never_started(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.fail(ep, "a")
    d.complete(ep, "a", tok="zombie")
    assert d.due() == set()
    assert [hint.tid for hint in d.go_on("retry").hints] == ["b"]
    assert d.due() == {"|d"}


def test_a_retry_gives_what_still_runs_time_to_finish(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    d.sweep(after_ms=LEASE + 1)
    d.go_on("retry")
    assert d.due() == {"b|l", "|d"}


def test_what_a_zombie_finished_is_looked_for_no_more(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.sweep(after_ms=LEASE + 1)
    d.complete(ep, "a")
    assert [hint.tid for hint in d.ledger.outbox(d.thread, "", ep)[1]] == ["b"]


def test_all_tasks_that_are_queued_again_close_the_barrier_together(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.ask(ep, "a", "q1")
    d.ask(ep, "b", "q2")
    d.go_on("reask")
    for tid, closing in (("a", "open"), ("b", "advance")):
        (task,) = d.claim(ep, tid).tasks
        assert d.complete(ep, tid, rnd=task.rnd).closing == closing


def test_what_cannot_be_read_is_looked_at_again_after_a_while(d: Driver) -> None:
    d.claim(d.started("a"), "a")
    d.client.hset(f"{d.thread.prefix}s:", "t|a", "{")
    assert "unreadable" in [due.kind for due in d.sweep(after_ms=LEASE + 1)]
    assert d.sweep() == ()


def test_a_lost_outbox_is_found_among_thousands_of_others(d: Driver) -> None:
    d.started("a")
    others = {f"{n:024d}|||d": 10**13 for n in range(2_500)}
    d.client.zadd(d.due_key, others)
    seen: tuple[Due, ...] = ()
    for _ in range(2):
        seen = d.ledger.overdue(d.thread.namespace, d.thread.shard, empty=("queue",))
        waiting = d.client.hget(d.thread.header, "/ov").split()
        d.client.hset(d.thread.header, "/ov", f"{waiting[0].decode()} 1 {waiting[2].decode()}")
    assert [due.x for due in seen] == [d.thread.x]


def test_a_deadline_comes_before_a_later_one_of_the_same_task(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    result = ResultEntry("a", "", b"q", questions=(("q1", 10**13), ("q2", 0), ("q3", 1)))
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    assert [due.kind for due in d.sweep()] == ["i"]
