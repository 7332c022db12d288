"""Ids of checkpoints: UUIDs of version 6, which sort by the time of their making."""

from __future__ import annotations

import secrets
from uuid import UUID

from uuid6 import uuid6

__all__ = ["next_id", "uuid6"]

_VERSION_6 = 6 << 76
_VARIANT = 2 << 62
_LOW_12 = 0xFFF
_LAST_TIME = (1 << 60) - 1


def next_id(parent: str | None) -> str:
    """Return a new id that is greater than ``parent`` as a string, also when this clock is behind.

    Raises ValueError when ``parent`` is no UUID.
    """
    fresh = str(uuid6())
    if parent is None or fresh > parent:
        return fresh
    return _after(parent)


def _after(parent: str) -> str:
    """Return an id that is one clock tick (100 ns) later than ``parent``."""
    try:
        bits = UUID(parent).int
    except ValueError:
        raise ValueError(f"{parent!r} is no checkpoint id: a UUID is needed") from None
    time = ((bits >> 80) << 12 | (bits >> 64) & _LOW_12) + 1
    if time > _LAST_TIME:
        raise ValueError(f"no checkpoint id can follow {parent!r}")
    high = (time >> 12) << 80 | _VERSION_6 | (time & _LOW_12) << 64
    return str(UUID(int=high | _VARIANT | secrets.randbits(62)))
