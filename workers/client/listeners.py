"""Who listens to the events of which thread: pure bookkeeping, under the lock of the reader."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from checkpoint_redis.events import Entry, EntryId, entry_id

from .bell import Bell
from .watched import Watched

HELD, HELD_BYTES = 200, 1 << 20
"""Of who is slow so much is kept; what comes after that he reads again when he is back."""
STREAMS, ENTRIES = 1_000, 2_000
"""How many streams one read is of at most, and about how many entries it brings."""


@dataclass(eq=False, slots=True)
class Listener:
    """Somebody who listens to a thread's events, of which he knows those up to ``given``.

    ``held``: what was read for him since, up to ``after``. ``look``: he is to look for himself how
    the run stands; ``look_by``: when he is to look whether anybody serves the graph, for all who
    wait for it. ``error``: nothing can be read.
    """

    of: Watched
    stream: str
    bell: Bell
    forget: Callable[[Listener], None] = field(repr=False)
    look_by: float = math.inf
    given: EntryId = (0, 0)
    after: EntryId = (0, 0)
    held: list[Entry] = field(default_factory=list)
    bytes: int = 0
    look: bool = False
    error: Exception | None = None

    @property
    def served(self) -> bool:
        """Whether there is something for him."""
        return bool(self.held) or self.look or self.error is not None

    @property
    def full(self) -> bool:
        """Whether he is to take what he has before more is read for him."""
        return len(self.held) >= HELD or self.bytes >= HELD_BYTES

    def leave(self) -> None:
        """Listen no longer."""
        self.forget(self)

    def stand(self, after: EntryId) -> None:
        """Go on behind an entry, elsewhere than after what was taken last if need be."""
        if after != self.given:
            self.given = self.after = after
            self.held, self.bytes = [], 0

    def take(self) -> list[Entry]:
        """Return what was read; nothing when he is to look for himself."""
        if not self.held:
            self.look = False
        found, self.held, self.bytes = self.held, [], 0
        self.given = self.after
        return found

    def hear(self, entries: Iterable[tuple[EntryId, Entry]]) -> bool:
        """Keep what is new of a read that began before, or at, the end of what he has."""
        known = self.after
        for name, entry in entries:
            if name > known:
                self.held.append(entry)
                self.bytes += sum(len(value) for value in entry[1].values())
                self.after = name
        return self.after > known


@dataclass(slots=True)
class Listeners:
    """Those who listen.

    ``reads``: after which entry each stream of the last read was read; ``rotates``: it was not of
    all of them.
    """

    streams: dict[str, list[Listener]] = field(default_factory=lambda: defaultdict(list))
    reads: dict[str, EntryId] = field(default_factory=dict)
    rotates: bool = False

    def join(self, listener: Listener) -> None:
        """Let somebody listen."""
        self.streams[listener.stream].append(listener)

    def leave(self, listener: Listener) -> None:
        """Let ``listener`` go; he may have left before."""
        same = self.streams.get(listener.stream, [])
        if listener in same:
            same.remove(listener)
            if not same:
                del self.streams[listener.stream]

    def to_read(self) -> dict[str, EntryId]:
        """Return after which entry each stream is to be read, of those that take turns."""
        self.reads = {}
        for stream, same in self.streams.items():
            if wanted := [listener.after for listener in same if not listener.full]:
                self.reads[stream] = min(wanted)
            if len(self.reads) == STREAMS:
                break
        self.rotates = len(self.streams) > STREAMS
        if self.rotates:
            for stream in self.reads:
                self.streams[stream] = self.streams.pop(stream)
        return self.reads

    @property
    def entries(self) -> int:
        """How many entries of each stream are to be read."""
        return max(1, min(HELD, ENTRIES // max(1, len(self.reads))))

    def covers(self, listener: Listener) -> bool:
        """Whether the last read, or soon another one, is one for ``listener`` too."""
        return self.rotates or self._continues(listener, self.reads)

    def took(
        self, reads: dict[str, EntryId], stream: str, entries: Iterable[Entry]
    ) -> Iterator[Listener]:
        """Note what was read; yield for whom there is something."""
        named = [(entry_id(entry[0].decode()), entry) for entry in entries]
        for listener in self.streams.get(stream, ()):
            if self._continues(listener, reads) and not listener.full and listener.hear(named):
                yield listener

    def _continues(self, listener: Listener, reads: dict[str, EntryId]) -> bool:
        """Whether a read leaves out nothing that he does not know.

        One that began behind the place to which he went back since does.
        """
        began = reads.get(listener.stream)
        return began is not None and began <= listener.after

    def told(self, keys: frozenset[tuple[str, str]]) -> Iterator[Listener]:
        """Have those of some runs look for themselves; yield them."""
        for listener in self.all():
            if listener.of.key in keys:
                listener.look = True
                yield listener

    def all(self) -> Iterator[Listener]:
        """Yield everybody who listens."""
        return (listener for same in self.streams.values() for listener in same)
