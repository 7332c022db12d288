"""Messages doubled and lost, a broker emptied, a Redis that restarts: the same right state."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.redis_server import RedisServer
from tests.support.site import Site, lines, on
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.celery, pytest.mark.timeout(180)]
WIDTH = 60
DEFAULTS = {"lease": 10.0, "heartbeat": 3.0, "sweep": 1.0}


def executions(log: Path) -> list[int]:
    """Return how often the body of each item ran."""
    counted = Counter(int(line.split()[0]) for line in lines(log))
    return [counted[item] for item in range(WIDTH)]


def has_run(count: int, log: Path) -> bool:
    return len(lines(log)) >= count


def right(done: dict[str, Any]) -> bool:
    return bool(done["items"] == list(range(WIDTH)) and done["total"] == sum(range(WIDTH)))


def submit(site: Site, thread_id: str, log: Path, pause: float = 0.0) -> Any:
    given = {"width": WIDTH, "pause": pause, "log": str(log)}
    return site.graphs["fan"].submit(given, on(thread_id))


def test_doubled_messages_run_no_body_twice(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    broker = new_redis()
    site = own_site(broker=broker)
    run = submit(site, thread_id, log)
    with broker.client() as client:
        (queue,) = site.queues(client)
        messages = client.lrange(queue, 0, -1)
        assert len(messages) == WIDTH
        client.lpush(queue, *messages, *messages)
    site.start(2)
    assert right(run.result(timeout=60))
    assert executions(log) == [1] * WIDTH


def test_lost_messages_are_sent_again_and_run_no_body_twice(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    broker = new_redis()
    site = own_site(broker=broker)
    run = submit(site, thread_id, log)
    with broker.client() as client:
        (queue,) = site.queues(client)
        client.ltrim(queue, 0, WIDTH // 2)
    site.start(1)
    assert right(run.result(timeout=60))
    assert executions(log) == [1] * WIDTH


def test_a_lost_queue_is_filled_again_beside_another_one_that_waits(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    broker = new_redis()
    site = own_site(broker=broker, **DEFAULTS)
    fan, steps = f"{site.namespace}.fan", f"{site.namespace}.steps"
    site.graphs["steps"].submit({"path": []}, on("waits"))
    given = {"width": 250, "pause": 0.0, "log": str(log)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    with broker.client() as client:
        assert client.delete(*client.keys(f"{fan}*"))
        site.start(1, options=["-Q", fan])
        began = time.monotonic()
        assert run.result(timeout=60)["items"] == list(range(250))
        assert time.monotonic() - began < 15
        assert client.keys(f"{steps}*")
    assert len(lines(log)) == 250


def test_a_broker_emptied_in_mid_run_costs_seconds(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    broker = new_redis()
    site = own_site(broker=broker, **DEFAULTS)
    site.start(2)
    run = submit(site, thread_id, log, pause=0.05)
    wait_until(lambda: len(lines(log)) >= WIDTH // 3, 30, "a third of the tasks")
    with broker.client() as client:
        client.flushall()
    emptied = time.monotonic()
    assert right(run.result(timeout=60))
    took = time.monotonic() - emptied
    sys.stderr.write(f"\nbroker emptied: finished {took:.1f} s later\n")
    assert took < 20
    assert executions(log) == [1] * WIDTH


def test_a_broker_that_restarts_empty_costs_no_run(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    broker = new_redis(appendonly="no")
    site = own_site(broker=broker)
    site.start(1)
    run = submit(site, thread_id, log, pause=0.05)
    wait_until(lambda: len(lines(log)) >= WIDTH // 3, 30, "a third of the tasks")
    broker.kill()
    broker.start()
    assert right(run.result(timeout=90))


def test_a_message_delivered_to_the_wrong_graphs_worker_loses_nothing(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    queues = ["-Q", f"{site.namespace}.fan,{site.namespace}.steps"]
    site.start(env={"SERVE": "steps"}, options=queues, concurrency=1)
    run = submit(site, thread_id, log)
    with site.broker.client() as client:
        wait_until(lambda: not site.messages(client), 20, "all messages to be refused")
    assert lines(log) == []
    site.start(env={"SERVE": "fan"}, concurrency=2)
    assert right(run.result(timeout=60))
    assert executions(log) == [1] * WIDTH


def test_a_killed_redis_comes_back_with_all_that_was_acknowledged(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    store = new_redis(appendfsync="always")
    site = own_site(store=store)
    site.start(2)
    run = submit(site, thread_id, log, pause=0.05)
    wait_until(lambda: len(lines(log)) >= WIDTH // 3, 30, "a third of the tasks")
    known = site.graphs["fan"].get_state(on(thread_id)).config
    store.kill()
    store.start()
    site.settle(thread_id, 90)
    assert right(run.result(timeout=30))
    history = [s.config for s in site.graphs["fan"].get_state_history(on(thread_id))]
    assert known in history
    # Scripts are gone from a restarted server: they are sent anew.
    assert site.graphs["steps"].invoke({"path": []}, on("after"))["path"] == ["a", "b", "c"]


def test_an_outage_longer_than_a_lease_runs_no_body_twice(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    store = new_redis(appendfsync="always")
    site = own_site(store=store, broker=new_redis())
    site.start(1)
    given = {"width": 2, "pause": 7.0, "log": str(log)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    wait_until(partial(has_run, 2, log), 30, "both tasks to begin")
    store.kill()
    over = time.monotonic() + 1.5 * site.settings["lease"]
    wait_until(lambda: time.monotonic() > over, 10, "the leases to run out")
    store.start()
    assert run.result(timeout=60)["total"] == 1
    assert len(lines(log)) == 2


def test_scripts_that_redis_forgot_are_sent_again(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    store = new_redis()
    site = own_site(store=store)
    site.start(1)
    run = submit(site, thread_id, log, pause=0.02)
    with store.client() as client:
        for done in range(6, WIDTH, 6):
            wait_until(partial(has_run, done, log), 30, f"{done} of the tasks")
            client.script_flush()
    assert right(run.result(timeout=60))
    assert executions(log) == [1] * WIDTH
