"""Counts what stood in the broker's queues and led to nothing."""

from __future__ import annotations

import logging
import reprlib
import threading
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

log: Final = logging.getLogger(__name__)
SHOWN = 200
"""How many characters of a message are logged."""


class Reason(StrEnum):
    """Why a message led to nothing."""

    garbled = "garbled message"
    no_hint = "message that is no hint"
    unknown = "message of a task that is not known here"


class Dropped:
    """The messages that one worker dropped, by reason; the first of each is logged."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._repr = reprlib.Repr()
        self._repr.maxstring = self._repr.maxother = SHOWN

    def note(self, reason: Reason, what: object) -> None:
        """Count a message that is dropped; ``what`` it was may be of any size and depth."""
        with self._lock:
            self._counts[reason.name] += 1
            first = self._counts[reason.name] == 1
        if first:
            shown = self._repr.repr(what)[:SHOWN].encode("ascii", "backslashreplace").decode()
            log.warning("A %s was ignored: %s. Others are counted.", reason, shown)

    def counts(self) -> Mapping[str, int]:
        """Return how many were dropped, by the name of the reason."""
        with self._lock:
            return dict(self._counts)
