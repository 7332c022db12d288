"""What the main process of a worker tells those that it forks: when they end, and why."""

from __future__ import annotations

import math
import struct
from hashlib import blake2b
from mmap import mmap

_MOMENT = struct.Struct("d")
_PID = struct.Struct("I")
_SLOTS = 128
_DIGEST = 8
_PIDS = _MOMENT.size
_CUT = _PIDS + _SLOTS * _PID.size
_SIZE = _CUT + _SLOTS * _DIGEST


class Bulletin:
    """A piece of memory that a worker shares with the processes of its pool.

    Moments are of the machine's monotonic clock, which all of its processes have in common.
    """

    def __init__(self) -> None:
        self._memory = mmap(-1, _SIZE)

    def renew(self) -> None:
        """Begin anew, for a worker that has not forked yet."""
        self._memory = mmap(-1, _SIZE)

    @property
    def ends_at(self) -> float | None:
        """When coroutines must be given back since the worker ends; None while it goes on."""
        return _MOMENT.unpack_from(self._memory)[0] or None

    def end_by(self, moment: float) -> None:
        """Have coroutines given back at ``moment``, unless that was to be earlier already."""
        earliest = min(moment, self.ends_at or math.inf)
        _MOMENT.pack_into(self._memory, 0, earliest)

    def revoke(self, pid: int) -> None:
        """Note that the job of a process is ended since somebody revoked it."""
        _PID.pack_into(self._memory, self._slot(pid), pid)

    def admit(self, pid: int) -> None:
        """Forget what was noted of a process that had this id before."""
        if self.is_revoked(pid):
            _PID.pack_into(self._memory, self._slot(pid), 0)

    def is_revoked(self, pid: int) -> bool:
        """Whether the job of that process was revoked."""
        return bool(_PID.unpack_from(self._memory, self._slot(pid))[0] == pid)

    def was_cut(self, tid: str) -> bool:
        """Note that a task was cut short by a process that made place; tell if it was before."""
        mark = blake2b(tid.encode(), digest_size=_DIGEST).digest()
        at = _CUT + mark[0] % _SLOTS * _DIGEST
        known = self._memory[at : at + _DIGEST] == mark
        self._memory[at : at + _DIGEST] = mark
        return known

    @staticmethod
    def _slot(pid: int) -> int:
        return _PIDS + pid % _SLOTS * _PID.size
