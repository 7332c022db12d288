"""The world of one thread: Redis with its clock and replica, a broker that loses messages."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import astuple
from functools import partial
from typing import Any

import redis

from checkpoint_redis import commands, keys, loading, packets
from checkpoint_redis.bundles import Bundle
from checkpoint_redis.commands import Script
from checkpoint_redis.layout import DueKind
from checkpoint_redis.ledger import Ledger, T
from checkpoint_redis.readings import Loaded
from checkpoint_redis.references import Blobs
from checkpoint_redis.replies import Changed, Claimed, Due, OutboxEntry
from distgraph.effects import carry
from tests.support.sim.accepted import Accepted
from tests.support.sim.draw import Draw
from tests.support.sim.lists import LIST
from tests.support.sim.older import is_harmless
from tests.support.sim.plan import PLAN, Known, Planned, number_of, reads_of
from tests.support.sim.repeats import is_right

MANY = 10**6
QUEUE = "q"
GRAPHS = ("sim", "other")
OLDER_EVERY = 29
"""Which call an older version tries first: counted, so that the schedules stay what they are."""
# No look of the scripts is planned for less than 5 s before or after any sum of these.
LEAPS, CALM_LEAPS = (0, 10_000, 30_000, 120_000), (30_000, 120_000)

# Moves all that is planned ARGV[1] ms nearer: the looks at a shard, and the next at an outbox.
CLOCK = """
for i = 2, 3 do
  for _, member in ipairs(redis.call('ZRANGE', KEYS[i], 0, -1)) do
    redis.call('ZINCRBY', KEYS[i], -ARGV[1], member)
  end
