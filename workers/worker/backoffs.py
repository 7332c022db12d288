"""Wakes up when a short back-off is over: the sweeper would too, but only once a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SLOT = 0.02
"""Back-offs of one shard that end within so many seconds share one timer."""
MARGIN = 0.002
"""Seconds past the end, so that it is over on Redis' clock too."""


class Backoffs:
    """Calls ``sweep(shard)`` at the end of back-offs."""

    def __init__(self, sweep: Callable[[int], None]) -> None:
        self._sweep = sweep
        self._lock = threading.Lock()
        self._slots: set[tuple[int, int]] = set()

    def add(self, shard: int, delay: float) -> None:
        """Note that a back-off of ``shard`` ends in ``delay`` seconds."""
        slot = (shard, int((time.monotonic() + delay) / SLOT) + 1)
        with self._lock:
            if slot in self._slots:
                return
            self._slots.add(slot)
        pause = max(0.0, slot[1] * SLOT - time.monotonic()) + MARGIN
        timer = threading.Timer(pause, self._end, (slot,))
        timer.daemon = True
        timer.start()

    def _end(self, slot: tuple[int, int]) -> None:
        with self._lock:
            self._slots.discard(slot)
        self._sweep(slot[0])
