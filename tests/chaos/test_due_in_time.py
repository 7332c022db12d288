"""What is due comes back as fast as the workers take it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.site import Site, on

pytestmark = [pytest.mark.celery, pytest.mark.slow]
DEFAULTS = {"lease": 10.0, "heartbeat": 3.0, "sweep": 1.0}
WIDTH, PAUSE = 3_000, 0.002


def seconds(graph: Any, node: str, *, fails: bool) -> float:
    """Return how long a fan-out takes."""
    began = time.monotonic()
    given = {"width": WIDTH, "node": node, "pause": PAUSE, "fails": fails}
    assert graph.invoke(given, on(f"{node}-{fails}"))["done"] == WIDTH
    return time.monotonic() - began


# One that is longer than the pause between two sweeps is found to be over by a sweep.
@pytest.mark.parametrize(("node", "back_off"), [("soon", 0.5), ("later", 2.0 + DEFAULTS["sweep"])])
def test_tasks_that_fail_once_take_the_time_of_two(
    own_site: Callable[..., Site], node: str, back_off: float
) -> None:
    site = own_site(**DEFAULTS)
    site.start(2, concurrency=1)
    graph = site.graphs["flaky"]
    graph.invoke({"width": 100, "node": node, "pause": 0, "fails": False}, on("warm"))
    calm = seconds(graph, node, fails=False)
    took = seconds(graph, node, fails=True)
    sys.stderr.write(f"\n{WIDTH} tasks: calm {calm:.1f} s, each failing once {took:.1f} s\n")
    assert took <= 2 * calm + back_off
