"""A real Celery worker inside this process, for tests and notebooks."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from celery.contrib.testing.worker import start_worker


@contextmanager
def worker_inside(app: Celery, pool: str, concurrency: int) -> Iterator[Any]:
    """Run a worker of ``app`` in a thread for the duration of the block; one at a time."""
    started = start_worker(
        app,
        concurrency=concurrency,
        pool=pool,
        loglevel=logging.WARNING,
        perform_ping_check=False,
        hostname=f"inside-{uuid.uuid4().hex[:8]}@localhost",
    )
    with started as worker:
        yield worker