end
local seen = redis.call('HGET', KEYS[1], '/ov')
if not seen then return end
local size, at, pause = string.match(seen, '^(%d+) (%d+) (%d+)$')
redis.call('HSET', KEYS[1], '/ov', string.format('%s %.0f %s', size, at - ARGV[1], pause))
"""


class World:
    def __init__(self, client: redis.Redis, namespace: str, seed: int) -> None:
        self.client: Any = client
        self.ledger = Ledger(client, retry_for=0)
        self.draw = Draw(seed)
        self.thread = keys.Thread(namespace, f"thread {seed}")
        self.shard = keys.shard_prefix(namespace, self.thread.shard)
        self._planned = keys.planned(namespace, self.thread.shard)
        self.messages: list[OutboxEntry] = []
        self.accepted = Accepted()
        self._clock = client.register_script(CLOCK)
        self._calls = 0
        self._replica: tuple[list[tuple[bytes, int, bytes]], Accepted] | None = None

    def status(self) -> str:
        return (self.client.hget(self.thread.header, "st") or b"").decode()

    def ended(self) -> bool:
        """Tell whether the last superstep is committed, and nothing runs or is to be removed."""
        if self.status() != "idle":
            return False
        head = self.head()
        if head == "" or number_of(head) != len(PLAN):
            return False
        return not any(member.endswith(f"|{DueKind.unsent}".encode()) for member in self.due())

    # --- calls and messages --------------------------------------------------------------------

    def call(self, command: Script[T], *, lost: float = 0.05) -> T:
        """Carry out a command; now and then its reply is lost, and the caller repeats it.

        Now and then a caller of a version that is too old tries the same before.
        """
        self._calls += 1
        if self._calls % OLDER_EVERY == 0:
            harmless = is_harmless(self.ledger, self.thread, command)
            assert harmless, f"{command.name} of an older version changed something"
        reply = self.ledger.call(command)
        if not self.draw.fault(lost):
            return reply
        again = self.ledger.call(command)
        right = is_right(command.name, reply, again)
        assert right, f"{command.name} answered {reply}, and when repeated {again}"
        return again

    def change(self, command: Script[Changed]) -> Changed:
        """Carry out what a saver asks for: the thread has another epoch from then on.

        It asks for little, so replies to it are lost more often.
        """
        before, reply = self.epoch(), self.call(command, lost=0.2)
        if reply.status == "ok" and before:
            self.accepted.go_on(before, self.epoch())
        return reply

    def epoch(self) -> str:
        return (self.client.hget(self.thread.header, "/ep") or b"").decode()

    def head(self) -> str:
        return (self.client.hget(self.thread.header, "/cp") or b"").decode()

    def run(self) -> str:
        return (self.client.hget(self.thread.header, "run") or b"").decode()

    def load(self) -> Loaded | None:
        """Read the thread, in slices where it is wide."""
        return carry(loading.load(self.thread), self.ledger.call)

    def repeat_late(self) -> None:
        """Repeat a start or an answer that was taken long ago: it is known again."""
        if submits := self.accepted.known():
            reply = self.ledger.call(submits[self.draw.one(sorted(submits))])
            assert reply.status == "dup", f"a late repetition was answered {reply}"

    def send(self, *hints: OutboxEntry) -> None:
        """Hand hints to the broker, which loses some; sorted, since Redis' sets are not."""
        for hint in sorted(hints, key=astuple):
            if not self.draw.fault(0.2):
                self.messages.append(hint)

    def take(self, ep: str = "") -> OutboxEntry | None:
        """Deliver some message, of the superstep `ep` if given; it may be delivered again."""
        fitting = [m for m in self.messages if not ep or (m.ep == ep and m.tid != "@")]
        if not fitting:
            return None
        message = self.draw.one(fitting)
        if not self.draw.fault(0.2):
            self.messages.remove(message)
        return message

    # --- values --------------------------------------------------------------------------------

    def channels(self, names: tuple[str, ...], known: Blobs) -> dict[str, bytes | None]:
        """Return the blobs of channels, those that are not known from Redis."""
        missing = [name for name in names if known.get(name) is None]
        reading = loading.values(partial(commands.channels, self.thread, ""), missing)
        return {**known, **carry(reading, self.ledger.call)}

    def check_brought(self, claimed: Claimed) -> None:
        """A claim brings what its tasks read, or all where the same job will commit."""
        assert claimed.context is not None
        brought = claimed.context.channels
        ours = [reads_of(task.tid) for task in claimed.tasks if task.status == "ok"]
        wanted = {name for names in ours for name in names}
        wanted = wanted if claimed.context.checkpoint is None else {"c", LIST}
        assert {name.partition("@")[0] for name in brought} == wanted, f"brought are {brought}"

    def check_list(self, cp: str, known: Blobs) -> None:
        """The list of a checkpoint is whole; a part of it may be known."""
        (blob,) = self.ledger.call(commands.checkpoints(self.thread, "", (cp,)))
        assert blob is not None, f"{cp} is not stored"
        grown = Known.read(blob).grown
        grown.check(self.channels(grown.names, known))

    # --- supersteps ----------------------------------------------------------------------------

    def stage(self, planned: Planned) -> None:
        for chunk in planned.chunks():
            assert self.call(commands.stage(self.thread, planned.entry.ep, chunk))

    def stage_packets(self, bundles: tuple[Bundle, ...]) -> None:
        for command in packets.stage(self.thread, bundles):
            assert self.call(command)

    def publish(self, planned: Planned) -> None:
        """Send the hints of a superstep that was opened; of a staged one the outbox has them."""
        ep = planned.entry.ep
        if planned.staged:
            self.send_outbox("", ep)
        else:
            tasks = planned.entry.tasks
            self.send(*(OutboxEntry("", ep, task.id, QUEUE, 0) for task in tasks))
        self.call(commands.published(self.thread, "", ep))

    def send_outbox(self, ns: str, ep: str) -> None:
        cursor, found = self.call(commands.outbox(self.thread, ns, ep, count=10))
        while cursor:
            cursor, more = self.call(commands.outbox(self.thread, ns, ep, cursor, count=10))
            found += more
        self.send(*found)

    # --- time ------------------------------------------------------------------------------------

    def sweep(self) -> tuple[Due, ...]:
        """Let time pass, and look at what is due; return what was found."""
        self._pass_time(self.draw.one(LEAPS if self.draw.chaos else CALM_LEAPS))
        namespace, shard = self.thread.namespace, self.thread.shard
        dues = self.call(commands.sweep(namespace, shard, max_lost=MANY)).found
        assert all(due.kind != "unreadable" for due in dues), dues
        self.send(*(hint for due in dues for hint in due.hints))
        if not self.messages:
            cursor, lost = self.call(commands.overdue(namespace, shard, empty=(QUEUE,)))
            assert cursor == 0
            for due in lost:
                self._send_lost(due)
        return dues

    def _send_lost(self, due: Due) -> None:
        self.send_outbox(due.ns, due.ep)
        self.call(commands.published(self.thread, due.ns, due.ep))

    def _pass_time(self, ms: int) -> None:
        self._clock([self.thread.header, *self._planned], [ms])

    # --- fail-over -----------------------------------------------------------------------------

    def due(self) -> list[bytes]:
        """Return all that is to be looked at."""
        return [member for key in self._planned for member in self.client.zrange(key, 0, -1)]

    def stored(self) -> list[bytes]:
        return list(self.client.keys(f"{self.thread.prefix}*"))

    def has_replica(self) -> bool:
        return self._replica is not None

    def stop_replica(self) -> None:
        """From now on the replica gets nothing."""
        replicated = self._replicated()
        with self.client.pipeline(transaction=False) as pipe:
            for key in replicated:
                pipe.pttl(key).dump(key)
            read = pipe.execute()
        found = zip(replicated, read[::2], read[1::2], strict=True)
        kept = [(key, max(0, ttl), blob) for key, ttl, blob in found if blob]
        self._replica = (kept, deepcopy(self.accepted))

    def fail_over(self) -> None:
        """Go back to what the replica had."""
        assert self._replica is not None
        self.client.delete(*self._replicated())
        kept, self.accepted = self._replica
        for key, ttl, blob in kept:
            self.client.restore(key, ttl, blob)

    def _replicated(self) -> list[bytes]:
        indexes = self.client.keys(f"{self.shard}ix:*")
        of_shard = (*self._planned, keys.ends(self.thread.namespace, self.thread.shard))
        return [*self.stored(), *(key.encode() for key in of_shard), *indexes]
