"""Workers that are killed or frozen: the run finishes by itself, every write applied once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.fan_run import DEFAULTS, begin, executions, finishes, pool_of
from tests.support.processes import Process
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.celery


def test_a_killed_worker_costs_no_run(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    site.start(2)
    run = begin(site, thread_id, log)
    site.workers[0].kill()
    finishes(run)
    again = {task: n for task, n in executions(log).items() if n > 1}
    assert len(again) <= 2, f"more ran again than the killed worker was running: {again}"


def test_a_killed_pool_process_costs_no_run(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    site.start(1)
    run = begin(site, thread_id, log)
    running = int(lines(log)[-1].split()[1])
    psutil.Process(running).kill()
    finishes(run)


@pytest.mark.parametrize("plan", [["kill", "fail"], ["fail", "kill"], ["kill", "fail", "kill"]])
def test_a_kill_eats_no_retry(
    own_site: Callable[..., Site], thread_id: str, log: Path, plan: list[str]
) -> None:
    site = own_site()
    site.start(1, concurrency=1)
    done = site.graphs["fate"].invoke({"plan": plan, "log": str(log)}, on(thread_id))
    numbers = list(range(1, len(plan) + 2))
    assert (done["attempts"], lines(log)) == (numbers[-1], [str(n) for n in numbers])


def test_a_kill_gives_no_retry_more(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(1, concurrency=1)
    plan = ["fail", "kill", "fail"]
    with pytest.raises(ConnectionError, match="once more"):
        site.graphs["fate"].invoke({"plan": plan, "log": str(log)}, on(thread_id))
    assert lines(log) == ["1", "2", "3"]


def test_a_killed_worker_of_the_embedded_redis_costs_no_run(
    tmp_path: Path, thread_id: str, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLOW_REDUCER", raising=False)
    folder, output = tmp_path / "embedded", tmp_path / "client.log"
    client = Process(
        [sys.executable, "-m", "tests.support.apps.embedded_kill", str(folder), str(log)],
        log=output,
    )
    try:
        wait_until(lambda: not client.alive, "the embedded run to end")
        assert client.returncode == 0, client.output
    finally:
        client.end()


# --- zombies -------------------------------------------------------------------------------------


def test_a_frozen_worker_wakes_to_find_its_tasks_done(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(lease=4.0, heartbeat=1.5)
    frozen, _ = site.start(2)
    given = {"width": 60, "pause": 0.1, "log": str(log)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    mine = {child.pid for child in pool_of(frozen)}

    def running_there() -> bool:
        return any(int(line.split()[1]) in mine for line in lines(log))

    wait_until(running_there, "the worker to have a task")
    with frozen.paused():
        done = run.result(timeout=PATIENCE)
        before = history(site, thread_id)
    assert done["items"] == list(range(60))
    assert max(executions(log).values()) <= 2
    # Awake again it may run what it holds, but its results are refused.
    graph = site.graphs["fan"]
    after = graph.invoke({"width": 10}, on(f"{thread_id}-after"))
    assert after["total"] == 45
    with site.store.client() as client:
        wait_until(lambda: not site.claimed(client), "its leases to be gone")
    assert history(site, thread_id) == before


def history(site: Site, thread_id: str) -> list[Any]:
    return [(s.values, s.config) for s in site.graphs["fan"].get_state_history(on(thread_id))]
