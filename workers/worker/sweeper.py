"""Looks after what is overdue: any worker may, and one does at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import SHARDS, Thread
from checkpoint_redis.ledger import LONGEST_PAUSE, Ledger
from checkpoint_redis.replies import Due
from distgraph.errors import DistGraphError, StoreUnavailable
from workers.settings import Settings
from workers.shared.hints import Outgoing, outgoing
from workers.worker.desk import worker_lost
from workers.worker.due import sweep_shards

log = logging.getLogger(__name__)
CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Duties:
    """What a sweeper works with.

    ``depths`` tells how many messages the broker holds in each queue, as far as it can be read.
    ``lost`` is the record of a task whose workers vanish too often. ``appear`` tells that the
    worker lives.
    """

    ledger: Callable[[], Ledger]
    settings: Settings
    publish: Callable[[Iterable[Outgoing]], None]
    depths: Callable[[], Mapping[str, int]]
    owner: str
    lost: bytes
    appear: Callable[[], None]


class Sweeper:
    """Sweeps every ``settings.sweep`` seconds in a thread of its own.

    When a queue is empty while the same tasks wait to be claimed, their hints are gone and are
    sent again.
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
        seen = time.monotonic()
        while True:
            if self._round(seen):
                seen = time.monotonic()
            if self._stop.wait(self._settings.sweep):
                return

    def _round(self, seen: float) -> bool:
        """Appear, and sweep when it is its turn; False when Redis, last ``seen`` then, is away."""
        try:
            self._duties.appear()
            mine = self._ledger().sweeper_turn(self._settings.namespace, self._duties.owner)
            if self._let_beat(time.monotonic() - seen):
                return True
            if mine:
                self.sweep()
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
        away = silence > self._settings.sweep + self._settings.heartbeat
        return away and self._stop.wait(self._settings.heartbeat + LONGEST_PAUSE)

    def sweep(self) -> int:
        """Look through all shards once; return how many hints were sent."""
        shards = range(SHARDS)
        sent = sweep_shards(
            self._ledger(), self._settings, shards, self._duties.lost, self._publish
        )
        return sent + self._refill()

    def _refill(self) -> int:
        """Publish whole outboxes again when the broker is known to have lost them."""
        empty = tuple(queue for queue, depth in self._duties.depths().items() if depth == 0)
        if not empty:
            return 0
        namespace = self._settings.namespace
        looks = [commands.overdue(namespace, shard, empty=empty) for shard in range(SHARDS)]
        found = list(self._ledger().together(looks))
        return sum(self._republish(due, empty) for frames in found for due in frames)

    def _republish(self, frame: Due, empty: tuple[str, ...]) -> int:
        """Send the hints of a frame again that were in queues which are empty."""
        x, ns, ep = frame.x, frame.ns, frame.ep
        thread = Thread.from_x(self._settings.namespace, x)
        cursor, sent = 0, 0
        while True:
            cursor, hints = self._ledger().outbox(thread, ns, ep, cursor, count=CHUNK)
            messages = list(outgoing(x, (hint for hint in hints if hint.queue in empty)))
            self._publish(messages)
            sent += len(messages)
            if cursor == 0:
                break
        self._ledger().published(thread, ns, ep)
        if sent:
            log.warning("%d hints of thread %s were gone, and were sent again.", sent, x)
        return sent


def lost_record(settings: Settings, encode: Callable[[Any], bytes]) -> bytes:
    """Return the record that a task gets whose workers vanish too often."""
    return encode(worker_lost(settings.max_lost))
