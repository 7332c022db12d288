"""Jobs of an application with ``task_always_eager``: this process does them, one after the other.

A call that publishes jobs returns when these, and all that follow from them, are done. What a job
publishes is done after it and not inside it, so nothing gets deeper with the length of a run.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextvars import ContextVar
from functools import partial
from typing import Any

from ..shared.hints import Outgoing

Work = Callable[[], object]
AT_ONCE = 0.0


class Agenda:
    """What one call has still to do, in the order of when it is to be done, and then of arrival."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Work]] = []
        self._count, self._beside, self._over = 0, 0, False
        self._changed = threading.Condition()

    def add(self, work: Iterable[Work], at: float = AT_ONCE) -> bool:
        """Have work done from ``at``, by the monotonic clock; False when nobody does it any more.

        Whatever a node started for itself and left behind may come too late.
        """
        with self._changed:
            if self._over:
                return False
            for each in work:
                self._count += 1
                heapq.heappush(self._due, (at, self._count, each))
            self._changed.notify()
            return True

    def wait_for(self, beside: Future[Any]) -> None:
        """Do not end before ``beside`` has: what follows from it comes from another thread."""
        with self._changed:
            self._beside += 1
        beside.add_done_callback(self._ended)

    def _ended(self, _: Future[Any]) -> None:
        with self._changed:
            self._beside -= 1
            self._changed.notify()

    def do_all(self) -> None:
        """Return when everything is done."""
        try:
            while (work := self._next()) is not None:
                work()
        finally:
            self._over = True

    def _next(self) -> Work | None:
        with self._changed:
            while self._due or self._beside:
                pause = self._due[0][0] - time.monotonic() if self._due else None
                if pause is not None and pause <= 0:
                    return heapq.heappop(self._due)[-1]
                self._changed.wait(pause)
            self._over = True
        return None


# Unlike what belongs to a thread, it is known to coroutines of a job too, wherever they run.
_AGENDA: ContextVar[Agenda | None] = ContextVar("distgraph_agenda", default=None)


def do_here(task: Any, messages: Iterable[Outgoing]) -> None:
    """Do the jobs of ``task`` that ``messages`` ask for, as ``apply_async`` would."""
    # As with a worker, what a job raises is nothing to whoever published it.
    jobs = [partial(task.apply, list(each.args), throw=False) for each in messages]
    if (around := _AGENDA.get()) is not None and around.add(jobs):
        return
    agenda = Agenda()
    agenda.add(jobs)
    token = _AGENDA.set(agenda)
    try:
        agenda.do_all()
    finally:
        _AGENDA.reset(token)


def wait_for(beside: Future[Any]) -> None:
    """Where jobs are done here, have the call that published them wait for ``beside`` too."""
    if (agenda := _AGENDA.get()) is not None:
        agenda.wait_for(beside)


def do_later(work: Work, delay: float) -> bool:
    """Where jobs are done here, do ``work`` after ``delay`` seconds; False elsewhere."""
    agenda = _AGENDA.get()
    return agenda is not None and agenda.add((work,), time.monotonic() + delay)
