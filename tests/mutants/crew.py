"""Worker processes, and the jobs that are shared out among them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.mutants.jobs import Job
from tests.mutants.worker import work


class WorkerGone(RuntimeError):
    """A worker ended by itself; its log tells why."""


class Crew:
    """As many workers as `size`; each has a Redis of its own, and a folder with its log."""

    def __init__(self, size: int, folder: Path, seeds: int) -> None:
        self._folder = folder
        self._pipes: list[Connection] = []
        self._processes = []
        context = multiprocessing.get_context("spawn")
        for n in range(size):
            ours, theirs = context.Pipe()
            arguments = (theirs, folder / f"worker-{n}", seeds)
            process = context.Process(target=work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        self.tests: tuple[str, ...] = self._collected()

    def _collected(self) -> tuple[str, ...]:
        first, *_ = [self._answer(pipe) for pipe in self._pipes]
        return tuple(first)

    def carry_out(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, Any]]:
        """Yield each job with its answer, as they come; a job is drawn when a worker is free."""
        under_way: dict[Connection, Job] = {}
        for pipe in self._pipes:
            self._give(pipe, jobs, under_way)
        while under_way:
            for ready in wait(list(under_way)):
                assert isinstance(ready, Connection)
                answer, job = self._answer(ready), under_way.pop(ready)
                yield job, answer
                self._give(ready, jobs, under_way)

    def _give(
        self, pipe: Connection, jobs: Iterator[Job], under_way: dict[Connection, Job]
    ) -> None:
        if job := next(jobs, None):
            pipe.send(job)
            under_way[pipe] = job

    def _answer(self, pipe: Connection) -> Any:
        try:
            return pipe.recv()
        except EOFError as end:
            raise WorkerGone(f"A worker has ended. Its log is in {self._folder}.") from end

    def close(self) -> None:
        """Let the workers end their servers and go."""
        for pipe in self._pipes:
            with suppress(OSError):
                pipe.close()
        for process in self._processes:
            process.join(20)
