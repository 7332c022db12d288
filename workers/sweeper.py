"""Looks after what is overdue: any worker may, and one does at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import SHARDS, Thread
from checkpoint_redis.ledger import Ledger
from distgraph.errors import DistGraphError
from workers.desk import worker_lost
from workers.due import sweep_shards
from workers.hints import Outgoing, outgoing
from workers.settings import Settings

log = logging.getLogger(__name__)
CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Duties:
    """What a sweeper works with.

    ``depth`` tells how many messages the broker holds, in all or in one queue, None where it cannot
    be read. ``lost`` is the record of a task whose workers vanish too often. ``appear`` tells that
    the worker lives.
    """

    ledger: Callable[[], Ledger]
    settings: Settings
    publish: Callable[[Iterable[Outgoing]], None]
    depth: Callable[..., int | None]
    owner: str
    lost: bytes
    appear: Callable[[], None]


class Sweeper:
    """Sweeps every ``settings.sweep`` seconds in a thread of its own.

    When the broker is empty in two rounds while tasks wait to be claimed, their hints are gone
    and are sent again.
    """

    def __init__(self, duties: Duties) -> None:
        self._ledger, self._settings, self._publish = (
            duties.ledger,
            duties.settings,
            duties.publish,
        )
        self._duties = duties
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._suspects: set[tuple[str, str, str]] = set()

    def start(self) -> None:
        """Begin to sweep."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="distgraph-sweeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop sweeping; waits for the round that is under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            try:
                self._duties.appear()
                if self._ledger().sweeper_turn(self._settings.namespace, self._duties.owner):
                    self.sweep()
            except DistGraphError as error:
                log.warning("A sweep failed and is repeated: %s", error)
            except Exception:
                log.exception("A sweep failed and is repeated")
            if self._stop.wait(self._settings.sweep):
                return

    def sweep(self) -> int:
        """Look through all shards once; return how many hints were sent."""
        shards = range(SHARDS)
        sent = sweep_shards(
            self._ledger(), self._settings, shards, self._duties.lost, self._publish
        )
        return sent + self._refill()

    def _refill(self) -> int:
        """Publish whole outboxes again when the broker is known to have lost them."""
        if self._duties.depth() != 0:
            self._suspects = set()
            return 0
        looks = [commands.overdue(self._settings.namespace, shard) for shard in range(SHARDS)]
        found = self._ledger().together(looks)
        waiting = {(due.x, due.ns, due.ep) for frames in found for due in frames}
        again, self._suspects = waiting & self._suspects, waiting - self._suspects
        lacking: dict[str, bool] = {}
        return sum(self._republish(*frame, lacking) for frame in again)

    def _republish(self, x: str, ns: str, ep: str, lacking: dict[str, bool]) -> int:
        """Send the hints again that were in the queues which are empty, as far as known."""
        thread = Thread.from_x(self._settings.namespace, x)
        cursor, sent = 0, 0
        while True:
            cursor, hints = self._ledger().outbox(thread, ns, ep, cursor, count=CHUNK)
            messages = list(outgoing(x, (h for h in hints if self._lacks(h.queue, lacking))))
            self._publish(messages)
            sent += len(messages)
            if cursor == 0:
                break
        self._ledger().published(thread, ns, ep)
        if sent:
            log.warning("The broker had lost %d hints of thread %s: they were sent again.", sent, x)
        return sent

    def _lacks(self, queue: str, known: dict[str, bool]) -> bool:
        """Whether ``queue`` was empty at first: hints wait in those that no worker consumes."""
        if queue not in known:
            known[queue] = self._duties.depth(only=queue) == 0
        return known[queue]


def lost_record(settings: Settings, encode: Callable[[Any], bytes]) -> bytes:
    """Return the record that a task gets whose workers vanish too often."""
    return encode(worker_lost(settings.max_lost))
