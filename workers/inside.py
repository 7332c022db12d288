"""A real Celery worker inside this process, for tests and notebooks."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery


@contextmanager
def worker_inside(app: Celery, pool: str, concurrency: int) -> Iterator[Any]:
    """Run a worker of ``app`` in a thread for the duration of the block; one at a time."""
    from celery.contrib.testing.worker import start_worker  # noqa: PLC0415 only tests need it

    started = start_worker(
        app,
        concurrency=concurrency,
        pool=pool,
        loglevel=logging.WARNING,
        perform_ping_check=False,
        shutdown_timeout=60.0,  # one that served many graphs ends slowly
        hostname=f"inside-{uuid.uuid4().hex[:8]}@localhost",
    )
    with started as worker:
        yield worker


def consume(worker: Any, queues: Iterable[str]) -> None:
    """Let a running worker consume ``queues`` too; those that it has are left alone."""
    for queue in queues:
        worker.consumer.call_soon(worker.consumer.add_task_queue, queue)
