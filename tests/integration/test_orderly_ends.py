"""A worker that is told to end hands over what it does: no failure, no loss, and others go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkpoint_redis.layout import TaskState
from tests.support.site import QUICK, Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.celery, pytest.mark.slow]
LONG = {"width": 2, "pause": 600.0}
# Nobody looks after what is overdue, and no lease runs out: what goes on was handed over.
ALONE = {"lease": 3_600.0, "heartbeat": 1.0, "sweep": 3_600.0}


def tasks(site: Site, thread_id: str) -> list[Any]:
    loaded = site.backend.ledger.load(site.backend.thread_key(thread_id))
    assert loaded is not None
    return list(loaded.tasks)


def test_what_a_worker_is_cut_short_in_goes_on_elsewhere(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**ALONE)
    (ends,) = site.start(1, concurrency=2, env={"SOFT_SHUTDOWN": "0.1"})
    site.graphs["fan"].submit({**LONG, "log": str(log)}, on(thread_id))
    wait_until(lambda: len(lines(log)) == 2, "both tasks to begin")
    (other,) = site.start(1, concurrency=2)
    os.kill(ends.pid, signal.SIGQUIT)
    wait_until(lambda: len(lines(log)) == 4, "both tasks to begin elsewhere")
    for task in tasks(site, thread_id):
        assert (task.st, task.att, task.lost) == (TaskState.running, 1, 0)
        assert task.owner.startswith(other.name)
    assert site.backend.thread(thread_id).status == "busy"


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_asked_to_end_finishes_what_it_does(
    own_site: Callable[..., Site], thread_id: str, log: Path, stop: signal.Signals
) -> None:
    site = own_site(**QUICK)
    (ends,) = site.start(1, concurrency=1)
    run = site.graphs["fan"].submit({"width": 3, "pause": 0.5, "log": str(log)}, on(thread_id))
    wait_until(lambda: lines(log), "a task to begin")
    os.kill(ends.pid, stop)
    site.start(1, concurrency=1)
    assert run.result(timeout=PATIENCE)["total"] == 3
    assert len(lines(log)) == 3


def test_a_pool_whose_processes_are_recycled_loses_nothing(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**ALONE)
    site.start(1, concurrency=2, options=("--max-tasks-per-child", "2"))
    run = site.graphs["fan"].submit({"width": 12, "log": str(log)}, on(thread_id))
    assert run.result(timeout=PATIENCE)["total"] == sum(range(12))
    assert len(lines(log)) == 12


def test_a_pool_that_shrinks_loses_nothing(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**ALONE)
    site.start(1, concurrency=3)
    run = site.graphs["fan"].submit({"width": 20, "pause": 0.1, "log": str(log)}, on(thread_id))
    wait_until(lambda: lines(log), "a task to begin")
    site.backend.app.control.pool_shrink(1)
    assert run.result(timeout=PATIENCE)["total"] == sum(range(20))
    assert len(lines(log)) == 20
