"""A program on the embedded Redis whose worker is killed in the middle of a fan-out of 200.

Arguments: the folder of the Redis, and the file where bodies note that they ran. Ends with 0 when
the run ended right.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.apps.served import register
from tests.support.celery_worker import CeleryWorker
from tests.support.site import APP, lines, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

WIDTH = 200


def main() -> None:
    """Start two workers, kill one, and wait for the run."""
    folder, log = Path(sys.argv[1]), Path(sys.argv[2])
    backend = CeleryBackend.embedded(folder)
    graph = register(backend, ("fan",))["fan"]
    env = {"DISTGRAPH_REDIS": backend.settings.redis, "DISTGRAPH_NAMESPACE": backend.namespace}
    workers = [CeleryWorker(APP, folder=folder, env=env) for _ in range(2)]
    try:
        for worker in workers:
            worker.wait_ready()
        run = graph.submit({"width": WIDTH, "pause": 0.05, "log": str(log)}, on("t"))
        wait_until(lambda: len(lines(log)) >= WIDTH // 4, "a quarter of the tasks")
        workers[0].kill()
        assert run.result(timeout=PATIENCE)["items"] == list(range(WIDTH))
    finally:
        for worker in workers:
            worker.end()
        backend.close()


if __name__ == "__main__":
    main()
