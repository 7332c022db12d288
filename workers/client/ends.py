"""Who waits for the end of which run, and who of them reads: pure bookkeeping, thread-safe.

All that wait in a process, or on an event loop, follow one read. Who leads it reads the streams of
ends of all shards that are waited for, and tells the others; who leaves hands the lead on.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from checkpoint_redis.events import EntryId, RunEnd
from checkpoint_redis.keys import SHARDS
from workers.client.effects import Bell
from workers.client.watched import Watched

SLICE = 500
"""How many runs one script is asked about."""


@dataclass(eq=False, slots=True)
class Waiter:
    """Somebody who waits, from ``joined`` on, for the end of a run, under way at ``since``.

    ``told``: the end was seen, or the run is not carried any more; ``error``: nobody can tell.
    """

    of: Watched
    since: EntryId
    bell: Bell
    joined: float
    caught_up: bool = False
    told: bool = False
    error: Exception | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What is waited for, as the streams of ends name it."""
        return self.of.thread.x, self.of.run


@dataclass(frozen=True, slots=True)
class ToRead:
    """What is to be read: entries after an id, by shard. ``waits``: until there are some."""

    after: Mapping[int, EntryId]
    waits: bool


@dataclass(slots=True)
class Ends:
    """The waiters of one process or loop; times in seconds of a clock that never goes back.

    ``positions``: up to where the ends of a shard were read, of those that are read at all.
    ``look_at``: when it is to be asked whether the runs are carried; ``lost``: how many reads in
    succession failed.
    """

    namespace: str
    make_bell: Callable[[], Bell]
    waiters: dict[tuple[str, str], list[Waiter]] = field(default_factory=lambda: defaultdict(list))
    positions: dict[int, EntryId] = field(default_factory=dict)
    leader: Waiter | None = None
    resting: dict[Waiter, None] = field(default_factory=dict)
    reads: frozenset[int] = frozenset()
    lock: threading.Lock = field(default_factory=threading.Lock)
    newest: EntryId = (0, 0)
    joined: float = 0.0
    look_at: float = 0.0
    lost: int = 0
    shards: Counter[int] = field(default_factory=Counter)

    def join(self, of: Watched, since: EntryId, now: float, first_look: float) -> Waiter:
        """Return a waiter, whose turn it is then; who is alone is looked for at ``first_look``."""
        waiter = Waiter(of, since, self.make_bell(), now)
        with self.lock:
            if not self.waiters:
                self.look_at = first_look
            self.joined = now
            self.waiters[waiter.key].append(waiter)
            self.shards[of.thread.shard] += 1
            self.newest = max(self.newest, since)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Let ``waiter`` go; when nobody leads any more, another one is woken to do so."""
        with self.lock:
            self._remove(waiter)
            if self.leader is waiter:
                self.leader = None
            if not self.waiters:
                self.positions.clear()
            elif self.leader is None:
                self._wake_one()

    def _remove(self, waiter: Waiter) -> None:
        self.waiters[waiter.key].remove(waiter)
        self.resting.pop(waiter, None)
        if not self.waiters[waiter.key]:
            del self.waiters[waiter.key]
        self.shards[waiter.of.thread.shard] -= 1
        if not self.shards[waiter.of.thread.shard]:
            del self.shards[waiter.of.thread.shard]

    def _wake_one(self) -> None:
        """Wake one of those who rest; the others read, or are about to take their turn."""
        if heir := next(iter(self.resting), None):
            del self.resting[heir]
            heir.bell.set()

    def _all(self) -> Iterator[Waiter]:
        return (waiter for same in self.waiters.values() for waiter in same)

    def turn(self, waiter: Waiter) -> ToRead | None:
        """Return what ``waiter`` has to read now; None: to wait for its bell."""
        with self.lock:
            waiter.bell.clear()
            self.resting.pop(waiter, None)
            if waiter.told:
                waiter.bell.set()
                return None
            if catch_up := self._catch_up(waiter):
                return catch_up
            if self.leader not in (None, waiter) and waiter.of.thread.shard in self.reads:
                self.resting[waiter] = None
                return None
            return self._lead(waiter)

    def _catch_up(self, waiter: Waiter) -> ToRead | None:
        """Return what was read before ``waiter`` came, but after its run began."""
        shard, missed = waiter.of.thread.shard, not waiter.caught_up
        waiter.caught_up = True
        if missed and waiter.since < self.positions.get(shard, (0, 0)):
            return ToRead({shard: waiter.since}, waits=False)
        return None

    def _lead(self, waiter: Waiter) -> ToRead:
        """Have ``waiter`` read, in place of a leader who reads another shard alone.

        Of one shard its own stream, else at once those of all: so nobody who comes has to
        interrupt the read.
        """
        alone = len(self.shards) == 1
        self.reads = frozenset(self.shards) if alone else frozenset(range(SHARDS))
        self.leader = waiter
        for shard in self.reads:
            known = waiter.since if shard == waiter.of.thread.shard else self.newest
            self.positions.setdefault(shard, known)
        return ToRead({shard: self.positions[shard] for shard in sorted(self.reads)}, waits=True)

    def leads(self, waiter: Waiter) -> bool:
        """Whether ``waiter`` is the one who reads."""
        return self.leader is waiter

    def took(self, ended: Mapping[int, Iterable[RunEnd]]) -> None:
        """Note what was read, and tell those who wait for it."""
        with self.lock:
            for shard, entries in ended.items():
                for entry in entries:
                    self._tell(self.waiters.get((entry.x, entry.run), ()))
                    self.positions[shard] = max(self.positions.get(shard, (0, 0)), entry.id)

    def not_carried(self, waiters: Iterable[Waiter]) -> None:
        """Tell who waits for the same that nothing carries the run: they look for themselves."""
        with self.lock:
            for waiter in waiters:
                self._tell(self.waiters.get(waiter.key, ()))

    def broke(self, error: Exception) -> None:
        """Tell everybody that the store cannot be asked."""
        with self.lock:
            for waiter in self._all():
                waiter.error = error
                self._tell((waiter,))

    def _tell(self, waiters: Iterable[Waiter]) -> None:
        for waiter in waiters:
            waiter.told = True
            self.resting.pop(waiter, None)
            waiter.bell.set()

    def questions(self) -> list[tuple[int, tuple[Waiter, ...]]]:
        """Return whom to look for, by shard: so many at once as one script is asked about."""
        found: dict[int, list[Waiter]] = defaultdict(list)
        with self.lock:
            for same in self.waiters.values():
                if not same[0].told:
                    found[same[0].of.thread.shard].append(same[0])
        return [
            (shard, tuple(waiters[start : start + SLICE]))
            for shard, waiters in sorted(found.items())
            for start in range(0, len(waiters), SLICE)
        ]

    def one_of_each_graph(self) -> tuple[Waiter, ...]:
        """Return a waiter for each graph that is waited for."""
        with self.lock:
            return tuple({waiter.of.served.label: waiter for waiter in self._all()}.values())
