"""The random schedules notice a script that lost one of its fences."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from tests.support.sim.simulation import Simulation
from tests.support.thread_driver import mutated

SEEDS = 600

pytestmark = [pytest.mark.redis, pytest.mark.slow]

MUTANTS = {
    "no fence of the first finisher": (
        "finished.lua",
        "if not UNFINISHED[task[TASK.state]] then return REPLY.stale end",
        "",
    ),
    "no fence of the round": (
        "finished.lua",
        "if task[TASK.round] ~= result[RESULT.round] then return REPLY.stale end",
        "",
    ),
    "no instance of a question": (
        "answer.lua",
        "if not (asked[tid] and asked[tid][iid]) then",
        "if not asked[tid] then",
    ),
    "no fence of the epoch": ("fence.lua", " or epoch ~= ep then", " then"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_lost_fence_is_noticed(
    redis_client: redis.Redis, namespace: str, tmp_path: Path, mutant: str
) -> None:
    with mutated(tmp_path, *MUTANTS[mutant]):
        assert any(noticed(redis_client, namespace, seed) for seed in range(SEEDS))


def noticed(client: redis.Redis, namespace: str, seed: int) -> bool:
    simulation = Simulation(client, namespace, seed)
    simulation.calm_steps = 1_000
    try:
        return bool(simulation.run(60 + seed % 240))
    except (AssertionError, LookupError, ValueError):
        return True
