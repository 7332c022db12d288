"""Ids of checkpoints: UUIDs of version 6, which sort by the time of their making."""

from __future__ import annotations

import time
from random import SystemRandom
from uuid import UUID

_EPOCH = 0x01B21DD213814000
"""Clock ticks from the beginning of the Gregorian calendar to that of Unix."""
_VERSION_6 = 6 << 76
_VARIANT = 2 << 62
_LOW_12, _LOW_14, _LOW_48 = 0xFFF, 0x3FFF, 0xFFFFFFFFFFFF
_LAST = (1 << 60) - 1


class _Clock:
    """Counts ticks of 100 ns: one process has none twice, also when its time is put back."""

    def __init__(self) -> None:
        self._last = 0

    def tick(self) -> int:
        self._last = max(time.time_ns() // 100 + _EPOCH, self._last + 1)
        return self._last


_clock = _Clock()
_random = SystemRandom()


def uuid6(node: int | None = None, clock_seq: int | None = None) -> UUID:
    """Return a UUID of version 6; what is not given of its last 62 bits is random."""
    node = _random.getrandbits(48) if node is None else node & _LOW_48
    clock_seq = _random.getrandbits(14) if clock_seq is None else clock_seq & _LOW_14
    return UUID(int=_at(_clock.tick(), clock_seq << 48 | node))


def _at(tick: int, rest: int) -> int:
    return (tick >> 12) << 80 | _VERSION_6 | (tick & _LOW_12) << 64 | _VARIANT | rest


def _text(bits: int) -> str:
    """Return what ``str(UUID(int=bits))`` is, in a third of the time: each superstep has an id."""
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def next_id(parent: str | None) -> str:
    """Return a new id that is greater than ``parent`` as a string, also when this clock is behind.

    Raises ValueError when ``parent`` is no UUID.
    """
    fresh = _text(_at(_clock.tick(), _random.getrandbits(62)))
    if parent is None or fresh > parent:
        return fresh
    return _after(parent)


def _after(parent: str) -> str:
    """Return an id that is one clock tick (100 ns) later than ``parent``."""
    try:
        bits = UUID(parent).int
    except ValueError:
        raise ValueError(f"{parent!r} is no checkpoint id: a UUID is needed") from None
    tick = ((bits >> 80) << 12 | (bits >> 64) & _LOW_12) + 1
    if tick > _LAST:
        raise ValueError(f"no checkpoint id can follow {parent!r}")
    return _text(_at(tick, _random.getrandbits(62)))
