"""A real Celery worker inside this process, for tests and notebooks."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery

# Celery keeps a worker's event loop and its order to stop in variables of the process: a second
# worker would share the first one's loop, and take it along when it ends.
_ONE = threading.Lock()


class WorkerInside:
    """The worker of ``app`` inside this process, while there is one."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._worker: Any = None

    @contextmanager
    def worker(self, pool: str, concurrency: int) -> Iterator[Any]:
        """Run it in a thread for the duration of the block.

        Raises RuntimeError while another runs in this process.
        """
        if not _ONE.acquire(blocking=False):
            msg = (
                "A worker runs inside this process already; Celery can have one of them in a "
                "process. End its `with backend.worker():` block first, compile both graphs for "
                "one backend, or start the other worker as a process: "
                "distgraph worker MODULE:GRAPH."
            )
            raise RuntimeError(msg)
        try:
            with _started(self._app, pool, concurrency) as self._worker:
                yield self._worker
        finally:
            self._worker = None
            _ONE.release()

    def consume(self, queues: Iterable[str]) -> None:
        """Let it consume ``queues`` too; those that it has are left alone."""
        if self._worker is not None:
            consumer = self._worker.consumer
            for queue in queues:
                consumer.call_soon(consumer.add_task_queue, queue)


def _started(app: Celery, pool: str, concurrency: int) -> Any:
    from celery.contrib.testing.worker import start_worker  # noqa: PLC0415 only tests need it

    return start_worker(
        app,
        concurrency=concurrency,
        pool=pool,
        loglevel=logging.WARNING,
        perform_ping_check=False,
        shutdown_timeout=30.0,  # coroutines and the sweeper have 5 s each to end
        hostname=f"inside-{uuid.uuid4().hex[:8]}@localhost",
    )
