"""The leases that a worker process holds, and the thread that keeps them alive."""

from __future__ import annotations

import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from checkpoint_redis import commands
from checkpoint_redis.keys import shard_of
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.records import Lease

from .killing import Killing

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """The leases of one process; ``void``: what blocking nodes held that go on in vain."""

    leases: set[Lease] = field(default_factory=set)
    coroutines: dict[Lease, Callable[[], None]] = field(default_factory=dict)
    void: set[Lease] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Leases:
    """Renews what this process holds, every ``every`` seconds, from one thread.

    The thread starts with the first lease, also in a process that was forked meanwhile.
    """

    def __init__(
        self, ledger: Callable[[], Ledger], namespace: str, lease_ms: int, every: float
    ) -> None:
        self._ledger, self._namespace = ledger, namespace
        self._lease_ms, self._every = lease_ms, every
        self._killing = Killing(ledger, namespace)
        self._by_pid: dict[int, _Held] = {}

    @contextmanager
    def holding(self, *leases: Lease) -> Iterator[None]:
        """Keep ``leases`` alive for the duration of the block, unless they are dropped in it."""
        mine = self._mine()
        with mine.lock:
            mine.leases.update(leases)
        try:
            yield
        finally:
            for lease in leases:
                self.drop(lease)

    def add(self, lease: Lease) -> None:
        """Keep the ``lease`` of a coroutine alive from now on, which has not begun yet."""
        mine = self._mine()
        with mine.lock:
            mine.leases.add(lease)
            mine.coroutines[lease] = _nothing

    def begin(self, lease: Lease, stop: Callable[[], None]) -> bool:
        """Have ``stop`` end a coroutine whose ``lease`` is lost; False when it is already."""
        mine = self._mine()
        with mine.lock:
            if lease in mine.coroutines:
                mine.coroutines[lease] = stop
                return True
        return False

    def drop(self, lease: Lease) -> None:
        """Let ``lease`` go."""
        self._let_go(lease)

    def stop(self, lease: Lease) -> None:
        """Let ``lease`` go, and end the coroutine that held it: what that leaves does not count."""
        if stop := self._let_go(lease):
            stop()

    def abandon_coroutines(self) -> None:
        """Let go what coroutines hold that will never end."""
        for lease in self.of_coroutines():
            self._let_go(lease)

    def _let_go(self, lease: Lease) -> Callable[[], None] | None:
        mine = self._mine()
        with mine.lock:
            mine.leases.discard(lease)
            mine.void.discard(lease)
            return mine.coroutines.pop(lease, None)

    def _lose(self, lease: Lease) -> None:
        """Let go what is lost: a coroutine is ended, a blocking node cannot be."""
        mine = self._mine()
        with mine.lock:
            if lease in mine.leases and lease not in mine.coroutines:
                mine.leases.discard(lease)
                mine.void.add(lease)
                return
        self.stop(lease)

    def holds(self, lease: Lease) -> bool:
        """Whether this process holds ``lease`` still."""
        return lease in self._mine().leases

    def held(self) -> tuple[Lease, ...]:
        """Return what this process holds now."""
        mine = self._mine()
        with mine.lock:
            return tuple(mine.leases)

    def of_coroutines(self) -> tuple[Lease, ...]:
        """Return what coroutines hold now: no thread of the pool is behind these."""
        mine = self._mine()
        with mine.lock:
            return tuple(mine.coroutines)

    def _mine(self) -> _Held:
        """Return what this process holds; of jobs that begin at once, one starts the thread."""
        if (known := self._by_pid.get(os.getpid())) is not None:
            return known
        made = _Held()
        mine = self._by_pid.setdefault(os.getpid(), made)
        if mine is made:
            threading.Thread(target=self._beat, name="distgraph-beat", daemon=True).start()
        return mine

    def _beat(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every):
            try:
                self.beat()
            except Exception as error:  # noqa: BLE001 a worker without this thread loses all leases
                log.warning("Leases could not be renewed: %r", error)

    def beat(self) -> None:
        """Renew everything in one round trip: many of them could outlast a lease."""
        shards: dict[int, list[Lease]] = defaultdict(list)
        for lease in self.held():
            shards[shard_of(lease.x)].append(lease)
        beats = [
            commands.beat(self._namespace, shard, tuple(leases), lease_ms=self._lease_ms)
            for shard, leases in shards.items()
        ]
        answers = self._ledger().together(beats)
        for leases, kept in zip(shards.values(), answers, strict=True):
            for lease, alive in zip(leases, kept, strict=True):
                if not alive:
                    log.info(
                        "The lease of task %s is lost: it was cancelled or given up.", lease.tid
                    )
                    self._lose(lease)
        if void := self._void():
            self._killing.look({lease.x for lease in void})

    def _void(self) -> tuple[Lease, ...]:
        mine = self._mine()
        with mine.lock:
            return tuple(mine.void)


def _nothing() -> None:
    """End what has not begun."""
