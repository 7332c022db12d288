"""What a saver has noted last of the tasks of checkpoints, until it puts what follows from them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from checkpoint_redis.known_lines import Spot

MOST_BYTES = 8 * 2**20
Record = tuple[int, bytes]
"""Its number in the log, and what was noted."""


class KnownLogs:
    """The records that were noted last, up to a number of bytes; thread-safe."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._size = most_bytes, 0
        self._lock = Lock()
        self._found: OrderedDict[Spot, list[Record]] = OrderedDict()

    def note(self, place: Spot, first: int, records: Sequence[bytes]) -> None:
        """Remember records of a checkpoint, which have numbers from ``first`` on."""
        with self._lock:
            self._found.setdefault(place, []).extend(enumerate(records, first))
            self._found.move_to_end(place)
            self._size += sum(map(len, records))
            while self._size > self._most:
                _, oldest = self._found.popitem(last=False)
                self._size -= _size(oldest)

    def take(self, place: Spot) -> tuple[Record, ...]:
        """Return the records of a checkpoint, and forget them."""
        with self._lock:
            taken = self._found.pop(place, [])
            self._size -= _size(taken)
            return tuple(taken)


def _size(records: Sequence[Record]) -> int:
    return sum(len(record) for _, record in records)
