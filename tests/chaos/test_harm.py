"""Kills, freezes, floods and power cuts while many runs go on: every one ends right."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.redis_server import RedisServer
from tests.support.site import Site, lines, on
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.celery, pytest.mark.slow, pytest.mark.timeout(600)]
THREADS, WIDTH, SECONDS = 40, 20, 30.0
SETTINGS = {"lease": 5.0, "heartbeat": 1.5, "sweep": 0.5}
DEFAULTS = {"lease": 10.0, "heartbeat": 3.0, "sweep": 1.0}
EXPECTED = list(range(WIDTH))


def begin(site: Site, log: Path) -> list[Any]:
    given = {"width": WIDTH, "pause": 0.05, "log": str(log)}
    return [site.graphs["fan"].submit(given, on(f"chaos-{n}")) for n in range(THREADS)]


def all_end_right(site: Site, runs: list[Any]) -> None:
    """Check state and history of every thread: one commit a superstep, each write once."""
    for run in runs:
        site.settle(run.thread_id)
        done = run.result(timeout=30)
        assert done["items"] == EXPECTED
        history = site.graphs["fan"].get_state_history(on(run.thread_id))
        assert [s.metadata["step"] for s in history] == [2, 1, 0, -1]
    with site.store.client() as client:
        wait_until(lambda: not site.due(client), "nothing to be due")
        assert site.claimed(client) == []


def times(seconds: float, pause: float, seed: int = 7) -> Iterator[random.Random]:
    """Give a source of chance every `pause` seconds, for that many `seconds`."""
    chance, end = random.Random(seed), time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(pause)
        yield chance


def test_runs_outlive_random_kills(own_site: Callable[..., Site], log: Path) -> None:
    site = own_site(**SETTINGS)
    site.start(2, concurrency=2)
    runs = begin(site, log)
    kills = 0
    for chance in times(SECONDS, 2.0):
        victim = chance.choice(site.workers)
        children = victim.children()
        if children and chance.random() < 0.7:
            chance.choice(children).kill()
        else:
            victim.kill()
            site.workers.remove(victim)
            site.launch(concurrency=2)
        kills += 1
    all_end_right(site, runs)
    counted = Counter(line.split()[0] for line in lines(log))
    extra = sum(counted.values()) - THREADS * WIDTH
    sys.stderr.write(f"\n{kills} kills, {extra} of {THREADS * WIDTH} bodies ran again\n")
    assert extra <= kills * 4


def holds_nothing(site: Site, client: Any, worker: str) -> bool:
    """Whether all leases of a worker have run out."""
    return not any(record.owner.startswith(f"{worker}/") for record in site.claimed(client))


def test_runs_outlive_frozen_workers(own_site: Callable[..., Site], log: Path) -> None:
    site = own_site(**{**SETTINGS, "lease": 2.0, "heartbeat": 0.5})
    site.start(2, concurrency=2)
    runs = begin(site, log)
    for _ in range(3):
        for worker in site.workers:
            with worker.paused(), site.store.client() as client:
                wait_until(partial(holds_nothing, site, client, worker.name), "a zombie")
    all_end_right(site, runs)


def test_runs_outlive_a_broker_that_is_emptied_again_and_again(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], log: Path
) -> None:
    broker = new_redis()
    site = own_site(broker=broker, **SETTINGS)
    site.start(2, concurrency=2)
    runs = begin(site, log)
    with broker.client() as client:
        for _ in times(SECONDS, 5.0):
            client.flushall()
    all_end_right(site, runs)
    assert len(lines(log)) == THREADS * WIDTH


def test_runs_outlive_a_store_that_loses_its_power(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], log: Path
) -> None:
    store = new_redis(appendfsync="always")
    site = own_site(store=store, broker=new_redis(), **SETTINGS)
    site.start(2, concurrency=2)
    runs = begin(site, log)
    for _ in times(SECONDS, 8.0):
        store.kill()
        store.start()
    all_end_right(site, runs)


def test_messages_that_are_dropped_doubled_and_shuffled_run_no_body_twice(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], log: Path
) -> None:
    broker = new_redis()
    site = own_site(broker=broker, **SETTINGS)
    runs = begin(site, log)
    chance = random.Random(3)
    with broker.client() as client:
        (queue,) = site.queues(client)
        kept = [m for m in client.lrange(queue, 0, -1) if chance.random() > 0.1]
        kept += [m for m in kept if chance.random() < 0.2]
        chance.shuffle(kept)
        client.delete(queue)
        client.rpush(queue, *kept)
    site.start(2, concurrency=2)
    all_end_right(site, runs)
    assert len(lines(log)) == THREADS * WIDTH


def test_ten_thousand_sends_finish_though_the_broker_is_emptied(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer]
) -> None:
    broker = new_redis()
    site = own_site(broker=broker, **DEFAULTS)
    site.start(2, concurrency=1)
    graph = site.graphs["noop"]
    began = time.monotonic()
    assert graph.invoke({"width": 10_000}, on("calm"))["done"] == 10_000
    calm = time.monotonic() - began
    began = time.monotonic()
    run = graph.submit({"width": 10_000}, on("emptied"))
    outbox = f"{site.backend.thread_key('emptied').prefix}q:"
    with broker.client() as client, site.store.client() as store:
        wait_until(lambda: store.scard(outbox) < 5_000, "half of the tasks to be taken")
        client.flushall()
    assert run.result(timeout=calm + 60)["done"] == 10_000
    took = time.monotonic() - began
    sys.stderr.write(f"\n10,000 Sends: calm {calm:.1f} s, broker emptied {took:.1f} s\n")
    assert took <= calm + 15


def test_waiting_threads_cost_no_worker_anything(own_site: Callable[..., Site]) -> None:
    site = own_site(**SETTINGS)
    (worker,) = site.start(1, concurrency=1)
    graph = site.graphs["form"]

    def size() -> int:
        return sum(p.memory_info().rss for p in [psutil.Process(worker.pid), *worker.children()])

    def ask(first: int, count: int) -> None:
        runs = [graph.submit({}, on(f"waits-{n}")) for n in range(first, first + count)]
        for run in runs:
            site.settle(run.thread_id)

    ask(0, 200)
    before = size()
    ask(200, 1_000)
    assert size() - before < 5 * 2**20
    began = time.monotonic()
    assert site.graphs["steps"].invoke({"path": []}, on("quick"))["path"] == ["a", "b", "c"]
    assert time.monotonic() - began < 1
