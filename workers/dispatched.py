"""Says, a moment later and off the path of the next superstep, which hints went out."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from distgraph.errors import StoreError

log = logging.getLogger(__name__)
DELAY = 0.5


class Dispatched:
    """Notes supersteps whose hints are out; a thread of this process tells the store.

    Well before the sweeper would look for them, and only of the last superstep of each frame: most
    are committed by then. What is lost with the process only makes the sweeper look sooner.
    """

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._noted = threading.Event()
        self._frames: dict[tuple[Thread, str], str] = {}
        self._pid = 0

    def note(self, thread: Thread, ns: str, ep: str) -> None:
        """Have it told that the hints of superstep ``ep`` went out."""
        if self._pid != os.getpid():
            self._start()
        with self._lock:
            self._frames[thread, ns] = ep
        self._noted.set()

    def _start(self) -> None:
        """Start the thread, also in a process that was forked meanwhile."""
        self._lock, self._noted = threading.Lock(), threading.Event()
        self._frames, self._pid = {}, os.getpid()
        threading.Thread(target=self._run, name="distgraph-dispatched", daemon=True).start()

    def _run(self) -> None:
        while self._noted.wait():
            time.sleep(DELAY)
            try:
                self.tell()
            except StoreError as error:
                log.warning("The sweeper will look for hints that are out: %s", error)

    def tell(self) -> None:
        """Tell what was noted so far."""
        with self._lock:
            self._noted.clear()
            frames, self._frames = self._frames, {}
        for (thread, ns), ep in frames.items():
            self._ledger().published(thread, ns, ep)
