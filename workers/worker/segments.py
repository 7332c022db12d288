"""The segments of lists that a process has read or written last, so that none is read twice.

They never change, so one that is known is right; whose they are is part of their names.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock

from distgraph.checkpoint.lines import numbered_segment

MOST_BYTES = 32 * 2**20
Key = tuple[str, str, str]
"""A thread's hash, a frame, the name of a segment."""


class Segments:
    """The last ones, up to a number of bytes; thread-safe."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._size = most_bytes, 0
        self._lock = Lock()
        self._blobs: OrderedDict[Key, bytes] = OrderedDict()

    def find(self, x: str, ns: str, names: Iterable[str]) -> dict[str, bytes]:
        """Return those of a frame's segments that are known."""
        with self._lock:
            found = {name: self._blobs.get((x, ns, name)) for name in names}
            known = {name: blob for name, blob in found.items() if blob is not None}
            for name in known:
                self._blobs.move_to_end((x, ns, name))
            return known

    def keep(self, x: str, ns: str, blobs: Mapping[str, bytes | None]) -> None:
        """Remember the segments among ``blobs``; the oldest ones go for them."""
        fresh = {(x, ns, name): blob for name, blob in blobs.items() if numbered_segment(name)}
        if not fresh:
            return
        with self._lock:
            for key, blob in fresh.items():
                if blob and key not in self._blobs:
                    self._blobs[key] = blob
                    self._size += len(blob)
            while self._size > self._most:
                self._size -= len(self._blobs.popitem(last=False)[1])
