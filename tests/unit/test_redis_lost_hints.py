"""When what waits in an outbox is looked for again, and when its hints are taken for lost."""

from __future__ import annotations

import json

import pytest
import redis

from checkpoint_redis import keys
from checkpoint_redis.layout import DueKind, Limit, TaskRow
from checkpoint_redis.replies import Due
from tests.support.thread_driver import Driver

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def lost(d: Driver, *empty: str, after_ms: int = 0) -> tuple[Due, ...]:
    """Return the frames that are found while the queues ``empty`` are, some time later."""
    header = d.thread.header
    if seen := d.client.hget(header, "/ov"):
        size, at, pause = (int(part) for part in seen.split())
        d.client.hset(header, "/ov", f"{size} {at - after_ms} {pause}")
    cursor, found = d.ledger.overdue(d.thread.namespace, d.thread.shard, empty=empty)
    while cursor:
        cursor, more = d.ledger.overdue(
            d.thread.namespace, d.thread.shard, empty=empty, cursor=cursor
        )
        found += more
    return found


def test_published_hints_are_looked_at_later(d: Driver) -> None:
    ep = d.started("a")
    assert d.ledger.published(d.thread, "", ep)
    assert d.sweep(after_ms=14_000) == ()
    assert [due.kind for due in d.sweep(after_ms=2_000)] == ["d"]
    assert d.sweep(after_ms=14_000) == ()
    assert [due.kind for due in d.sweep(after_ms=2_000)] == ["d"]
    assert d.sweep(after_ms=16_000) == ()


def test_an_outbox_that_shrank_is_looked_at_as_soon_as_at_first(d: Driver) -> None:
    ep = d.started("a", "b")
    for after_ms in (3_000, 16_000, 31_000):
        assert [due.kind for due in d.sweep(after_ms=after_ms)] == ["d"]
    d.claim(ep, "a")
    assert [due.kind for due in d.sweep(after_ms=61_000)] == ["d", "l"]
    d.complete(ep, "a")
    assert [due.kind for due in d.sweep(after_ms=16_000)] == ["d"]


def test_what_is_queued_again_is_looked_at_as_soon_as_at_first(d: Driver) -> None:
    ep = d.started("a")
    for after_ms in (3_000, 16_000, 31_000):
        d.sweep(after_ms=after_ms)
    d.claim(ep, "a")
    assert [due.kind for due in d.sweep(after_ms=10_000)] == ["l"]
    assert [due.kind for due in d.sweep(after_ms=3_000)] == ["d"]
    assert [due.kind for due in d.sweep(after_ms=16_000)] == ["d"]


def test_what_is_queued_again_behind_many_others_brings_no_look_at_these(d: Driver) -> None:
    ep = d.started("a", *(f"t{n}" for n in range(Limit.sample + 1)))
    assert [due.kind for due in d.sweep(after_ms=3_000)] == ["d"]
    d.claim(ep, "a")
    d.fail(ep, "a", retry_in_ms=10)
    assert [due.kind for due in d.sweep(after_ms=20)] == ["b"]
    assert d.sweep(after_ms=3_000) == ()
    assert [due.kind for due in d.sweep(after_ms=13_000)] == ["d"]


def test_hints_are_lost_when_the_same_outbox_is_seen_twice_beside_an_empty_queue(
    d: Driver,
) -> None:
    ep = d.started("a")
    assert lost(d, "queue") == ()
    assert lost(d, "queue", after_ms=100) == ()
    assert lost(d, "queue", after_ms=900) == (Due(d.thread.x, "", ep, DueKind.outbox, "", ()),)


def test_hints_are_not_lost_while_their_own_queue_holds_messages(d: Driver) -> None:
    d.started("a")
    assert lost(d, "other") == ()
    assert lost(d, "other", after_ms=10_000) == ()


def test_hints_are_not_lost_while_some_are_taken(d: Driver) -> None:
    ep = d.started("a", "b", "c")
    lost(d, "queue")
    for tid in ("a", "b"):
        d.claim(ep, tid)
        assert lost(d, "queue", after_ms=10_000) == ()


def test_hints_that_nobody_takes_are_sent_again_later_each_time(d: Driver) -> None:
    d.started("a")
    lost(d, "queue")
    assert [len(lost(d, "queue", after_ms=1_000)) for _ in range(4)] == [1, 0, 1, 0]
    for _ in range(10):
        lost(d, "queue", after_ms=30_001)
    assert lost(d, "queue", after_ms=29_000) == ()
    assert len(lost(d, "queue", after_ms=1_001)) == 1


def test_lost_hints_are_found_among_many_outboxes(d: Driver) -> None:
    others = {f"{n:024}|||d": n for n in range(5_000)}
    d.client.zadd(d.outboxes_key, {**others, "no member": 1})
    row = TaskRow(
        format=1, state="Q", round="", token="", attempts=0, lost=0, owner="", queue="", priority=0,
        reads="", answers=0, failures=0, chunks=0, limit=0, batch="", packet="", risen="", inner="",
    )  # fmt: skip
    names = {f"waiting-{n}" for n in range(30)}
    prefix = keys.shard_prefix(d.thread.namespace, d.thread.shard)
    for x in names:
        d.client.hset(f"{prefix}{x}:h", mapping={"st": "busy", "/ep": "e", "queue": "queue"})
        d.client.hset(f"{prefix}{x}:s:", "t|a", json.dumps(row))
        d.client.hset(f"{prefix}{x}:h", "/ov", f"1 {0} 900")
        d.client.sadd(f"{prefix}{x}:q:", "a")
        d.client.zadd(d.outboxes_key, {f"{x}|||d": 1})
    assert {due.x for due in lost(d, "queue")} == names


def test_a_damaged_record_does_not_keep_the_others_of_its_shard_waiting(
    d: Driver, redis_client: redis.Redis
) -> None:
    number = 0
    while (other := Driver(redis_client, d.thread.namespace, str(number))).due_key != d.due_key:
        number += 1
    for each in (d, other):
        each.claim(each.started("a"), "a")
    redis_client.hset(f"{d.thread.prefix}s:", "t|a", "{")
    found = {(due.x, due.kind) for due in d.sweep(after_ms=10_000)}
    assert found == {(d.thread.x, "unreadable"), (other.thread.x, "l")}
    assert d.sweep(after_ms=200_000)[-1].x != d.thread.x
