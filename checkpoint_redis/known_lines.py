"""Which lists of the checkpoints that a saver has seen last stand in which lines."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

from distgraph.core.model import Line

Lines = Mapping[str, tuple[Any, Line]]
"""By channel: its version, and where that is stored."""
Spot = tuple[str, str, str]
"""A thread's hash, a frame, a checkpoint."""
MOST = 256


class KnownLines:
    """The last ones alone: whoever goes on from another checkpoint reads its record."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: OrderedDict[Spot, Lines] = OrderedDict()

    def get(self, place: Spot) -> Lines | None:
        """Return the lines of a checkpoint; None when it was not seen lately."""
        return self._found.get(place)

    def keep(self, place: Spot, lines: Lines) -> None:
        """Remember the lines of a checkpoint, which never change."""
        with self._lock:
            self._found[place] = lines
            while len(self._found) > MOST:
                self._found.popitem(last=False)
