"""Looks after what is overdue: any worker may, and one does at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from celery import Celery

from checkpoint_redis.ledger import LONGEST_PAUSE
from distgraph.errors import DistGraphError, StoreUnavailable

from ..broker.depth import depths
from ..shared.serving import living
from .office import Office
from .overdue import Sent
from .presence import appear, known_queues

log: Final = logging.getLogger(__name__)


def sweep_once(office: Office, app: Celery) -> Sent:
    """Look through the shards that have something to look at; where none has, it ends with that.

    When a queue is empty while the same tasks wait to be claimed, their hints are gone and are
    sent again, if somebody lives who would take them.
    """
    glance = office.overdue.glance()
    if not glance.due and not glance.waiting:
        return Sent(0, more=False, outboxes=())
    workers = office.ledger().workers(office.settings.namespace)
    takers = living(workers)
    sent, more, outboxes = office.overdue.sweep(takers, glance.due)
    waiting = tuple(sorted({*glance.waiting, *outboxes}))
    if waiting:
        found = depths(app, lambda: known_queues(office, workers))
        empty = tuple(queue for queue, depth in found.items() if depth == 0)
        sent += office.overdue.refill(waiting, empty, takers)
    return Sent(sent, more, waiting)


class Sweeper:
    """Appears as ``worker`` and sweeps every ``settings.sweep`` seconds, in a thread of its own.

    ``consumes`` knows the queues that the worker takes messages from at the moment.
    """

    def __init__(
        self, office: Office, app: Celery, worker: str, consumes: Callable[[str], bool]
    ) -> None:
        self._office, self._app, self._worker = office, app, worker
        self._consumes = consumes
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to sweep."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="distgraph-sweeper", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Appear and sweep now, not only when the pause is over."""
        self._wake.set()

    def stop(self) -> None:
        """Stop sweeping; waits for the round that is under way."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        seen = time.monotonic()
        while not self._stop.is_set():
            if self._round(seen):
                seen = time.monotonic()
            self._wake.wait(self._office.settings.sweep)
            self._wake.clear()

    def _round(self, seen: float) -> bool:
        """Appear, and sweep when it is its turn; False when Redis, last ``seen`` then, is away."""
        office = self._office
        try:
            appear(office, self._worker, self._consumes)
            turn = office.ledger().once().sweeper_turn(office.settings.namespace, self._worker)
            if self._let_beat(time.monotonic() - seen):
                return True
            if turn and sweep_once(office, self._app).more:
                self.look()
        except StoreUnavailable as error:
            log.warning("A sweep failed and is repeated: %s", error)
            return False
        except DistGraphError as error:
            log.warning("A sweep failed and is repeated: %s", error)
        except Exception:
            log.exception("A sweep failed and is repeated")
        return True

    def _let_beat(self, silence: float) -> bool:
        """Wait after an outage until living workers have renewed what ran out; True to stop."""
        settings = self._office.settings
        away = silence > settings.sweep + settings.heartbeat
        return away and self._stop.wait(settings.heartbeat + LONGEST_PAUSE)
