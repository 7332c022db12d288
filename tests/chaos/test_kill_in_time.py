"""Kills with default settings, those that cost most among them: the run finishes within 30 s."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.fan_run import DEFAULTS, WIDTH, begin, finishes, pool_of
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.celery, pytest.mark.slow]
WITHIN = 30.0


def finishes_in_time(run: Any, since: float, what: str) -> None:
    """Check that the run ends right, and soon enough after the kill."""
    finishes(run)
    in_time(since, what)


def in_time(since: float, what: str) -> None:
    took = time.monotonic() - since
    sys.stderr.write(f"\n{what}: finished {took:.1f} s after the kill\n")
    assert took <= WITHIN


def test_one_of_two_workers_is_killed(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    site.start(2)
    run = begin(site, thread_id, log)
    site.workers[0].kill()
    finishes_in_time(run, time.monotonic(), "whole worker")


def test_a_pool_process_is_killed(own_site: Callable[..., Site], thread_id: str, log: Path) -> None:
    site = own_site(**DEFAULTS)
    site.start(1)
    run = begin(site, thread_id, log)
    psutil.Process(int(lines(log)[-1].split()[1])).kill()
    finishes_in_time(run, time.monotonic(), "one pool process")


def test_the_only_worker_is_killed_and_another_is_started(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    site.start(1)
    run = begin(site, thread_id, log)
    site.workers[0].kill()
    killed = time.monotonic()
    site.start(1)
    finishes_in_time(run, killed, "only worker")


def test_all_pool_processes_are_killed_at_once(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    site.start(2)
    run = begin(site, thread_id, log)
    for worker in site.workers:
        for child in pool_of(worker):
            child.kill()
    finishes_in_time(run, time.monotonic(), "all pool processes")


def test_the_process_that_reduces_is_killed(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(**DEFAULTS)
    env = {"SLOW_REDUCER": str(log)}
    site.start(2, env=env)
    run = site.graphs["slow"].submit({"width": WIDTH}, on(thread_id))
    reducing = int(wait_until(lambda: lines(log), "a process to reduce")[0])
    psutil.Process(reducing).kill()
    killed = time.monotonic()
    assert run.result(timeout=PATIENCE)["items"] == [*range(WIDTH), -1]
    in_time(killed, "reducer")
