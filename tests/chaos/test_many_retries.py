"""3,000 tasks that each fail once take twice the calm time and the back-off, and no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import pytest

from tests.support.apps.programs import BACK_OFF
from tests.support.site import Site, on

pytestmark = [pytest.mark.celery, pytest.mark.slow]
WIDTH, PAIRS = 3_000, 3
DEFAULTS = {"lease": 10.0, "heartbeat": 3.0, "sweep": 1.0}


def test_retries_come_back_at_the_speed_of_the_workers(
    own_site: Callable[..., Site], thread_id: str
) -> None:
    site = own_site(**DEFAULTS)
    site.start(2, concurrency=2)
    graph = site.graphs["flaky"]

    def takes(name: str, width: int, *, fails: bool) -> float:
        began = time.monotonic()
        graph.invoke({"width": width, "fails": fails}, on(f"{thread_id} {name}"))
        return time.monotonic() - began

    takes("warm", 100, fails=True)
    calm, retried = [], []
    for pair in range(PAIRS):
        calm.append(takes(f"calm {pair}", WIDTH, fails=False))
        retried.append(takes(f"retried {pair}", WIDTH, fails=True))
    assert median(retried) <= 2 * median(calm) + BACK_OFF
