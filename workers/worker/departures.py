"""What becomes of jobs and coroutines when a worker ends, or processes of its pool do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from billiard import get_start_method
from billiard.common import TERM_SIGNAL
from billiard.exceptions import WorkerLostError
from celery import signals
from celery.concurrency.prefork import TaskPool as ProcessPool
from celery.exceptions import ImproperlyConfigured

from ..shared import hints
from . import releasing
from .office import Office
from .orphans import outlive_thread
from .recycling import Recycling

SPAWNS = (
    "The processes of this worker's pool would be spawned (worker_pool_start_method, or billiard's "
    "start method, which is 'spawn' on macOS), and know none of its graphs. Let them be forked: "
    "worker_pool_start_method = 'fork', and on macOS also billiard.set_start_method('fork', "
    "force=True) where the application is made. Or take another pool, such as --pool threads."
)


class Departures:
    """Follows one worker from its main process, and the processes that this forks.

    Celery tells of the end of a worker only when it has waited for it, so its own methods are
    followed, on this worker alone.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._cold = self._has_waited = False

    def follow(self, worker: Any, task: Any) -> None:
        """Follow ``worker``, whose jobs are ``task``'s, before its pool is there.

        Raises ImproperlyConfigured where that would not fork its processes.
        """
        _refuse_spawning(worker)
        self._cold = self._has_waited = False
        if issubclass(worker.pool_cls, ProcessPool):
            signals.task_failure.connect(self.job_failed, sender=task, weak=False)
        signals.worker_process_init.connect(partial(self.process_begins, task), weak=False)
        signals.worker_process_shutdown.connect(self.process_ends, weak=False)
        worker.wait_for_soft_shutdown = self._in_soft_shutdown(
            worker.wait_for_soft_shutdown, worker.app.conf.worker_soft_shutdown_timeout
        )
        if worker.max_tasks_per_child or worker.max_memory_per_child:
            self._follow_recycling(worker)

    def _follow_recycling(self, worker: Any) -> None:
        recycling = Recycling(
            self._office,
            worker.max_tasks_per_child,
            worker.max_memory_per_child,
            worker.time_limit,
            worker.soft_time_limit,
        )
        signals.worker_process_init.connect(recycling.process_begins, weak=False)

    def follow_pool(self, pool: Any) -> None:
        """Follow the pool once it is there, if it has processes."""
        if has_processes(pool):
            pool.terminate_job = self._noting_revokes(pool.terminate_job)
            pool.shrink = _sending_no_more(pool)

    def follow_consumer(self, consumer: Any) -> None:
        """Follow how a consumer has its jobs cut short."""
        consumer.cancel_active_requests = self._in_cold_shutdown(consumer.cancel_active_requests)

    def warm(self) -> None:
        """Give coroutines their grace, since the worker ends when its jobs have."""
        self._end_in(self._office.settings.longest_grace)

    def cold(self) -> None:
        """Give coroutines no time but what a soft shutdown gave them."""
        self._cold = True
        if self._office.bulletin.ends_at is None:
            self._end_in(0.0)

    def _end_in(self, seconds: float) -> None:
        self._office.bulletin.end_by(time.monotonic() + seconds)

    def _in_soft_shutdown(self, wait: Callable[[], None], timeout: float) -> Callable[[], None]:
        """Return ``wait``, which begins the end that does not wait longer for jobs."""

        def waiting() -> None:
            self._cold, self._has_waited = True, False
            self._end_in(timeout)
            wait()
            self._has_waited = True

        return waiting

    def _in_cold_shutdown(self, cancel: Callable[[], None]) -> Callable[[], None]:
        """Return ``cancel``: other than after the wait, it is an operator who waits no longer."""

        def cancelling() -> None:
            if not self._has_waited:
                self._end_in(0.0)
            self._has_waited = False
            cancel()

        return cancelling

    def _noting_revokes(self, terminate: Callable[..., None]) -> Callable[..., None]:
        """Return ``terminate``: unless the worker ends, it ends a job because of a revoke."""

        def terminating(pid: int, sig: int | None = None) -> None:
            if not self._cold:
                self._office.bulletin.revoke(pid)
            terminate(pid, sig)

        return terminating

    def job_failed(self, args: Any = None, exception: Any = None, **_: Any) -> None:
        """Queue again what a process had that has died."""
        hint = hints.read(list(args or ())) if isinstance(exception, WorkerLostError) else None
        if hint is not None and not hint.is_advance:
            releasing.release(self._office, hint, given_back=self._cold)

    def process_begins(self, task: Any, **_: Any) -> None:
        """Forget an earlier process of the same id, and leave what has died to the main one."""
        outlive_thread()
        signals.task_failure.disconnect(self.job_failed, sender=task)
        self._office.bulletin.admit(os.getpid())

    def process_ends(self, **_: Any) -> None:
        """Let the coroutines of a process end that is told to, or recycled."""
        self._office.loop.close()
        with _unhurried():
            releasing.wind_up(self._office)


def _refuse_spawning(worker: Any) -> None:
    """Raise ImproperlyConfigured for a pool whose processes begin as new interpreters.

    Celery makes such a process an application of its own, without the graphs and their job.
    """
    spawns = worker.pool_start_method != "fork" or get_start_method() != "fork"
    if spawns and issubclass(worker.pool_cls, ProcessPool):
        raise ImproperlyConfigured(SPAWNS)


def _sending_no_more(pool: Any) -> Callable[..., None]:
    """Return what shrinks ``pool``: a process that it ends is given no job while it still waits."""
    shrink = pool.shrink
    written: set[int] = getattr(pool._pool, "_all_inqueues", set())  # noqa: SLF001

    def shrinking(n: int = 1) -> None:
        try:
            shrink(n)
        finally:  # of some it may have told the end before it found no more
            for process in pool._pool._pool:  # noqa: SLF001 - only there they are known
                if process._controlled_termination:  # noqa: SLF001
                    written.discard(process.inqW_fd)

    return shrinking


def has_processes(pool: Any) -> bool:
    """Whether jobs run in processes of their own, which can be ended."""
    return isinstance(pool, ProcessPool)


@contextmanager
def _unhurried() -> Iterator[None]:
    """Let no second signal end this process: what it waits for is told by its worker."""
    handler = signal.signal(TERM_SIGNAL, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(TERM_SIGNAL, handler)
