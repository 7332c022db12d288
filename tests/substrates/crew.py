"""The workers of the smoke program, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from tests.support.celery_worker import CeleryWorker

APP = "tests.substrates.app"


class Crew:
    """`workers` are those that live; `killed` counts processes that were ended by SIGKILL."""

    def __init__(self, folder: Path, pool: str, env: Mapping[str, str]) -> None:
        self.workers: list[CeleryWorker] = []
        self.killed = 0
        self._folder, self._pool, self._env = folder, pool, env

    def start(self, count: int = 1) -> None:
        """Start workers, and return when all consume."""
        started = [self._launch() for _ in range(count)]
        for worker in started:
            worker.wait_ready()

    def _launch(self) -> CeleryWorker:
        self.workers.append(
            CeleryWorker(
                APP,
                folder=self._folder,
                env=self._env,
                pool=self._pool,
                concurrency=1 if self._pool == "solo" else 2,
                alone=False,
            )
        )
        return self.workers[-1]

    def kill_one_of(self, pids: Iterable[int]) -> int:
        """Kill one of the pool processes `pids`; where the pool has none, return 0."""
        mine = {worker.pid for worker in self.workers}
        found = next((pid for pid in pids if pid not in mine), 0)
        if found:
            psutil.Process(found).kill()
            self.killed += 1
        return found

    def kill_worker(self) -> set[int]:
        """Kill the first worker with its pool; return the process ids that are gone."""
        worker = self.workers.pop(0)
        gone = {worker.pid, *(child.pid for child in worker.children())}
        worker.kill()
        self.killed += 1
        return gone

    def leave(self) -> None:
        """Ask all to end, and check that they do so in order."""
        for worker in self.workers:
            worker.stop()
        ends = {worker.name: worker.returncode for worker in self.workers}
        assert not any(ends.values()), f"workers did not end in order: {ends}"

    def end(self) -> None:
        """Have all gone."""
        for worker in self.workers:
            worker.kill()

    def all_live(self) -> None:
        """Check that no worker has ended by itself."""
        for worker in self.workers:
            assert worker.alive, f"{worker.name} ended with {worker.returncode}: {worker.log}"
