"""Workers that are killed or frozen: the run finishes by itself, every write applied once."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.processes import Process
from tests.support.site import Site, lines, on
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.celery, pytest.mark.timeout(180)]
WIDTH = 200
WITHIN = 30.0
DEFAULTS = {"lease": 10.0, "heartbeat": 3.0, "sweep": 1.0}


def begin(site: Site, thread_id: str, log: Path) -> Any:
    """Submit a fan-out of 200 and return its run when about a quarter is done."""
    given = {"width": WIDTH, "pause": 0.05, "log": str(log)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    wait_until(lambda: len(lines(log)) >= WIDTH // 4, 30, "a quarter of the tasks")
    return run


def finishes(run: Any, since: float, what: str) -> None:
    """Check that the run ends right, and tell how long after the kill."""
    done = run.result(timeout=WITHIN - (time.monotonic() - since))
    took = time.monotonic() - since
    sys.stderr.write(f"\n{what}: finished {took:.1f} s after the kill\n")
    assert done["items"] == list(range(WIDTH))
    assert done["total"] == sum(range(WIDTH))
    assert took <= WITHIN


def pool_of(worker: Process) -> list[psutil.Process]:
    return wait_until(worker.children, 10, "a pool")


def test_a_killed_worker_costs_no_run(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    site.start(2)
    run = begin(site, thread_id, log)
    site.workers[0].kill()
    finishes(run, time.monotonic(), "whole worker")
    again = {task: n for task, n in executions(log).items() if n > 1}
    assert len(again) <= 2, f"more ran again than the killed worker was running: {again}"


def executions(log: Path) -> Counter[str]:
    """Return how often each item's body ran."""
    return Counter(line.split()[0] for line in lines(log))


def test_the_only_worker_is_killed_and_another_is_started(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    site.start(1)
    run = begin(site, thread_id, log)
    site.workers[0].kill()
    killed = time.monotonic()
    site.start(1)
    finishes(run, killed, "only worker")


def test_a_killed_pool_process_costs_no_run(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    site.start(1)
    run = begin(site, thread_id, log)
    running = int(lines(log)[-1].split()[1])
    psutil.Process(running).kill()
    finishes(run, time.monotonic(), "one pool process")


def test_all_pool_processes_are_killed_at_once(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    site.start(2)
    run = begin(site, thread_id, log)
    for worker in site.workers:
        for child in pool_of(worker):
            child.kill()
    finishes(run, time.monotonic(), "all pool processes")


def test_the_process_that_reduces_is_killed(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    env = {"SLOW_REDUCER": str(log)}
    site.start(2, env=env)
    run = site.graphs["slow"].submit({"width": WIDTH}, on(thread_id))
    reducing = int(wait_until(lambda: lines(log), 30, "a process to reduce")[0])
    psutil.Process(reducing).kill()
    killed = time.monotonic()
    done = run.result(timeout=WITHIN)
    sys.stderr.write(f"\nreducer: finished {time.monotonic() - killed:.1f} s after the kill\n")
    assert done["items"] == [*range(WIDTH), -1]


def test_the_embedded_redis_recovers_in_the_same_time(
    tmp_path: Path, thread_id: str, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLOW_REDUCER", raising=False)
    folder, output = tmp_path / "embedded", tmp_path / "client.log"
    client = Process(
        [sys.executable, "-m", "tests.support.apps.embedded_kill", str(folder), str(log)],
        log=output,
    )
    try:
        wait_until(lambda: not client.alive, 90, "the embedded run to end")
        assert client.returncode == 0, client.output
        sys.stderr.write(f"\n{client.output.splitlines()[-1]}\n")
    finally:
        client.end()


# --- zombies -------------------------------------------------------------------------------------


def test_a_frozen_worker_wakes_to_find_its_tasks_done(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    frozen, _ = site.start(2)
    given = {"width": 60, "pause": 0.1, "log": str(log)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    mine = {child.pid for child in pool_of(frozen)}

    def running_there() -> bool:
        return any(int(line.split()[1]) in mine for line in lines(log))

    wait_until(running_there, 20, "the worker to have a task")
    with frozen.paused():
        done = run.result(timeout=40)
        before = history(site, thread_id)
    assert done["items"] == list(range(60))
    assert max(executions(log).values()) <= 2
    # Awake again it may run what it holds, but its results are refused.
    graph = site.graphs["fan"]
    after = graph.invoke({"width": 10}, on(f"{thread_id}-after"))
    assert after["total"] == 45
    with site.store.client() as client:
        wait_until(lambda: not site.claimed(client), 20, "its leases to be gone")
    assert history(site, thread_id) == before


def history(site: Site, thread_id: str) -> list[Any]:
    return [(s.values, s.config) for s in site.graphs["fan"].get_state_history(on(thread_id))]
