"""A Celery application with one task, which answers with the process that ran it."""

from __future__ import annotations

import os

from celery import Celery

URL = os.environ.get("ECHO_REDIS", "memory://")

app = Celery("echo", broker=URL, backend=URL if URL.startswith("redis") else None)
app.conf.task_default_queue = os.environ.get("ECHO_QUEUE", "echo")


@app.task(name="echo.pid")
def pid() -> int:
    """Return the id of the process that runs the task."""
    return os.getpid()
