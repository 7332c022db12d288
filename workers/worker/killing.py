"""Ends the blocking node of a cancelled run, where who cancelled it asked for that."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable

from billiard.common import TERM_SIGNAL
from billiard.process import current_process

from checkpoint_redis import commands
from checkpoint_redis.ledger import Ledger

MAIN = "MainProcess"


class Killing:
    """Looks whether what this process runs in vain is to be ended, with the process around it.

    Only a process of a pool can be: it runs one job at a time, and its worker starts another one.
    """

    def __init__(self, ledger: Callable[[], Ledger], namespace: str) -> None:
        self._ledger, self._namespace = ledger, namespace

    def look(self, threads: Iterable[str]) -> None:
        """End the job of this process if somebody killed the runs of one of ``threads``.

        The job meets the exception that every orderly end raises; nothing of it counts any more.
        """
        if current_process().name != MAIN and any(map(self._is_killed, threads)):
            signal.pthread_kill(threading.main_thread().ident or 0, TERM_SIGNAL)

    def _is_killed(self, x: str) -> bool:
        return self._ledger().call(commands.is_killed(self._namespace, x))
