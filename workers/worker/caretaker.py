"""What a worker does for the threads of a backend beside its jobs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from celery import Celery

from checkpoint_redis.keys import Thread
from checkpoint_redis.replies import WorkerSeen
from distgraph.errors import DistGraphError
from workers.broker.depth import depths
from workers.shared.hints import Hint, outgoing
from workers.worker.desk import Office
from workers.worker.loop import Loop
from workers.worker.sweeper import Duties, Sweeper, lost_record

log = logging.getLogger(__name__)
GRACE = 5.0
"""Seconds that coroutine jobs get at shutdown before they are given back."""
FORGET = 86_400.0
"""Seconds after which a worker that vanished without leaving is forgotten."""


@dataclass(frozen=True, slots=True)
class Caretaker:
    """Tells that workers live, sweeps, and gives back what a process cannot end.

    ``queues`` are those of the graphs that are served here.
    """

    app: Callable[[], Celery]
    office: Callable[[], Office]
    loop: Loop
    queues: Callable[[], tuple[str, ...]]

    def appear(self, worker: str) -> None:
        """Tell that ``worker`` lives, and what it serves."""
        office, now = self.office(), time.time()
        labels = office.registry.labels()
        seen = WorkerSeen(worker, now, version("distgraph"), self.queues(), labels)
        office.ledger().appear(office.settings.namespace, seen)

    def leave(self, worker: str) -> None:
        """Tell that ``worker`` is gone, if Redis can be told."""
        office = self.office()
        try:
            office.ledger().disappear(office.settings.namespace, (worker,))
        except DistGraphError as error:
            log.warning("Worker %s leaves without telling: %s", worker, error)

    def sweeper(self, worker: str) -> Sweeper:
        """Return the sweeper of the worker named ``worker``."""
        office = self.office()
        return Sweeper(
            Duties(
                # One that went on right after an outage would find the leases of the living over.
                ledger=lambda: office.ledger().once(),
                settings=office.settings,
                publish=office.publish,
                depths=partial(depths, self.app(), self._all_queues),
                owner=worker,
                lost=self._lost(),
                appear=lambda: self.appear(worker),
            )
        )

    def _all_queues(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.queues(), *self._queues_of_others())))

    def _queues_of_others(self) -> Iterator[str]:
        office, long_ago = self.office(), time.time() - FORGET
        namespace = office.settings.namespace
        for seen in office.ledger().workers(namespace):
            if seen.seen < long_ago:
                office.ledger().disappear(namespace, (seen.name,))
            yield from seen.queues

    def release(self, hint: Hint) -> None:
        """Queue again what a pool process of this worker held that has died."""
        self._release(hint, self._lost(), given_back=False)

    def wind_up(self) -> None:
        """Let the coroutine jobs of this process end, and give back those that do not.

        A blocking job keeps its lease: the pool waits for it, and nobody else may run it meanwhile.
        """
        if self.loop.drain(timeout=GRACE):
            return
        for lease in self.office().leases.of_coroutines():
            held = Hint(lease.x, lease.ns, lease.ep, (lease.tid,))
            try:
                self._release(held, b"", given_back=True)
            except DistGraphError as error:
                log.warning("A task waits for its lease to run out: %s", error)
                return

    def _release(self, held: Hint, lost: bytes, *, given_back: bool) -> None:
        office = self.office()
        done = office.ledger().release(
            Thread.from_x(office.settings.namespace, held.x),
            held.ns,
            held.ep,
            held.tids,
            owner=office.owner,
            max_lost=office.settings.max_lost,
            lost=lost,
            given_back=given_back,
        )
        office.publish(outgoing(held.x, done.hints))

    def _lost(self) -> bytes:
        office = self.office()
        return lost_record(office.settings, office.registry.common_wire().error)
