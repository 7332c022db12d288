"""Which shards a sweep looks at: one script tells of all."""

from __future__ import annotations

import pytest
import redis

from checkpoint_redis.keys import SHARDS
from checkpoint_redis.sightings import Glance
from tests.support.thread_driver import LEASE, Driver

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def glance(d: Driver) -> Glance:
    return d.ledger.glance(d.thread.namespace, range(SHARDS))


def test_an_outbox_waits_at_once_and_is_due_later(d: Driver) -> None:
    here = (d.thread.shard,)
    assert glance(d) == Glance((), ())
    d.started("a")
    assert glance(d) == Glance((), here)
    d.pass_time(3_000)
    assert glance(d) == Glance(here, here)


def test_a_lease_is_due_when_it_is_over(d: Driver) -> None:
    d.claim(d.started("a"), "a")
    d.client.delete(d.outboxes_key)
    assert glance(d) == Glance((), ())
    d.pass_time(LEASE + 1)
    assert glance(d) == Glance((d.thread.shard,), ())


def test_shards_are_told_apart(d: Driver) -> None:
    others = [Driver(d.client, d.thread.namespace, str(n)) for n in range(SHARDS)]
    one, *_, last = sorted(others, key=lambda each: each.thread.shard)
    for each in (one, last):
        each.started("a")
    last.pass_time(3_000)
    both = (one.thread.shard, last.thread.shard)
    assert glance(d) == Glance(both[1:], both)
    alone = d.ledger.glance(d.thread.namespace, both[1:])
    assert alone == Glance(both[1:], both[1:])
