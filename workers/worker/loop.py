"""The one long-lived event loop of a worker process, for coroutine nodes."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final

log: Final = logging.getLogger(__name__)
GLANCE = 0.1
"""Seconds after which who waits for the end looks whether there is still time."""
BROKEN = (
    "The event loop of the coroutine nodes broke, and with it all that ran there: a node may have "
    "closed files that are not its own. What ran begins again when its leases have run "
    "out, and counts as lost."
)
PATIENCE = 1.0
"""Seconds after which who waits for a place looks whether the loop is still the same."""


class Loop:
    """Runs coroutines beside the pool; ``most`` at once, then ``spawn`` waits for a free place.

    One loop for the process's whole life: clients that nodes keep belong to it. A forked process
    starts its own, and so does one whose loop broke: ``abandon`` is told that nothing that ran on
    it will end.
    """

    def __init__(self, most: int, abandon: Callable[[], None]) -> None:
        self._most, self._abandon = most, abandon
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._closed = False

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Future[None] | None:
        """Start ``coroutine`` and return its future, None when the loop is closed.

        Blocks while the loop is full.
        """
        loop = self._running()
        while not self._places.acquire(timeout=PATIENCE):
            loop = self._running()
        if self._closed:
            self._places.release()
            coroutine.close()
            return None
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        future.add_done_callback(self._done)
        return future

    def open(self) -> None:
        """Take coroutines again, for another worker in this process."""
        self._closed = False

    def close(self) -> None:
        """Take no coroutine any more: its process would end before it."""
        self._closed = True

    def drain(self, left: Callable[[], float]) -> bool:
        """Wait until nothing runs here any more; False when something does and no time is left.

        ``left`` tells how many seconds there still are, and may change its mind.
        """
        if self._pid != os.getpid():
            return True
        taken = 0
        try:
            while taken < self._most and self._take(left):
                taken += 1
            return taken == self._most
        finally:
            for _ in range(taken):
                self._places.release()

    def _take(self, left: Callable[[], float]) -> bool:
        """Take one place while there is time."""
        while not self._places.acquire(timeout=max(0.0, min(left(), GLANCE))):
            if left() <= 0:
                return False
        return True

    def _done(self, future: Any) -> None:
        self._places.release()
        if not future.cancelled() and (error := future.exception()) is not None:
            log.error("A coroutine job failed outside of its node", exc_info=error)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._places = threading.BoundedSemaphore(self._most)
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._serve, args=(self._loop,), name="distgraph-loop", daemon=True
                ).start()
            return self._loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run ``loop`` for ever, whatever nodes do with it and in tasks that they start.

        What such a task raises to end the process is told to who awaits it, but leaves the loop
        too.
        """
        while True:
            try:
                loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                log.warning("A task that a coroutine node started ended with %r", error)
            except Exception:
                log.exception(BROKEN)
                self._give_up(loop)
                return
            else:
                log.warning("A coroutine node stopped the event loop, which all of them share")

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the next coroutine have another loop."""
        with self._lock:
            if self._loop is loop:
                self._loop = None
        self._abandon()
