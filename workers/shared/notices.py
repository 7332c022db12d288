"""What a process notices of something that lasts, and says once for all who wait for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

LOOK_EVERY, SAY_EVERY = 5.0, 300.0
"""So many seconds lie between two looks, and between two words about the same."""
NOTHING = object()


@dataclass(slots=True)
class Notice:
    """When to look again, and whether what is seen is worth a word; times in seconds.

    Whoever asks in between need do neither: however many wait, one of them does.
    """

    _looked: float | None = None
    _said: float | None = None
    _seen: Any = NOTHING
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def takes_look(self, now: float) -> bool:
        """Whether the caller is the one to look now."""
        with self._lock:
            due = self._looked is None or now - self._looked >= LOOK_EVERY
            self._looked = now if due else self._looked
            return due

    def is_news(self, seen: Any, now: float) -> bool:
        """Whether ``seen`` is another thing than last time, or was said long ago."""
        with self._lock:
            old = self._said is None or now - self._said >= SAY_EVERY
            news = old or seen != self._seen
            self._seen, self._said = seen, now if news else self._said
            return news
