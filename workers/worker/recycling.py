"""Keeps a pool process that is given back until its coroutines are done."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from billiard.compat import mem_rss
from celery import signals

from . import releasing
from .office import Office

MARGIN = 1.0
"""Seconds that a job keeps from its time limit."""


class Recycling:
    """Looks, as each job of a pool process ends, whether it is the last one of that process.

    Such a job ends only with the coroutines: once it has, the pool gives the process another one,
    which would wait there until the process is gone. ``jobs`` and ``kilobytes`` bound the life of a
    process, ``limits`` that of a job in seconds; None where nothing does.
    """

    def __init__(
        self, office: Office, jobs: int | None, kilobytes: int | None, *limits: float | None
    ) -> None:
        self._office, self._limits = office, limits
        self._jobs, self._kilobytes = jobs or math.inf, kilobytes or math.inf
        self._done, self._began = 0, 0.0

    def process_begins(self, **_: Any) -> None:
        """Look at the jobs of this process."""
        signals.task_prerun.connect(self.job_begins, weak=False)
        signals.task_postrun.connect(self.job_ends, weak=False)

    def job_begins(self, **_: Any) -> None:
        """Note when."""
        self._began = time.monotonic()

    def job_ends(self, task: Any = None, **_: Any) -> None:
        """Wait for the coroutines when the process goes now."""
        self._done += 1
        if self._is_last():
            releasing.wind_up(self._office, self._time_for(task))

    def _is_last(self) -> bool:
        return self._done >= self._jobs or (
            math.isfinite(self._kilobytes) and mem_rss() > self._kilobytes
        )

    def _time_for(self, task: Any) -> Callable[[], float]:
        """Return what tells how long the job may go on; what it leaves, its process waits for."""
        own = getattr(getattr(task, "request", None), "timelimit", None) or ()
        limits = [limit for limit in (*own, *self._limits) if limit]
        ends = self._began + min(limits, default=math.inf) - MARGIN
        return lambda: ends - time.monotonic()
