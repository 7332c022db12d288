"""A real Celery worker inside this process, for tests and notebooks."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from celery import Celery

from .office import Office

# Celery keeps a worker's event loop and its order to stop in variables of the process: a second
# worker would share the first one's loop, and take it along when it ends.
_ONE = threading.Lock()
_PROCESSES = frozenset(("prefork", "processes"))
"""Pools whose tasks run in children."""
GRACE = 5.0
"""Seconds that coroutines get at the end of the block, unless the setting says otherwise."""


class Untouched(AbstractContextManager[Any]):
    """A block that lets what is raised in it pass as it is.

    One of contextlib's writes the traceback on it, which an exception of a frozen class refuses.
    """

    def __init__(self, block: AbstractContextManager[Any]) -> None:
        self._block = block

    def __enter__(self) -> Any:
        return self._block.__enter__()

    def __exit__(self, *_: object) -> None:
        self._block.__exit__(None, None, None)


class WorkerInside:
    """The worker of ``app`` inside this process, while there is one."""

    def __init__(self, app: Celery, office: Office) -> None:
        self._app, self._office = app, office
        self._worker: Any = None
        self._pool = ""

    @property
    def shares_memory(self) -> bool:
        """Whether there is one whose tasks run in this process."""
        return self._worker is not None and self._pool not in _PROCESSES

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
        self._pool = pool
        try:
            with _started(self._app, pool, concurrency, self._grace) as self._worker:
                try:
                    yield self._worker
                finally:
                    self._office.bulletin.end_by(time.monotonic() + self._grace)
        finally:
            self._worker = None
            self._office.loop.open()  # for what is done here without a worker
            _ONE.release()

    @property
    def _grace(self) -> float:
        """How long coroutines go on behind the block: Celery does not wait for blocking nodes."""
        grace = self._office.settings.grace
        return GRACE if grace is None else grace

    def consume(self, queues: Iterable[str]) -> None:
        """Let it consume ``queues`` too; those that it has are left alone."""
        if self._worker is not None:
            consumer = self._worker.consumer
            for queue in queues:
                consumer.call_soon(consumer.add_task_queue, queue)


def _started(app: Celery, pool: str, concurrency: int, grace: float) -> Any:
    from celery.contrib.testing.worker import start_worker  # noqa: PLC0415 only tests need it

    return start_worker(
        app,
        concurrency=concurrency,
        pool=pool,
        loglevel=logging.WARNING,
        perform_ping_check=False,
        shutdown_timeout=25.0 + grace,  # the sweeper has 5 s to end
        hostname=f"inside-{uuid.uuid4().hex[:8]}@localhost",
    )
