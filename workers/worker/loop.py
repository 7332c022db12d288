"""The one long-lived event loop of a worker process, for coroutine nodes."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

log = logging.getLogger(__name__)


class Loop:
    """Runs coroutines beside the pool; ``most`` at once, then ``spawn`` waits for a free place.

    One loop for the process's whole life: clients that nodes keep belong to it. A forked process
    starts its own.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Future[None]:
        """Start ``coroutine`` and return its future; blocks while the loop is full."""
        loop = self._running()
        self._places.acquire()
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        future.add_done_callback(self._done)
        return future

    def drain(self, timeout: float) -> bool:
        """Wait ``timeout`` seconds in all until nothing runs here any more; False when it does."""
        if self._pid != os.getpid():
            return True
        taken, deadline = 0, time.monotonic() + timeout
        try:
            while taken < self._most and self._places.acquire(
                timeout=max(0.0, deadline - time.monotonic())
            ):
                taken += 1
            return taken == self._most
        finally:
            for _ in range(taken):
                self._places.release()

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
                    target=_serve, args=(self._loop,), name="distgraph-loop", daemon=True
                ).start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """Run ``loop`` for ever, whatever nodes do in tasks that they start.

    What such a task raises to end the process is told to who awaits it, but leaves the loop too.
    """
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:
            log.warning("A task that a coroutine node started ended with %r", error)
        else:
            return
