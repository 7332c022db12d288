"""What a Celery worker does for a backend while it lives: appear, sweep, release what is lost."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from billiard.exceptions import WorkerLostError
from celery import Celery, bootsteps, signals
from celery.concurrency.prefork import TaskPool as ProcessPool

from workers.shared import hints

if TYPE_CHECKING:
    from workers.backend import CeleryBackend

log = logging.getLogger(__name__)


def add_bootstep(app: Celery, backend: CeleryBackend, task: Any) -> None:
    """Make every worker of ``app`` look after ``backend``'s threads."""
    caretaker = backend.caretaker

    class Care(bootsteps.StartStopStep):
        """Sweeps from the worker's main process, and lets coroutine jobs end at shutdown."""

        requires = ("celery.worker.components:Pool",)
        name = f"distgraph.{backend.namespace}"

        def __init__(self, worker: Any, **options: Any) -> None:
            super().__init__(worker, **options)
            backend.employ(worker.hostname)  # the pool has not forked yet

        def start(self, worker: Any) -> None:
            if backend.owns_app and worker.pool_cls is not ProcessPool:
                # A thread that ends a task does not wake the consumer, which would leave the next
                # message where it is for up to a second.
                app.conf.worker_disable_prefetch = False
            self._sweeper = caretaker.sweeper(worker.hostname)
            self._sweeper.start()

        def stop(self, worker: Any) -> None:
            self._sweeper.stop()
            caretaker.wind_up()
            caretaker.leave(worker.hostname)

        def terminate(self, worker: Any) -> None:
            self.stop(worker)  # a cold shutdown asks this way, and by default nothing happens

    def release(args: Any = None, exception: Any = None, **_: Any) -> None:
        if isinstance(exception, WorkerLostError):
            hint = hints.read(list(args or ()))
            if hint is not None and not hint.is_advance:
                caretaker.release(hint)

    app.steps["worker"].add(Care)
    signals.task_failure.connect(release, sender=task, weak=False)
    signals.worker_process_shutdown.connect(lambda **_: caretaker.wind_up(), weak=False)
