"""Real `celery worker` processes for tests."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.processes import ROOT, Process
from tests.support.waiting import wait_until


class CeleryWorker(Process):
    """A worker of the application `app`, either `module` or `module:attribute`.

    The process imports `app` itself, so `app` must stand in a module that it can import; settings
    reach it through `env`. One that is not `alone` hears of other workers, as Celery's do. Just
    made it may still be starting up; see `wait_ready`.
    """

    def __init__(  # noqa: PLR0913 - each has a default, and each is a worker's own setting
        self,
        app: str,
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        pool: str = "prefork",
        concurrency: int = 2,
        options: Sequence[str] = (),
        alone: bool = True,
    ) -> None:
        self.name = f"w{uuid.uuid4().hex[:8]}@localhost"
        command = [sys.executable, "-m", "celery", "-A", app, "worker"]
        command += ["--pool", pool, "--concurrency", str(concurrency), "--hostname", self.name]
        deaf = ("--without-gossip", "--without-mingle") if alone else ()
        command += ["--loglevel", "INFO", *deaf, *options]
        path = {"PYTHONPATH": str(ROOT), **(env or {})}
        super().__init__(command, log=folder / f"{self.name}.log", env=path)

    def wait_ready(self) -> CeleryWorker:
        """Return it once it consumes; raise with its log when it ends or is late."""
        try:
            wait_until(self._is_ready, f"worker {self.name} to be ready")
        except TimeoutError as late:
            self.kill()
            message = f"{late}\n{self.output}"
            raise TimeoutError(message) from late
        return self

    def _is_ready(self) -> bool:
        if not self.alive:
            message = f"worker {self.name} ended with {self.returncode}:\n{self.output}"
            raise RuntimeError(message)
        return f"{self.name} ready." in self.output
