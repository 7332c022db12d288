"""What wakes somebody who waits."""

from __future__ import annotations

from typing import Protocol


class Bell(Protocol):
    """A threading.Event, or one of asyncio."""

    def set(self) -> None:
        """Wake whoever waits, now or next."""

    def clear(self) -> None:
        """Begin anew."""
