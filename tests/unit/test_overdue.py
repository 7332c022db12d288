"""What is due comes back in one round, however much of it there is, and shards take turns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from checkpoint_redis import keys
from checkpoint_redis.commands import Living, dispatch
from checkpoint_redis.layout import DueKind
from checkpoint_redis.replies import Swept
from tests.support.redis_server import RedisServer
from tests.support.thread_driver import LEASE, Driver
from tests.support.waiting import wait_until
from workers import CeleryBackend
from workers.shared.hints import Outgoing
from workers.worker import overdue as module
from workers.worker.overdue import Overdue
from workers.worker.sweeper import Sweeper, sweep_once

pytestmark = pytest.mark.redis
MANY, SHARDS, AT_ONCE = 3_000, 64, 100
WAITING, FAR = 20_000, 10**14
ONE_SCRIPT = {"cmdstat_evalsha": 1, "cmdstat_time": 1, "cmdstat_zrange": 2 * SHARDS}
CONNECTING = {f"cmdstat_{name}" for name in ("config", "hello", "client", "ping")}


class Counted(Overdue):
    """Notes the shards of each round; `sent` is what would have gone to the broker."""

    def __init__(self, backend: CeleryBackend) -> None:
        office = backend.office
        super().__init__(office.settings, office.ledger, office.registry, office.publisher)
        self.rounds: list[tuple[int, ...]] = []
        self.sent: list[Outgoing] = []
        setattr(office.publisher, "publish", self.sent.extend)  # noqa: B010 not the broker

    def _look(self, shards: Sequence[int], living: Living, *, outboxes: bool) -> list[Swept]:
        self.rounds.append(tuple(shards))
        return super()._look(shards, living, outboxes=outboxes)


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> CeleryBackend:
    return CeleryBackend(redis_server.url, namespace=namespace)


@pytest.fixture
def overdue(backend: CeleryBackend) -> Counted:
    return Counted(backend)


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN", math.inf)


def running(d: Driver, count: int) -> tuple[str, tuple[str, ...]]:
    """Start a superstep of so many tasks, and claim all of them."""
    tids = tuple(f"t{n}" for n in range(count))
    ep = d.started(*tids)
    d.claim(ep, *tids)
    return ep, tids


def left(d: Driver) -> set[str]:
    return {state for state in d.states().values() if state != "Q"}


def test_a_sweep_looks_where_something_is_due(
    redis_client: redis.Redis, namespace: str, backend: CeleryBackend
) -> None:
    counted = backend.office.overdue = Counted(backend)
    due, later = (Driver(redis_client, namespace, name) for name in ("a", "b"))
    assert due.thread.shard != later.thread.shard
    for d in (due, later):
        running(d, 1)
    due.pass_time(LEASE + 1)
    assert sweep_once(backend.office, backend.app).hints == 1
    assert counted.rounds == [(due.thread.shard,)]
    assert (left(due), left(later)) == (set(), {"R"})


@pytest.mark.usefixtures("no_hurry")
def test_all_leases_of_a_wide_thread_that_ran_out_come_back_in_one_round(
    redis_client: redis.Redis, namespace: str, overdue: Counted
) -> None:
    d = Driver(redis_client, namespace)
    running(d, MANY)
    d.pass_time(LEASE + 1)
    assert overdue.sweep(outboxes=False)[:2] == (MANY, False)
    assert (left(d), d.due()) == (set(), {"|d"})
    looks = sum(len(each) for each in overdue.rounds)
    assert looks == SHARDS - 1 + MANY // AT_ONCE + 1
    assert set(overdue.rounds[1:]) == {(d.thread.shard,)}


@pytest.mark.usefixtures("no_hurry")
def test_all_back_offs_of_a_shard_that_are_over_come_back_when_one_ends(
    redis_client: redis.Redis, namespace: str, overdue: Counted
) -> None:
    d = Driver(redis_client, namespace)
    ep, tids = running(d, MANY)
    for tid in tids:
        d.fail(ep, tid, retry_in_ms=0)
    overdue.sweep_tasks((d.thread.shard,))
    assert (left(d), len(overdue.sent)) == (set(), MANY)
    # A look that finds as many as it may does not know that they were the last.
    assert len(overdue.rounds) == MANY // AT_ONCE + 1


@pytest.mark.usefixtures("no_hurry")
def test_shards_that_have_more_take_turns(
    redis_client: redis.Redis, namespace: str, overdue: Counted
) -> None:
    threads = [Driver(redis_client, namespace, str(n)) for n in range(SHARDS)]
    one, *_, other = sorted(threads, key=lambda d: d.thread.shard)
    for d, count in ((one, 250), (other, 150)):
        running(d, count)
        d.pass_time(LEASE + 1)
    assert overdue.sweep()[:2] == (400, False)
    both = (one.thread.shard, other.thread.shard)
    assert overdue.rounds == [tuple(range(SHARDS)), both, both[:1]]


def test_a_sweep_whose_time_is_over_leaves_the_rest_to_the_next(
    redis_client: redis.Redis, namespace: str, overdue: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.0)
    d = Driver(redis_client, namespace)
    running(d, 250)
    d.client.delete(d.outboxes_key)
    d.pass_time(LEASE + 1)
    shards = (d.thread.shard,)
    assert [overdue.sweep(shards=shards)[:2] for _ in range(3)] == [
        (100, True),
        (100, True),
        (50, False),
    ]


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """Start a server of which nobody else asks anything meanwhile."""
    server = RedisServer(tmp_path).start()
    yield server
    server.process.end()


def calls(client: redis.Redis) -> dict[str, int]:
    """Return how often the server was given each command, also by scripts."""
    stats: Any = client.info("commandstats")
    return {name: stats[name]["calls"] for name in stats if name != "cmdstat_info"}


def test_threads_that_wait_for_an_answer_cost_a_sweep_one_script(
    own_server: RedisServer, namespace: str
) -> None:
    """It asks for no queue's depth either, nor who lives."""
    with own_server.client() as client:
        backend = CeleryBackend(own_server.url, namespace=namespace)

        def look() -> dict[str, int]:
            client.config_resetstat()
            assert sweep_once(backend.office, backend.app) == (0, False, ())
            found = calls(client)
            return {name: found[name] for name in found if name not in CONNECTING}

        backend.office.ledger().check()
        look()  # the script is loaded
        assert look() == ONE_SCRIPT
        fill = client.pipeline(transaction=False)
        for n in range(WAITING):
            thread = keys.Thread(namespace, str(n))
            due_key, _ = keys.planned(namespace, thread.shard)
            fill.zadd(due_key, {f"{thread.x}||t|{DueKind.deadline}": FAR})
        fill.execute()
        assert look() == ONE_SCRIPT


def test_lost_hints_are_looked_for_where_something_waits(
    own_server: RedisServer, namespace: str
) -> None:
    overdue = Counted(CeleryBackend(own_server.url, namespace=namespace))
    with own_server.client() as client:
        d = Driver(client, namespace)
        d.started("a")
        hints, more, outboxes = overdue.sweep()
        assert (hints, more, outboxes) == (0, False, (d.thread.shard,))
        client.config_resetstat()
        assert overdue.refill(outboxes, ("queue",)) == 0
        assert calls(client)["cmdstat_zscan"] == 1


def test_a_sweeper_whose_sweep_was_not_done_goes_on_at_once(
    redis_server: RedisServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.0)
    monkeypatch.setattr(dispatch, "SWEEP_EVERY_MS", 1)
    backend = CeleryBackend(redis_server.url, namespace=namespace, sweep=3_600.0)
    counted = backend.office.overdue = Counted(backend)
    with redis_server.client() as client:
        d = Driver(client, namespace)
        running(d, 250)
        d.pass_time(LEASE + 1)
        sweeper = Sweeper(backend.office, backend.app, "w", bool)
        sweeper.start()
        wait_until(lambda: not left(d), "everything to be back")
        sweeper.stop()
    assert len(counted.sent) == 250
