"""Who waits for the end of which run: pure bookkeeping, under the lock of the reader."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from checkpoint_redis.events import EntryId, RunEnd
from checkpoint_redis.keys import SHARDS

from .bell import Bell
from .watched import Watched

ALL_SHARDS = frozenset(range(SHARDS))


@dataclass(eq=False, slots=True)
class Waiter:
    """Somebody who waits for the end of a run that was under way at ``since``.

    ``look_by``: when he is to look whether anybody serves the graph, for all who wait for it.
    ``missed``: the end may have been read before this one came. ``told``: the end was seen, or the
    run is not carried any more; ``error``: nobody can tell.
    """

    of: Watched
    since: EntryId
    bell: Bell
    look_by: float = math.inf
    missed: bool = False
    told: bool = False
    error: Exception | None = None

    @property
    def served(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.told or self.error is not None


@dataclass(slots=True)
class Ends:
    """Those who wait for ends.

    ``positions``: up to where the ends of a shard were read, of those that are read at all;
    ``reads``: the shards that are read. ``joined``: when the last one came, in seconds of a clock
    that never goes back.
    """

    waiters: dict[tuple[str, str], list[Waiter]] = field(default_factory=lambda: defaultdict(list))
    positions: dict[int, EntryId] = field(default_factory=dict)
    reads: frozenset[int] = frozenset()
    newest: EntryId = (0, 0)
    joined: float = 0.0
    shards: Counter[int] = field(default_factory=Counter)

    def join(self, waiter: Waiter, now: float) -> None:
        """Let somebody wait, who is to look for what was read before he came."""
        shard = waiter.of.thread.shard
        self.joined, self.newest = now, max(self.newest, waiter.since)
        self.waiters[waiter.of.key].append(waiter)
        self.shards[shard] += 1
        waiter.missed = waiter.since < self.positions.get(shard, (0, 0))

    def leave(self, waiter: Waiter) -> None:
        """Let ``waiter`` go."""
        same, shard = self.waiters[waiter.of.key], waiter.of.thread.shard
        same.remove(waiter)
        if not same:
            del self.waiters[waiter.of.key]
        self.shards[shard] -= 1
        if not self.shards[shard]:
            del self.shards[shard]
        if not self.waiters:
            self.positions.clear()
            self.reads = frozenset()

    def to_read(self) -> dict[int, EntryId]:
        """Return after which entry each shard is to be read.

        Of one shard its own stream; once a second one is waited for those of all, as long as
        anybody waits: so nobody else who comes has to interrupt the read.
        """
        alone = len(self.shards) <= 1 and len(self.reads) <= 1
        self.reads = frozenset(self.shards) if alone else ALL_SHARDS
        if unread := self.reads - self.positions.keys():
            self._begin(unread)
        return {shard: self.positions[shard] for shard in sorted(self.reads)}

    def _begin(self, unread: frozenset[int]) -> None:
        """Read shards from where their first waiter's run was under way, or the newest run was."""
        first = dict.fromkeys(unread, self.newest)
        for waiter in self.all():
            if (shard := waiter.of.thread.shard) in first:
                first[shard] = min(first[shard], waiter.since)
        self.positions.update(first)

    def covers(self, waiter: Waiter) -> bool:
        """Whether the last read was one for ``waiter`` too."""
        return waiter.of.thread.shard in self.reads

    def took(self, ended: Mapping[int, Iterable[RunEnd]]) -> Iterator[Waiter]:
        """Note what was read; yield who waited for it."""
        for shard, entries in ended.items():
            for entry in entries:
                yield from self.told((entry.x, entry.run))
                self.positions[shard] = max(self.positions.get(shard, (0, 0)), entry.id)

    def told(self, key: tuple[str, str]) -> Iterator[Waiter]:
        """Tell that a run has ended, or is not carried any more; yield who waited for it."""
        for waiter in self.waiters.get(key, ()):
            waiter.told = True
            yield waiter

    def all(self) -> Iterator[Waiter]:
        """Yield everybody who waits."""
        return (waiter for same in self.waiters.values() for waiter in same)
