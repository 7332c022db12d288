"""Messages doubled and lost, a broker emptied, a Redis that restarts: the same right state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.redis_server import RedisServer
from tests.support.site import Site, lines, on, put_off
from tests.support.waiting import PATIENCE, wait_past, wait_until

pytestmark = pytest.mark.celery
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


def renewed(site: Site, client: Any) -> bool:
    """Whether all leases end in the future."""
    seconds, _ = client.time()
    ends = [end for entry, end in site.due_when(client).items() if entry.endswith("|l")]
    return bool(ends) and min(ends) > seconds + 1


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
    assert right(run.result(timeout=PATIENCE))
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
    assert right(run.result(timeout=PATIENCE))
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
        with site.store.client() as store:
            put_off(store, site.namespace)
        site.start(1, options=["-Q", fan])
        assert run.result(timeout=PATIENCE)["items"] == list(range(250))
        assert client.keys(f"{steps}*")
    assert len(lines(log)) == 250


def test_a_broker_emptied_in_mid_run_runs_no_body_twice(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    broker = new_redis()
    site = own_site(broker=broker, **DEFAULTS)
    site.start(2)
    run = submit(site, thread_id, log, pause=0.05)
    wait_until(lambda: len(lines(log)) >= WIDTH // 3, "a third of the tasks")
    with broker.client() as client:
        client.flushall()
    assert right(run.result(timeout=PATIENCE))
    assert executions(log) == [1] * WIDTH


def test_a_broker_that_restarts_empty_costs_no_run(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    broker = new_redis(appendonly="no")
    site = own_site(broker=broker)
    site.start(1)
    run = submit(site, thread_id, log, pause=0.05)
    wait_until(lambda: len(lines(log)) >= WIDTH // 3, "a third of the tasks")
    broker.kill()
    broker.start()
    assert right(run.result(timeout=PATIENCE))


def test_a_message_delivered_to_the_wrong_graphs_worker_loses_nothing(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    queues = ["-Q", f"{site.namespace}.fan,{site.namespace}.steps"]
    site.start(env={"SERVE": "steps"}, options=queues, concurrency=1)
    run = submit(site, thread_id, log)
    with site.broker.client() as client:
        wait_until(lambda: not site.messages(client), "all messages to be refused")
    assert lines(log) == []
    site.start(env={"SERVE": "fan"}, concurrency=2)
    with site.store.client() as client:
        wait_until(partial(has_ended, run, site, client), "the run to end")
    assert right(run.result(timeout=PATIENCE))
    assert executions(log) == [1] * WIDTH


def has_ended(run: Any, site: Site, client: Any) -> bool:
    """Whether a run is over; what was refused is looked for by the next sweep."""
    if not site.messages(client):
        put_off(client, site.namespace, hours=-1)
    return bool(run.status == "success")


def test_a_killed_redis_comes_back_with_all_that_was_acknowledged(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    store = new_redis(appendfsync="always")
    site = own_site(store=store)
    site.start(2)
    run = submit(site, thread_id, log, pause=0.05)
    wait_until(lambda: len(lines(log)) >= WIDTH // 3, "a third of the tasks")
    known = site.graphs["fan"].get_state(on(thread_id)).config
    store.kill()
    store.start()
    site.settle(thread_id)
    assert right(run.result(timeout=PATIENCE))
    history = [s.config for s in site.graphs["fan"].get_state_history(on(thread_id))]
    assert known in history
    # Scripts are gone from a restarted server: they are sent anew.
    assert site.graphs["steps"].invoke({"path": []}, on("after"))["path"] == ["a", "b", "c"]


def test_an_outage_longer_than_a_lease_runs_no_body_twice(
    own_site: Callable[..., Site],
    new_redis: Callable[..., RedisServer],
    thread_id: str,
    log: Path,
    tmp_path: Path,
) -> None:
    store, gate = new_redis(appendfsync="always"), tmp_path / "gate"
    site = own_site(store=store, broker=new_redis(), lease=4.0, heartbeat=2.0)
    site.start(1, concurrency=4)  # two are free for bodies that would run again
    given = {"width": 2, "gate": str(gate), "log": str(log)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    wait_until(partial(has_run, 2, log), "both tasks to begin")
    with store.client() as client:
        seconds, _ = client.time()
    store.kill()
    wait_past(seconds + 2 * site.settings["lease"])
    store.start()
    with store.client() as client:
        wait_until(lambda: renewed(site, client), "the leases to be renewed")
    gate.touch()
    assert run.result(timeout=PATIENCE)["total"] == 1
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
            wait_until(partial(has_run, done, log), f"{done} of the tasks")
            client.script_flush()
    assert right(run.result(timeout=PATIENCE))
    assert executions(log) == [1] * WIDTH
