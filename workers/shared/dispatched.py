"""Says, a moment later and off the path of who waits, which hints went out."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger

log: Final = logging.getLogger(__name__)
DELAY = 0.5


@dataclass(slots=True)
class _Noted:
    """What one process has noted."""

    frames: dict[tuple[Thread, str], str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    some: threading.Event = field(default_factory=threading.Event)


class Dispatched:
    """Notes supersteps whose hints are out; a thread of this process tells the store.

    Well before the sweeper would look for them, and only of the last superstep of each frame: most
    are committed by then. What is lost with the process only makes the sweeper look sooner. The
    thread starts with the first note, also in a process that was forked meanwhile.
    """

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        self._ledger = ledger
        self._by_pid: dict[int, _Noted] = {}

    def note(self, thread: Thread, ns: str, ep: str) -> None:
        """Have it told that the hints of superstep ``ep`` went out."""
        mine = self._mine()
        with mine.lock:
            mine.frames[thread, ns] = ep
        mine.some.set()

    def forget(self, thread: Thread) -> None:
        """Tell nothing of a thread whose run is over."""
        if (mine := self._by_pid.get(os.getpid())) is not None:
            with mine.lock:
                mine.frames.pop((thread, ""), None)

    def _mine(self) -> _Noted:
        """Return what this process noted; of jobs that begin at once, one starts the thread."""
        if (known := self._by_pid.get(os.getpid())) is not None:
            return known
        made = _Noted()
        mine = self._by_pid.setdefault(os.getpid(), made)
        if mine is made:
            run = threading.Thread(
                target=self._run, args=(mine,), name="distgraph-dispatched", daemon=True
            )
            run.start()
            atexit.register(self._tell, mine)
        return mine

    def _run(self, mine: _Noted) -> None:
        while mine.some.wait():
            time.sleep(DELAY)
            self._tell(mine)

    def _tell(self, mine: _Noted) -> None:
        with mine.lock:
            mine.some.clear()
            frames, mine.frames = mine.frames, {}
        if not frames:
            return
        try:
            told = [commands.published(thread, ns, ep) for (thread, ns), ep in frames.items()]
            list(self._ledger().together(told))
        except Exception as error:  # noqa: BLE001 whatever it is, later notes are to be told
            log.info("The sweeper will look for hints that are out: %r", error)
