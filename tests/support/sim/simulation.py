"""The schedule of one seed: who does the next step, and which fault comes when."""

from __future__ import annotations

from unittest.mock import patch

import redis

from checkpoint_redis.saving import forgetting
from tests.support.sim.client import Client
from tests.support.sim.judge import Judge
from tests.support.sim.keeper import Keeper
from tests.support.sim.sweeper import Sweeper
from tests.support.sim.worker import Worker
from tests.support.sim.world import World

WORKERS, KEEPERS = 3, 2
AFTERWARDS = 4
"""Such a part of the chaos comes once more when the run has ended: then savers find a history."""


class Simulation:
    def __init__(self, client: redis.Redis, namespace: str, seed: int) -> None:
        self._world = World(client, namespace, seed)
        self._draw = self._world.draw
        self._client = Client(self._world)
        self._keepers = [Keeper(self._world, self._client) for _ in range(KEEPERS)]
        self._sweeper = Sweeper(self._world)
        self._judge = Judge(self._world)
        self._workers = [Worker(self._world, f"w{n}") for n in range(WORKERS)]
        self._steps = 0
        self._failover_left = seed % 2 == 0
        self.calm_steps = 6_000

    def run(self, chaos_steps: int) -> str:
        """Return what is wrong, '' when all is well."""
        try:
            with patch.object(forgetting, "FORGOTTEN", self._draw.removed_at_once):
                self._run(chaos_steps)
        except AssertionError as wrong:
            return f"step {self._steps}: {wrong}"
        return ""

    def _run(self, chaos_steps: int) -> None:
        self._client.begin()
        for steps in (chaos_steps, chaos_steps // AFTERWARDS):
            self._draw.chaos = True
            for _ in range(steps):
                self._step()
                self._judge.check_moment()
            self._draw.chaos = False
            self._end()

    def _end(self) -> None:
        for k in range(self.calm_steps):
            self._step()
            if k % 10 == 0 and self._ended():
                self._judge.check_end()
                return
        header = self._world.client.hgetall(self._world.thread.header)
        raise AssertionError(f"not finished: {header!r}")

    def _ended(self) -> bool:
        """Tell whether all is over, also what savers have begun: that may be torn."""
        if self._world.ended():
            for keeper in self._keepers:
                keeper.finish()
        return self._world.ended()

    def _step(self) -> None:
        self._steps += 1
        p = self._draw.number()
        if self._draw.chaos and self._fault(p):
            return
        if p < 0.15:
            self._sweeper.step()
        elif p < 0.25:
            self._client.step()
        elif p < 0.28 or (p > 0.5 and self._keeps()):
            self._draw.one(self._keepers).step()
        else:
            self._draw.one(self._workers).step(self._steps)

    def _keeps(self) -> bool:
        """While a thread is busy, savers are refused."""
        return self._draw.chaos and self._world.status() != "busy"

    def _fault(self, p: float) -> bool:
        """Maybe do harm. The replica stops best while the thread waits, the fail-over comes best
        while somebody reduces: there the rare mistakes are.
        """
        if p > 0.99:
            self._pause(self._draw.one(self._workers))
        if p < 0.04:
            self._draw.one(self._workers).crash()
        elif p < 0.044:
            self._client.begin()
        elif p < 0.046:
            self._client.delete()
        elif p < 0.05:
            self._world.repeat_late()
        else:
            return self._failover_left and self._harm_redis(p)
        return True

    def _harm_redis(self, p: float) -> bool:
        if not self._world.has_replica():
            if p < (0.15 if self._world.status() == "interrupted" else 0.06):
                self._world.stop_replica()
                return True
        elif p < (0.3 if "reduce" in [worker.phase for worker in self._workers] else 0.06):
            self._world.fail_over()
            self._failover_left = False
            # Those who know the lost future stop for a while.
            for worker in self._workers:
                self._pause(worker)
            return True
        return False

    def _pause(self, worker: Worker) -> None:
        worker.paused_until = self._steps + self._draw.below(60)
