"""Random schedules of the product's scripts end in a consistent history, whatever goes wrong."""

from __future__ import annotations

import os

import pytest
import redis

from tests.support.sim.simulation import Simulation
from tests.support.wide import narrow

SEEDS = int(os.environ.get("DISTGRAPH_SIM_SEEDS", "20"))
FIRST = int(os.environ.get("DISTGRAPH_SIM_FIRST", "0"))
BATCH = 10

pytestmark = [pytest.mark.redis, pytest.mark.no_cover]


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, BATCH))
def test_every_schedule_ends_with_each_write_applied_once(
    redis_client: redis.Redis, namespace: str, first: int
) -> None:
    for seed in range(first, min(first + BATCH, FIRST + SEEDS)):
        wrong = Simulation(redis_client, namespace, seed).run(60 + seed % 240)
        assert not wrong, f"seed {seed}: {wrong}"


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS // 2, BATCH))
def test_every_schedule_does_so_where_one_script_goes_on_with_no_task(
    redis_client: redis.Redis, namespace: str, first: int
) -> None:
    with narrow():
        for seed in range(first, min(first + BATCH, FIRST + SEEDS // 2)):
            wrong = Simulation(redis_client, namespace, seed).run(60 + seed % 240)
            assert not wrong, f"seed {seed}: {wrong}"
