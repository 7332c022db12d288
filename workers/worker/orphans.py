"""A process of a pool ends with its worker, and not with the thread of the worker that forked it.

Celery asks Linux to kill a process of the pool when its parent ends, and Linux takes for the
parent the *thread* that forked. With a broker that has no event loop, processes that replace others
are forked by a thread of billiard's, which a warm shutdown ends first: they would be killed in the
middle of a node, or with the lock in hand by which the whole pool waits for jobs.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading

from billiard.pool import PoolThread
from billiard.util import set_pdeathsig  # type: ignore[attr-defined]  # not in its stubs

NONE = 0


def outlive_thread() -> None:
    """Let this process, if a thread of the pool's forked it, end when the worker itself does."""
    if sys.platform != "linux" or not isinstance(threading.main_thread(), PoolThread):
        return
    worker = os.pidfd_open(os.getppid())
    threading.Thread(target=_end_with, args=(worker,), name="worker-ends", daemon=True).start()
    set_pdeathsig(NONE)


def _end_with(worker: int) -> None:
    """Kill this process once the process behind the descriptor has ended."""
    waiting = select.poll()
    waiting.register(worker, select.POLLIN)
    waiting.poll()
    os.kill(os.getpid(), signal.SIGKILL)
