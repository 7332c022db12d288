"""Acts on what is due, and sends the hints that follow from it."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from checkpoint_redis import commands
from checkpoint_redis.commands import Living
from checkpoint_redis.keys import SHARDS, Thread
from checkpoint_redis.layout import DueKind, TaskState
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.replies import Due, OutboxEntry, Swept
from checkpoint_redis.sightings import Glance
from distgraph.errors import DistGraphError

from ..broker.publisher import CeleryPublisher
from ..settings import Settings
from ..shared.hints import ADVANCE, Hint, Label, nameless, outgoing
from ..shared.served import Registry
from .expiring import expire
from .failures import worker_lost
from .labels import Labels
from .naming import TakenTask, called, names, taken_from
from .telling import tell_failed, tell_lost

log: Final = logging.getLogger(__name__)
CHUNK = 1_000
WITHIN = 1.0
"""Seconds after which a sweep begins no further look: a worker that stops waits for the sweep."""


class Sent(NamedTuple):
    """How many hints were sent; ``more``: something may be due that was not looked at.

    ``outboxes``: the shards of which something waits to be claimed.
    """

    hints: int
    more: bool
    outboxes: tuple[int, ...]


class Overdue:
    """What leases that ran out, back-offs that are over and lost hints ask for.

    Nothing here is repeated when Redis fails: one that went on right after an outage would find
    the leases of the living over.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Callable[[], Ledger],
        registry: Registry,
        publisher: CeleryPublisher,
    ) -> None:
        self._settings, self._patient = settings, ledger
        self._registry, self._publisher = registry, publisher
        self.labels: Final = Labels()

    @property
    def lost(self) -> bytes:
        """The record of a task whose workers vanish too often."""
        return self._registry.common_wire().error(worker_lost(self._settings.max_lost))

    def glance(self) -> Glance:
        """Find the shards that a sweep has to look at: nothing is changed.

        One script tells of all, for a fraction of what a look at each costs; in a Cluster, whose
        servers have some each, there is one for each shard.
        """
        ledger, every = self._ledger(), range(SHARDS)
        apart = [(shard,) for shard in every] if ledger.is_spread else [every]
        looks = [commands.glance(self._settings.namespace, shards) for shards in apart]
        found = list(ledger.together(looks))
        due = (shard for each in found for shard in each.due)
        return Glance(tuple(due), tuple(shard for each in found for shard in each.waiting))

    def sweep(
        self,
        living: Living = None,
        shards: Iterable[int] = range(SHARDS),
        *,
        outboxes: bool = True,
    ) -> Sent:
        """Act on what is due in ``shards``, and send the hints of it, if ``living`` take them.

        It goes on with those where a look did not find the end, all of them in turn, and begins
        no look after ``WITHIN`` seconds: what is left then is left to the next sweep.
        """
        sent, left, until = 0, tuple(shards), time.monotonic() + WITHIN
        waiting: set[int] = set()
        while left:
            swept = self._look(left, living, outboxes=outboxes)
            waiting.update(s for s, each in zip(left, swept, strict=True) if each.outboxes)
            found = [due for each in swept for due in each.found]
            sent += self._send(found) + self._expire(found)
            left = tuple(s for s, each in zip(left, swept, strict=True) if each.more)
            if time.monotonic() >= until:
                break
        return Sent(sent, bool(left), tuple(sorted(waiting)))

    def _look(self, shards: Sequence[int], living: Living, *, outboxes: bool) -> list[Swept]:
        """Look once at each of ``shards``, in one round trip."""
        look = partial(
            commands.sweep,
            self._settings.namespace,
            max_lost=self._settings.max_lost,
            lost=self.lost,
            living=living,
            outboxes=outboxes,
        )
        return list(self._ledger().together([look(shard) for shard in shards]))

    def _send(self, found: Sequence[Due]) -> int:
        """Send the hints of what was due, and log whose leases ran out; return how many hints."""
        lost = self._lost(found)
        by_thread: dict[str, list[OutboxEntry]] = defaultdict(list)
        for due in found:
            by_thread[due.x] += due.hints
            if due.kind is DueKind.unreadable:
                log.warning("What is stored of thread %s is damaged: it cannot go on.", due.x)
        sent = self._publish(by_thread, called(lost))
        for each in lost:
            self._tell(each)
        return sent

    def _expire(self, found: Sequence[Due]) -> int:
        """Give what takes the place of answers that are late; return how many hints were sent."""
        by_thread: dict[str, list[OutboxEntry]] = defaultdict(list)
        for x, hints in expire(self._ledger(), self._settings.namespace, found):
            by_thread[x] += hints
        return self._publish(by_thread, nameless)

    def _publish(self, by_thread: Mapping[str, Sequence[OutboxEntry]], known: Label) -> int:
        name = self._called(by_thread, known)
        messages = [m for x, hints in by_thread.items() for m in outgoing(x, hints, name)]
        if messages:
            self._publisher.publish(messages)
        return len(messages)

    def _called(self, by_thread: Mapping[str, Sequence[OutboxEntry]], known: Label) -> Label:
        """Return what tasks are called: as was noted here, else as their records say."""
        tids = (hint.tid for hints in by_thread.values() for hint in hints)
        found = {tid: known(tid) or self.labels.take(tid) for tid in tids}
        unknown = [
            Hint(x, hint.ns, hint.ep, (hint.tid,))
            for x, hints in by_thread.items()
            for hint in hints
            if not found[hint.tid] and hint.tid != ADVANCE
        ]
        read = names(self._ledger(), self._registry, self._settings.namespace, _chunked(unknown))
        return (found | read).__getitem__

    def _tell(self, lost: TakenTask) -> None:
        """Log that a lease ran out; that was one too many where the task failed by it."""
        if lost.state is TaskState.failed:
            tell_failed(lost.subject, worker_lost(self._settings.max_lost))
        else:
            tell_lost(lost.subject)

    def taken_from(self, held: Sequence[Hint], *, given_back: bool) -> Iterator[TakenTask]:
        """Find whose attempts those were that were taken from who ``held`` their tasks."""
        namespace, ledger = self._settings.namespace, self._ledger()
        return taken_from(ledger, self._registry, namespace, held, given_back=given_back)

    def _lost(self, found: Iterable[Due]) -> list[TakenTask]:
        """Find whose leases ran out."""
        held = [
            Hint(due.x, due.ns, due.ep, (due.tid,)) for due in found if due.kind is DueKind.lease
        ]
        return list(self.taken_from(_chunked(held), given_back=False))

    def sweep_tasks(self, shards: Sequence[int]) -> None:
        """Act on the tasks that are due in ``shards``; what fails here is left to the sweeper.

        Outboxes are left to it too: it alone knows who lives.
        """
        try:
            self.sweep(shards=shards, outboxes=False)
        except DistGraphError as error:
            log.info("A retry waits for the next sweep: %s", error)

    def refill(self, shards: Iterable[int], empty: tuple[str, ...], living: Living = None) -> int:
        """Publish whole outboxes of ``shards`` again whose hints were in queues without a message.

        Only those that did not shrink since the look before. Return how many hints were sent.
        """
        if not empty:
            return 0
        sent, cursors = 0, dict.fromkeys(shards, 0)
        while cursors:
            look = partial(commands.overdue, self._settings.namespace, empty=empty, living=living)
            looks = [look(shard, cursor=cursor) for shard, cursor in cursors.items()]
            found = list(self._ledger().together(looks))
            sent += sum(self._republish(due, empty) for _, frames in found for due in frames)
            following = zip(cursors, (cursor for cursor, _ in found), strict=True)
            cursors = {shard: cursor for shard, cursor in following if cursor}
        return sent

    def _republish(self, frame: Due, empty: tuple[str, ...]) -> int:
        """Send the hints of a frame again that were in queues which are empty."""
        x, ns, ep = frame.x, frame.ns, frame.ep
        thread = Thread.from_x(self._settings.namespace, x)
        cursor, sent = 0, 0
        while True:
            cursor, hints = self._ledger().outbox(thread, ns, ep, cursor, count=CHUNK)
            gone = [hint for hint in hints if hint.queue in empty]
            messages = list(outgoing(x, gone, self._called({x: gone}, nameless)))
            if not self._publisher.publish(messages):
                return sent
            sent += len(messages)
            if cursor == 0:
                break
        self._ledger().published(thread, ns, ep)
        if sent:
            log.warning("%d hints of thread %s were gone, and were sent again.", sent, x)
        return sent

    def _ledger(self) -> Ledger:
        return self._patient().once()


def _chunked(hints: Iterable[Hint]) -> list[Hint]:
    """Return ``hints`` with the tasks of one superstep together, as many as one look may take."""
    frames: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for hint in hints:
        frames[hint.x, hint.ns, hint.ep] += hint.tids
    return [
        Hint(*frame, tuple(tids[first : first + CHUNK]))
        for frame, tids in frames.items()
        for first in range(0, len(tids), CHUNK)
    ]
