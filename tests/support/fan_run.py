"""A fan-out of 200 that is harmed in its middle, and what has to come of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from tests.support.processes import Process
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

WIDTH = 200
DEFAULTS = {"lease": 10.0, "heartbeat": 3.0, "sweep": 1.0}


def begin(site: Site, thread_id: str, log: Path) -> Any:
    """Submit a fan-out of 200 and return its run when about a quarter is done."""
    given = {"width": WIDTH, "pause": 0.05, "log": str(log)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    wait_until(lambda: len(lines(log)) >= WIDTH // 4, "a quarter of the tasks")
    return run


def finishes(run: Any) -> None:
    """Check that the run ends right."""
    done = run.result(timeout=PATIENCE)
    assert done["items"] == list(range(WIDTH))
    assert done["total"] == sum(range(WIDTH))


def pool_of(worker: Process) -> list[psutil.Process]:
    return wait_until(worker.children, "a pool")


def executions(log: Path) -> Counter[str]:
    """Return how often each item's body ran."""
    return Counter(line.split()[0] for line in lines(log))
