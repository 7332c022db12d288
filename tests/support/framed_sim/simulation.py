"""The schedule of one seed of graphs inside graphs: who does the next step, which fault comes."""

from __future__ import annotations

import redis

from tests.support.framed_sim.client import Client
from tests.support.framed_sim.judge import Judge
from tests.support.framed_sim.program import drawn
from tests.support.framed_sim.worker import Worker
from tests.support.sim.world import World

WORKERS = 3
CALM_STEPS = 15_000


class Simulation:
    def __init__(self, client: redis.Redis, namespace: str, seed: int) -> None:
        plans = drawn(seed)
        self._world = World(client, namespace, seed)
        self._draw = self._world.draw
        self._client, self._judge = Client(self._world, plans), Judge(self._world, plans)
        self._workers = [Worker(self._world, plans, f"w{n}") for n in range(WORKERS)]
        self._failover_left = seed % 2 == 0
        self._steps = 0

    def run(self, chaos_steps: int) -> str:
        """Return what is wrong, '' when all is well."""
        try:
            self._client.begin()
            for _ in range(chaos_steps):
                self._step()
            self._draw.chaos = False
            self._end()
        except AssertionError as wrong:
            return f"step {self._steps}: {wrong}"
        return ""

    def _end(self) -> None:
        for k in range(CALM_STEPS):
            self._step()
            if k % 10 == 0 and self._judge.ended():
                self._judge.check_end()
                return
        world = self._world
        header = world.client.hgetall(world.thread.header)
        raise AssertionError(f"not finished: {header!r}, due {world.due()}")

    def _step(self) -> None:
        self._steps += 1
        p = self._draw.number()
        if self._draw.chaos and self._fault(p):
            return
        if p < 0.06:
            self._world.sweep()
        elif p < 0.15:
            self._client.step()
        else:
            self._draw.one(self._workers).step(self._steps)

    def _fault(self, p: float) -> bool:
        """Maybe do harm."""
        if p > 0.99:
            self._pause(self._draw.one(self._workers))
        if p < 0.04:
            self._draw.one(self._workers).crash()
        elif p < 0.042:
            self._client.begin()
        else:
            return self._failover_left and self._harm_redis(p)
        return True

    def _harm_redis(self, p: float) -> bool:
        if p > 0.06:
            return False
        if not self._world.has_replica():
            self._world.stop_replica()
            return True
        self._world.fail_over()
        self._failover_left = False
        # Those who know the lost future stop for a while.
        for worker in self._workers:
            self._pause(worker)
        return True

    def _pause(self, worker: Worker) -> None:
        worker.paused_until = self._steps + self._draw.below(60)
