"""Custom chunks of a running node: the first goes out at once, later ones every 20 ms."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from distgraph.errors import SerializationError, StoreError

log = logging.getLogger(__name__)
PAUSE = 0.02
MAX_CHUNK = 65_536


class Emitter:
    """Gathers one attempt's chunks; thread-safe, because nodes may emit from threads of theirs."""

    def __init__(
        self,
        *,
        encode: Callable[[Any], bytes],
        send: Callable[[Sequence[bytes]], None],
    ) -> None:
        self._encode, self._send = encode, send
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._waiting: list[bytes] = []
        self._last = 0.0
        self._timer: threading.Timer | None = None

    def emit(self, chunk: Any) -> None:
        """Stream ``chunk``; SerializationError for one that is not storable or over 64 KB."""
        blob = self._encode(chunk)
        if len(blob) > MAX_CHUNK:
            msg = f"A custom chunk has {len(blob)} bytes; at most {MAX_CHUNK} can be streamed."
            raise SerializationError(msg)
        with self._lock:
            self._waiting.append(blob)
            pause = self._last + PAUSE - time.monotonic()
            if pause > 0:
                self._later(pause)
                return
        self.flush()

    def flush(self) -> None:
        """Send what waits; a chunk that Redis does not take is lost, the node goes on.

        Returns when also those are sent that another thread has taken: in order, and before the
        task ends.
        """
        with self._sending:
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            blobs, self._waiting = self._waiting, []
            self._last, self._timer = time.monotonic(), None
        if not blobs:
            return
        try:
            self._send(blobs)
        except StoreError as error:
            log.warning("Custom chunks could not be streamed: %s", error)

    def _later(self, pause: float) -> None:
        if self._timer is None:
            self._timer = threading.Timer(pause, self.flush)
            self._timer.daemon = True
            self._timer.start()
