"""The leases that a worker process holds, and the thread that keeps them alive."""

from __future__ import annotations

import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from checkpoint_redis.keys import shard_of
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.records import Lease
from distgraph.errors import StoreError

log = logging.getLogger(__name__)


class Leases:
    """Renews what this process holds, every ``every`` seconds, from one thread.

    The thread starts with the first lease, also in a process that was forked meanwhile.
    """

    def __init__(
        self, ledger: Callable[[], Ledger], namespace: str, lease_ms: int, every: float
    ) -> None:
        self._ledger, self._namespace = ledger, namespace
        self._lease_ms, self._every = lease_ms, every
        self._lock = threading.Lock()
        self._held: set[Lease] = set()
        self._pid = 0

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[None]:
        """Keep ``lease`` alive for the duration of the block."""
        self.add(lease)
        try:
            yield
        finally:
            self.drop(lease)

    def add(self, lease: Lease) -> None:
        """Keep ``lease`` alive from now on."""
        if self._pid != os.getpid():
            self._start()
        with self._lock:
            self._held.add(lease)

    def drop(self, lease: Lease) -> None:
        """Let ``lease`` go."""
        with self._lock:
            self._held.discard(lease)

    def held(self) -> tuple[Lease, ...]:
        """Return what this process holds now."""
        with self._lock:
            return tuple(self._held)

    def _start(self) -> None:
        self._lock, self._held, self._pid = threading.Lock(), set(), os.getpid()
        threading.Thread(target=self._beat, name="distgraph-beat", daemon=True).start()

    def _beat(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every):
            try:
                self.beat()
            except StoreError as error:
                log.warning("Leases could not be renewed: %s", error)

    def beat(self) -> None:
        """Renew everything once; one command a shard."""
        shards: dict[int, list[Lease]] = defaultdict(list)
        for lease in self.held():
            shards[shard_of(lease.x)].append(lease)
        for shard, leases in shards.items():
            kept = self._ledger().beat(
                self._namespace, shard, tuple(leases), lease_ms=self._lease_ms
            )
            for lease, alive in zip(leases, kept, strict=True):
                if not alive:
                    log.info("The lease of task %s is lost: its result may be refused.", lease.tid)
                    self.drop(lease)
