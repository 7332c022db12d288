"""Ten thousand Sends on two worker processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil
import pytest
import redis

from tests.support.redis_server import RedisServer
from tests.support.site import Site, on

pytestmark = [pytest.mark.celery, pytest.mark.slow]
WIDTH = 10_000
# Nobody dies and nothing is lost here, so what looks for that once a second has no place among
# the commands that are counted.
NOBODY_SWEEPS = {"lease": 600.0, "heartbeat": 200.0, "sweep": 3_600.0}


@pytest.fixture
def site(own_site: Callable[..., Site], new_redis: Callable[..., RedisServer]) -> Site:
    made = own_site(store=new_redis(), broker=new_redis(), **NOBODY_SWEEPS)
    made.start(2, concurrency=1)
    return made


def grown(call: Callable[[], Any]) -> tuple[Any, int]:
    """Return what `call` gives, and by how many bytes this process is larger after it."""
    before = psutil.Process().memory_info().rss
    answer = call()
    return answer, psutil.Process().memory_info().rss - before


class Meter:
    """What a Redis server has done: scripts run, commands in all, bytes sent and received."""

    def __init__(self, client: redis.Redis) -> None:
        self._client: Any = client
        self._client.config_resetstat()

    def read(self) -> tuple[int, int, int]:
        """Return scripts, commands (those inside of scripts too), and bytes since the last look."""
        calls = {name: seen["calls"] for name, seen in self._client.info("commandstats").items()}
        stats = self._client.info("stats")
        self._client.config_resetstat()
        size = stats["total_net_input_bytes"] + stats["total_net_output_bytes"]
        return calls["cmdstat_evalsha"], sum(calls.values()), size


def test_ten_thousand_sends_finish_and_each_costs_what_it_costs_among_a_thousand(
    site: Site,
) -> None:
    graph = site.graphs["noop"]
    graph.invoke({"width": 1_000}, on("warm"))
    with site.store.client() as client:
        meter = Meter(client)
        small, grew_little = grown(lambda: graph.invoke({"width": 1_000}, on("small")))
        cost_of_few = meter.read()
        wide, grew = grown(lambda: graph.invoke({"width": WIDTH}, on("wide")))
        cost_of_many = meter.read()
    assert (small["done"], wide["done"]) == (1_000, WIDTH)
    assert grew - grew_little < 2**20, "the submitting process grows with the width"
    assert 2 * WIDTH <= cost_of_many[0] < 2 * WIDTH + 100, "scripts"
    for few, many in zip(cost_of_few, cost_of_many, strict=True):
        assert many < 12 * few, (cost_of_few, cost_of_many)
