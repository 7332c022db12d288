"""The segments of lists that a process has read or written last, so that none is read twice.

They never change, but where a fail-over lost some and others were written in their places: who uses
them compares them with what the head refers to. Whose they are is part of their names.
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
        # Of each frame and channel the line seen last, and its last segment that is known.
        self._reach: dict[tuple[str, str], dict[str, tuple[str, int]]] = {}

    def find(self, x: str, ns: str, names: Iterable[str]) -> dict[str, bytes]:
        """Return those of a frame's segments that are known."""
        with self._lock:
            found = {name: self._blobs.get((x, ns, name)) for name in names}
            known = {name: blob for name, blob in found.items() if blob is not None}
            for name in known:
                self._blobs.move_to_end((x, ns, name))
            return known

    def reach(self, x: str, ns: str) -> dict[str, int]:
        """Return up to which segment the lines of a frame's lists are known, by line."""
        with self._lock:
            return dict(self._reach.get((x, ns), {}).values())

    def keep(self, x: str, ns: str, blobs: Mapping[str, bytes | None]) -> None:
        """Remember the segments among ``blobs``; the oldest ones go for them."""
        with self._lock:
            for name, blob in blobs.items():
                if blob and numbered_segment(name):
                    self._size += len(blob) - len(self._blobs.get((x, ns, name), b""))
                    self._blobs[x, ns, name] = blob
                    self._extend(x, ns, name)
            while self._size > self._most:
                key, oldest = self._blobs.popitem(last=False)
                self._size -= len(oldest)
                self._shorten(*key)

    def _extend(self, x: str, ns: str, name: str) -> None:
        channel, line, number = _parts(name)
        lines = self._reach.setdefault((x, ns), {})
        before, most = lines.get(channel, (line, 0))
        lines[channel] = (line, max(number, most) if line == before else number)

    def _shorten(self, x: str, ns: str, name: str) -> None:
        """Forget a line whose last segment went."""
        channel, *place = _parts(name)
        lines = self._reach.get((x, ns), {})
        if lines.get(channel) == tuple(place):
            del lines[channel]
        if not lines:
            self._reach.pop((x, ns), None)


def _parts(name: str) -> tuple[str, str, int]:
    """Return channel, line and number of a segment."""
    line, number = numbered_segment(name) or (name, 0)
    return line.rpartition("@")[0], line, number
