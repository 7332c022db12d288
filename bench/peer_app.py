"""The plain Celery application that is compared with: Redis for broker and results, well tuned."""

from __future__ import annotations

import os
from collections.abc import Iterable

from celery import Celery

url = os.environ.get("BENCH_REDIS", "redis://localhost:6379/1")
app = Celery("peer", broker=url, backend=url)
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    worker_prefetch_multiplier=4,
    worker_send_task_events=False,
    task_track_started=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="peer.count")
def count(n: int) -> int:
    """Return one more."""
    return n + 1


@app.task(name="peer.square")
def square(n: int) -> int:
    """Return the square."""
    return n * n


@app.task(name="peer.add")
def add(numbers: Iterable[int]) -> int:
    """Return the sum."""
    return sum(numbers)
