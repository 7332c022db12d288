"""Who reads for all that wait for ends or listen to events: pure bookkeeping, thread-safe.

A process, and each event loop, has one read that waits. One of them leads: he reads for everybody,
in the time in which he would wait anyhow, and hands the lead on when there is something for himself
or he leaves. Who comes and is not part of the read wakes it, by a key that it reads as well.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from checkpoint_redis.events import Entry, EntryId, RunEnd

from .bell import Bell
from .ends import Ends, Waiter
from .listeners import Listener, Listeners
from .watched import Watched

SLICE = 500
"""How many runs one script is asked about."""

Party = Waiter | Listener
RunKey = tuple[str, str]


class Turn(Enum):
    """What to do while somebody else reads."""

    rest = "rest"
    wake = "wake"


@dataclass(frozen=True, slots=True)
class ToRead:
    """What is to be read: the entries after an id, by shard, by stream, and of the wake key.

    ``entries``: how many of each at most; ``short``: others wait for their turn to be read.
    """

    ends: Mapping[int, EntryId]
    streams: dict[str, EntryId]
    woken: str
    entries: int
    short: bool


@dataclass(slots=True)
class Reader:
    """Who waits in one process or loop; times in seconds of a clock that never goes back.

    ``wake``: the key that wakes the read, ``woken`` its last entry that was read, ``waker`` who is
    about to write the next one. ``look_at``: when it is to be asked whether the runs are carried;
    ``served_by``: when somebody looks, or looked, whether a graph is served, by the graph's label.
    ``lost``: how many reads in succession failed; ``away_since``: when Redis could not be asked for
    the first time since then. ``gone``: listeners that left and are still among
    the others.
    """

    namespace: str
    wake: str
    make_bell: Callable[[], Bell]
    ends: Ends = field(default_factory=Ends)
    listeners: Listeners = field(default_factory=Listeners)
    lock: threading.Lock = field(default_factory=threading.Lock)
    leader: Party | None = None
    waker: Party | None = None
    reads: bool = False
    resting: dict[Party, None] = field(default_factory=dict)
    woken: str = "0-0"
    look_at: float = 0.0
    served_by: dict[str, float] = field(default_factory=dict)
    lost: int = 0
    away_since: float | None = None
    gone: deque[Listener] = field(default_factory=deque)

    def wait(self, of: Watched, since: EntryId, now: float, first_look: float) -> Waiter:
        """Return somebody who waits for an end; who is alone is looked for at ``first_look``."""
        waiter = Waiter(of, since, self.make_bell())
        with self.lock:
            self._meet(waiter, now, first_look)
            self.ends.join(waiter, now)
        return waiter

    def listen(self, of: Watched, now: float, first_look: float) -> Listener:
        """Return somebody who listens, until he is told to ``leave``."""
        listener = Listener(of, of.thread.events, self.make_bell(), self._forget)
        with self.lock:
            self._meet(listener, now, first_look)
            self.listeners.join(listener)
        return listener

    def _meet(self, party: Party, now: float, first_look: float) -> None:
        """Have it seen to by ``first_look`` that ``party`` is told when nobody serves his graph.

        He looks himself unless another one does so before.
        """
        self._drop_gone()
        if not self.ends.waiters and not self.listeners.streams:
            self.look_at, self.away_since = first_look, None
        label = party.of.served.label
        if self.served_by.get(label, -math.inf) < now:
            self.served_by[label] = party.look_by = first_look

    def _forget(self, listener: Listener) -> None:
        """Let ``listener`` go, now or soon, without a wait for the lock.

        A stream that was left in a cycle of references is ended by the garbage collector, which may
        run in a thread that has the lock.
        """
        self.gone.append(listener)
        if self.lock.acquire(blocking=False):
            try:
                self._drop_gone()
            finally:
                self.lock.release()

    def _drop_gone(self) -> None:
        while self.gone:
            self.listeners.leave(self.gone.popleft())

    def leave(self, waiter: Waiter) -> None:
        """Let ``waiter`` go; when nobody leads any more, another one is woken to do so."""
        with self.lock:
            self.ends.leave(waiter)
            self._hand_on(waiter)

    def stand(self, listener: Listener, after: EntryId) -> None:
        """Have ``listener`` wait for what comes after an entry."""
        with self.lock:
            listener.stand(after)

    def take(self, listener: Listener) -> list[Entry]:
        """Return what was read for ``listener``."""
        with self.lock:
            return listener.take()

    def rest(self, listener: Listener) -> None:
        """Let ``listener`` do something else, while what comes is kept for him."""
        with self.lock:
            self._hand_on(listener)

    def _hand_on(self, party: Party) -> None:
        self.resting.pop(party, None)
        if self.leader is party:
            self.leader, self.reads = None, False
        if self.waker is party:
            # Whether the read was woken is not known, and others relied on it.
            self.waker = None
            self._ring(tuple(self.resting))
        elif self.leader is None:
            # The others read, or are about to take their turn.
            self._ring(tuple(self.resting)[:1])

    def _ring(self, parties: Iterable[Party]) -> None:
        for party in parties:
            self.resting.pop(party, None)
            party.bell.set()

    def turn(self, party: Party) -> ToRead | Turn:
        """Return what ``party`` has to read now, or what else to do before it asks again."""
        with self.lock:
            self._drop_gone()
            party.bell.clear()
            self.resting.pop(party, None)
            if party.served:
                party.bell.set()
                return Turn.rest
            if self.leader in (None, party):
                return self._lead(party)
            if self.reads and self.waker is None and not self._covers(party):
                self.waker = party
                return Turn.wake
            self.resting[party] = None
            return Turn.rest

    def _covers(self, party: Party) -> bool:
        if isinstance(party, Waiter):
            return self.ends.covers(party)
        return self.listeners.covers(party)

    def _lead(self, party: Party) -> ToRead:
        self.leader, self.waker, self.reads = party, None, True
        ends, streams = self.ends.to_read(), self.listeners.to_read()
        entries, short = self.listeners.entries, self.listeners.rotates
        return ToRead(ends, streams, self.woken, entries, short)

    def took(
        self, reading: ToRead, told: Mapping[str, list[Entry]], woken: list[Entry] | None
    ) -> None:
        """Note that something was read, and tell those who listen to it."""
        with self.lock:
            self.reads, self.lost, self.away_since = False, 0, None
            self.woken = woken[-1][0].decode() if woken else self.woken
            for stream, entries in told.items():
                self._ring(self.listeners.took(reading.streams, stream, entries))

    def ended(self, ended: Mapping[int, list[RunEnd]]) -> None:
        """Note which runs ended, and tell those who wait for them."""
        with self.lock:
            self._ring(self.ends.took(ended))

    def was_lost(self) -> None:
        """Note that a read failed; the wake key may have been lost with what it had."""
        with self.lock:
            self.reads, self.woken = False, "0-0"
            self.lost += 1

    def bears(self, now: float, patience: float) -> bool:
        """Whether it may be waited until Redis can be asked again, for ``patience`` seconds in all.

        They begin with the first time that it cannot since something was read.
        """
        with self.lock:
            self.away_since = now if self.away_since is None else self.away_since
            return now - self.away_since < patience

    def not_woken(self) -> None:
        """Note that the read could not be woken; somebody is to try again."""
        with self.lock:
            self.waker = None

    def not_carried(self, runs: frozenset[RunKey]) -> None:
        """Tell who waits for runs that nothing carries them: they look for themselves."""
        with self.lock:
            for run in runs:
                self._ring(self.ends.told(run))
            self._ring(self.listeners.told(runs))

    def shaken(self) -> None:
        """Have all who listen look for themselves: streams may have lost their last events."""
        with self.lock:
            for listener in self.listeners.all():
                listener.look = True
                self._ring((listener,))

    def broke(self, error: Exception) -> None:
        """Tell everybody that the store cannot be asked."""
        with self.lock:
            for party in self._all():
                party.error = error
                self._ring((party,))

    def _all(self) -> Iterator[Party]:
        yield from self.ends.all()
        yield from self.listeners.all()

    def questions(self) -> list[tuple[int, tuple[RunKey, ...]]]:
        """Return which runs to look for, by shard: so many at once as one script is asked about."""
        found: dict[int, dict[RunKey, None]] = defaultdict(dict)
        with self.lock:
            for party in self._all():
                if not party.served:
                    found[party.of.thread.shard][party.of.key] = None
        return [
            (shard, tuple(runs)[start : start + SLICE])
            for shard, runs in sorted(found.items())
            for start in range(0, len(runs), SLICE)
        ]

    def one_of_each_graph(self) -> tuple[Watched, ...]:
        """Return a run of each graph that is waited for."""
        with self.lock:
            return tuple({party.of.served.label: party.of for party in self._all()}.values())
