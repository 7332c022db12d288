"""What a demonstration starts and stops: an embedded Redis, and worker processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distgraph.graph.compiled import Pregel

from ..backend import CeleryBackend
from ..demo.census import build
from ..demo.place import FOLDER_VARIABLE, GRAPH, embedded
from ..embedded.folder import held
from ..embedded.server import HELD
from .exits import CommandError
from .health import living

DEMO = "distgraph.celery.demo.app:graph"
STOPS_WITHIN = 20.0
PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process, and the file that its output goes to."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None


@dataclass(frozen=True, slots=True)
class Crew:
    """The graph on its embedded Redis, and the workers that serve it."""

    backend: CeleryBackend
    graph: Pregel
    workers: tuple[Worker, ...]

    def ready(self) -> None:
        """Wait until a worker lives; CommandError when none is left."""
        while not living(self.backend):
            self.check()
            time.sleep(PAUSE)

    def check(self) -> None:
        """Raise CommandError when no worker is left, with the end of a log."""
        if any(worker.alive for worker in self.workers):
            return
        log = self.workers[-1].log
        said = log.read_text(errors="replace").strip().rpartition("\n")[2]
        raise CommandError(f"All workers have ended. The last line of {log}: {said}")


@contextlib.contextmanager
def crew(folder: Path, count: int) -> Iterator[Crew]:
    """Start Redis in ``folder`` and ``count`` workers; at the end of the block nothing is left."""
    backend, lease = embedded(folder)
    workers: list[Worker] = []
    try:
        graph = build().compile(name=GRAPH, backend=backend)
        workers += [_start(folder, number) for number in range(1, count + 1)]
        yield Crew(backend, graph, tuple(workers))
    finally:
        stop(workers)
        lease.leave()


def _start(folder: Path, number: int) -> Worker:
    """Start a worker in a session of its own, so that Ctrl-C reaches it through us alone.

    Its standard input is a pipe that ends when this process does, however that happens.
    """
    command = [sys.executable, "-m", "distgraph", "worker", DEMO]
    command += ["--pool", "solo", "--loglevel", "WARNING", "--stop-at-eof"]
    command += ["--hostname", f"worker{number}@demo-{os.getpid()}"]
    log = folder / f"worker{number}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 our own program
            command,
            env=_environment(folder),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Worker(process, log)


def _environment(folder: Path) -> dict[str, str]:
    kept: dict[str, Any] = {k: v for k, v in os.environ.items() if not k.startswith("DISTGRAPH_")}
    return {**kept, FOLDER_VARIABLE: str(folder)}


def stop(workers: list[Worker]) -> None:
    """Ask all workers to end and wait for them; one that does not in time is killed."""
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        with worker.process:  # closes its standard input, and waits
            try:
                worker.process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                worker.process.kill()


def is_at_rest(folder: Path) -> bool:
    """Whether no Redis runs in ``folder``."""
    return not held(folder / HELD)
