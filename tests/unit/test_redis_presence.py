"""Who lives, and since when: told and read by the clock of Redis."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from checkpoint_redis import keys
from tests.support.thread_driver import Driver

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def now(d: Driver) -> float:
    seconds, microseconds = d.client.time()
    return float(seconds + microseconds / 1e6)


def appear(d: Driver, name: str, **told: Any) -> None:
    d.ledger.appear(
        d.thread.namespace, name, **{"version": "1", "queues": (), "graphs": (), "reads": 1, **told}
    )


def test_a_worker_is_known_as_it_told_of_itself_last(d: Driver) -> None:
    appear(d, "one")
    appear(d, "one", version="2", queues=("q", "r"), graphs=("g@1",))
    (seen,) = d.ledger.workers(d.thread.namespace)
    assert (seen.name, seen.version, seen.queues, seen.graphs) == ("one", "2", ("q", "r"), ("g@1",))


def test_the_clocks_of_machines_have_no_say_in_who_lives(
    d: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1.0)
    before = now(d)
    appear(d, "one")
    (seen,) = d.ledger.workers(d.thread.namespace)
    assert before - 1e-3 <= seen.seen <= seen.seen + seen.age <= now(d) + 1e-3


def test_an_age_is_the_time_since_a_worker_was_seen(d: Driver) -> None:
    at = now(d) - 60
    d.client.hset(keys.workers(d.thread.namespace), "one", f'{at:f} ["1",[],[],1,[]]')
    (seen,) = d.ledger.workers(d.thread.namespace)
    assert 60 - 1e-3 <= seen.age <= now(d) - at + 1e-3


def test_who_left_is_not_known(d: Driver) -> None:
    for name in ("one", "two", "three"):
        appear(d, name)
    d.ledger.disappear(d.thread.namespace, ("one", "three"))
    assert [seen.name for seen in d.ledger.workers(d.thread.namespace)] == ["two"]
