"""Time limits of nodes that block: a process of a pool can end one, or with it itself.

A thread counts the time, and has a signal raise in the node when that is over. A node that goes on
all the same is given up, and its process with it, which the pool makes anew.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from billiard.process import current_process

from distgraph.core.beside import TIMED_OUT
from distgraph.core.graph import Node
from distgraph.core.model import Task
from distgraph.errors import NodeTimeoutError
from distgraph.runners.attempts import policy_of
from distgraph.runners.limits import TimeLimit
from distgraph.types import TimeoutPolicy

from .killing import MAIN

GRACE: Final = 2.0
"""Seconds that a node has to make room once its time is over."""
NOT_HERE = (
    "Timeouts of nodes that block are only kept by the processes of a worker's pool, and this one "
    "has none. Start a worker with --pool prefork, which is Celery's default, for the queue of "
    "node '{}', make it a coroutine function, or leave the timeout out."
)


class TimeIsOver(BaseException):
    """The time of the node that runs is over; no ``except Exception`` of its own takes it."""


@dataclass(slots=True)
class _Run:
    """One call that is timed: ``late`` is set once, when it takes too long."""

    began: float = field(default_factory=time.monotonic)
    late: Exception | None = None
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self) -> None:
        """Note that the call is over; where its process is ended, wait for that."""
        with self.lock:
            self.over.set()

    def on_signal(self, *_: object) -> None:
        """End the call, unless it has ended by itself."""
        if not self.over.is_set():
            raise TimeIsOver


class PoolLimit(TimeLimit):
    """Ends an attempt that takes too long also where its node blocks.

    ``overrun`` is told, in another thread, of a node that goes on when its time is over. It gives
    the attempt up, and does not return.
    """

    overrun: Callable[[Exception], None]
    _seen = 0.0

    def call(self, work: Callable[[], Any]) -> Any:
        """Return what ``work`` returns; NodeTimeoutError once its time was over.

        TimeoutError where that of its superstep was, ValueError where this is no process of a pool:
        the time of a superstep is not kept there.
        """
        if not _can_be_ended():
            if self._run is None and self._idle is None:
                return work()
            raise ValueError(NOT_HERE.format(self._node))
        run = _Run()
        self._seen = run.began
        try:
            with _alarm(run):
                return self._timed(run, work)
        except (Exception, TimeIsOver) as cause:
            run.end()  # the signal may have come while that was done
            if run.late is None or cause is run.late:
                raise
            raise run.late from (None if isinstance(cause, TimeIsOver) else cause)

    def _timed(self, run: _Run, work: Callable[[], Any]) -> Any:
        counts = threading.Thread(target=self._count, args=(run,), name="distgraph-limit")
        counts.daemon = True
        counts.start()
        try:
            result = work()
        finally:
            run.end()
        if run.late is not None:
            raise run.late
        return result

    def beat(self) -> None:
        """Take note of progress; from any thread."""
        self._seen = time.monotonic()
        super().beat()

    def _count(self, run: _Run) -> None:
        """Wait until the time of a call is over, and end it, unless it ends before."""
        while (left := self._due(run) - time.monotonic()) > 0:
            if run.over.wait(left):
                return
        with run.lock:
            if run.over.is_set():
                return
            run.late = self._lateness(run)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
        if not run.over.wait(GRACE):
            with run.lock:
                if not run.over.is_set():
                    self.overrun(run.late)

    def _due(self, run: _Run) -> float:
        """Return when the time of a call is over that shows no further progress."""
        since = ((run.began, self._run), (run.began, self._left), (self._seen, self._idle))
        return min(at + seconds for at, seconds in since if seconds is not None)

    def _lateness(self, run: _Run) -> Exception:
        taken = time.monotonic() - run.began
        if self._left is not None and taken >= self._left:
            return TimeoutError(TIMED_OUT)
        is_run = self._run is not None and taken >= self._run
        limits = {"idle_timeout": self._idle, "run_timeout": self._run}
        return NodeTimeoutError(self._node, taken, kind="run" if is_run else "idle", **limits)


def _can_be_ended() -> bool:
    """Whether this is the thread in which a process of a pool runs its jobs, one at a time."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and current_process().name != MAIN


@contextmanager
def _alarm(run: _Run) -> Iterator[None]:
    """Have the signal of this process end ``run``."""
    before = signal.signal(signal.SIGALRM, run.on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


def pool_limit(node: Node, task: Task, left: float | None) -> PoolLimit | None:
    """Return what ends an attempt at a task that takes too long, if it is limited.

    ``left``: the seconds that its superstep has left.
    """
    policy = policy_of(node, task)
    if policy is None and left is None:
        return None
    return PoolLimit(node.name, policy or TimeoutPolicy(), left)
