"""Wakes up when short back-offs are over: the sweeper would too, but only once a second."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

log: Final = logging.getLogger(__name__)
SLOTS, PART = (0.16, 0.08, 0.04, 0.02), 6
"""Back-offs that end within one of these times, up to a sixth of their own, end together."""
MARGIN = 0.002
"""Seconds past the end, so that it is over on Redis' clock too."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The back-offs of one process: when they are over, and the shard that they are in."""

    ends: set[tuple[float, int]] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition)


class Backoffs:
    """Calls ``sweep(shards)`` at the end of back-offs, from one thread.

    The thread starts with the first of them, also in a process that was forked meanwhile.
    """

    def __init__(self, sweep: Callable[[Sequence[int]], None]) -> None:
        self._sweep = sweep
        self._by_pid: dict[int, _Waiting] = {}

    def add(self, shard: int, delay: float) -> None:
        """Note that a back-off of ``shard`` ends in ``delay`` seconds."""
        mine = self._mine()
        slot = next((slot for slot in SLOTS if slot <= delay / PART), SLOTS[-1])
        end = (int((time.monotonic() + delay) / slot) + 1) * slot + MARGIN
        with mine.changed:
            mine.ends.add((end, shard))
            mine.changed.notify()

    def _mine(self) -> _Waiting:
        """Return what waits in this process; of jobs that begin at once, one starts the thread."""
        if (known := self._by_pid.get(os.getpid())) is not None:
            return known
        made = _Waiting()
        mine = self._by_pid.setdefault(os.getpid(), made)
        if mine is made:
            run = threading.Thread(
                target=self._run, args=(mine,), name="distgraph-backoffs", daemon=True
            )
            run.start()
        return mine

    def _run(self, mine: _Waiting) -> None:
        while shards := _over(mine):
            try:
                self._sweep(shards)
            except Exception as error:  # noqa: BLE001 later ones are to be noticed too
                log.warning("Retries wait for the next sweep: %r", error)


def _over(mine: _Waiting) -> tuple[int, ...]:
    """Wait until back-offs are over; return their shards."""
    with mine.changed:
        while True:
            now = time.monotonic()
            if over := {each for each in mine.ends if each[0] <= now}:
                mine.ends.difference_update(over)
                return tuple(sorted({shard for _, shard in over}))
            mine.changed.wait(min(mine.ends)[0] - now if mine.ends else None)
