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


@contextmanager
def worker_inside(app: Celery, pool: str, concurrency: int) -> Iterator[Any]:
    """Run a worker of ``app`` in a thread for the duration of the block.

    Raises RuntimeError while another runs in this process.
    """
    if not _ONE.acquire(blocking=False):
        msg = (
            "A worker runs inside this process already; Celery can have one of them in a process. "
            "End its `with backend.worker():` block first, compile both graphs for one backend, or "
            "start the other worker as a process: distgraph worker MODULE:GRAPH."
        )
        raise RuntimeError(msg)
    try:
        with _started(app, pool, concurrency) as worker:
            yield worker
    finally:
        _ONE.release()


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


def consume(worker: Any, queues: Iterable[str]) -> None:
    """Let a running worker consume ``queues`` too; those that it has are left alone."""
    for queue in queues:
        worker.consumer.call_soon(worker.consumer.add_task_queue, queue)
