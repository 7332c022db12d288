"""The kills that cost most, with default settings: the run still finishes within 30 s."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.fan_run import DEFAULTS, WIDTH, WITHIN, begin, finishes, pool_of
from tests.support.site import Site, lines, on
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.celery, pytest.mark.slow, pytest.mark.timeout(180)]


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
