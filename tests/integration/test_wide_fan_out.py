"""Ten thousand Sends on two worker processes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from tests.support.redis_server import RedisServer
from tests.support.site import Site, on

pytestmark = [pytest.mark.celery, pytest.mark.slow, pytest.mark.timeout(240)]
WIDTH = 10_000
DEFAULTS = {"lease": 10.0, "heartbeat": 3.0, "sweep": 1.0}


@pytest.fixture
def site(own_site: Callable[..., Site], new_redis: Callable[..., RedisServer]) -> Site:
    made = own_site(broker=new_redis(), **DEFAULTS)
    made.start(2, concurrency=1)
    return made


def grown(call: Callable[[], Any]) -> tuple[Any, int]:
    """Return what `call` gives, and by how many bytes this process is larger after it."""
    before = psutil.Process().memory_info().rss
    answer = call()
    return answer, psutil.Process().memory_info().rss - before


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


def test_ten_thousand_sends_finish_and_cost_the_submitter_nothing(site: Site) -> None:
    graph = site.graphs["noop"]
    small, calm_small = timed(lambda: graph.invoke({"width": 1_000}, on("small")))
    _, after_small = grown(lambda: graph.invoke({"width": 1_000}, on("small-2")))
    (done, calm), after_wide = grown(
        lambda: timed(lambda: graph.invoke({"width": WIDTH}, on("wide")))
    )
    sys.stderr.write(
        f"\n1,000 Sends: {calm_small:.1f} s, {WIDTH:,} Sends: {calm:.1f} s; the submitting process "
        f"grew by {after_small // 1024} and {after_wide // 1024} KB\n"
    )
    assert (small["done"], done["done"]) == (1_000, WIDTH)
    assert after_wide - after_small < 2**20
    assert calm < 3 * 10 * calm_small, "a step that is quadratic in the width"
