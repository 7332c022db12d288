"""Where a job works: one open superstep of one thread, with every command that it may give."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from checkpoint_redis import commands, loading, packets
from checkpoint_redis.bundles import Bundle, Packets
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.readings import Context, Loaded
from checkpoint_redis.records import (
    CallsEntry,
    InnerEntry,
    KeepEntry,
    Lease,
    ParkEntry,
    ResultEntry,
    SuperstepEntry,
)
from checkpoint_redis.replies import Advance, Claimed, Committed, OutboxEntry, Parked, Recorded
from checkpoint_redis.saving import get_frame, listed
from checkpoint_redis.sharing import give_way
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import CheckpointTuple
from distgraph.core.packets import Packet
from distgraph.effects import carry
from distgraph.errors import StoreError

from ..shared.hints import ADVANCE, Hint, outgoing
from ..shared.served import Served
from ..shared.supersteps import chunks, entries, nonce, staged
from .emitter import Emitter, Streaming
from .failures import advance_lost
from .office import Office

log: Final = logging.getLogger(__name__)
REJOINED_AT_ONCE = 1_000
"""So many tasks of a frame are queued again by one script, which must stay short."""


def desk_for(office: Office, hint: Hint, job: str) -> Desk:
    """Return the desk for what ``hint`` names; ``job`` is Celery's id."""
    thread = Thread.from_x(office.settings.namespace, hint.x)
    return Desk(office, thread, hint.ns, hint.ep, nonce(), job)


@dataclass(frozen=True, slots=True)
class Desk:
    """One attempt's work place; ``token`` is what its commands are told apart by.

    ``job``: Celery's id of the job. ``began``: when it did, in seconds of this process's own
    clock.
    """

    office: Office
    thread: Thread
    ns: str
    ep: str
    token: str
    job: str
    began: float = field(default_factory=time.monotonic)

    @property
    def _ledger(self) -> Ledger:
        return self.office.steady()

    @property
    def _lease_ms(self) -> int:
        return self.office.settings.lease_ms

    def served(self, context: Context) -> Served:
        """Return the graph of the thread; a claim only succeeds for one that is served."""
        inner = context.head.frame
        name = inner.root_graph if inner else context.head.graph
        served = self.office.registry.get(name)
        if served is None:
            msg = f"The claim of graph '{name}' succeeded, but it is not served here."
            raise LookupError(msg)
        # What is called inside may be any graph of the backend.
        return self.office.registry.wide(served) if inner else served

    def claim(self, tids: tuple[str, ...]) -> Claimed:
        """Take tasks for one attempt each."""
        return self._ledger.claim(
            self.thread,
            self.ns,
            self.ep,
            tids,
            tok=self.token,
            owner=self.office.owner,
            lease_ms=self._lease_ms,
            served=self.office.registry.labels(),
            known=self._reach(),
        )

    def claim_advance(self) -> Advance:
        """Take the right to reduce the superstep."""
        claimed = self._ledger.claim_advance(
            self.thread,
            self.ns,
            self.ep,
            tok=self.token,
            lease_ms=self._lease_ms,
            served=self.office.registry.labels(),
            known=self._reach(),
            lost=self.office.registry.common_wire().error(advance_lost()),
        )
        self._send(claimed.up)
        return claimed

    def drain(self, run: str, reason: str) -> None:
        """Have the run stop at the next superstep that it begins."""
        self._ledger.call(commands.drain(self.thread, run, reason))

    def drained(self, run: str) -> str | None:
        """Return why the run is to stop, None where nobody asked that."""
        return self._ledger.call(commands.drained(self.thread, run))

    def lease(self, tid: str) -> Lease:
        """Return the lease that this desk's token holds on a task, or on the advance ('@')."""
        return Lease(self.thread.x, self.ns, self.ep, tid, self.token)

    def complete(self, result: ResultEntry, above: str = "") -> Recorded:
        """Record what a task left; the answer says whether this desk is to reduce.

        ``above``: what the job of the task around is called, here and below.
        """
        self._stage_packets(result.packets)
        recorded = self._ledger.complete(
            self.thread,
            self.ns,
            self.ep,
            (result,),
            tok=self.token,
            tok2=self.token,
            lease_ms=self._lease_ms,
            known=self._reach(),
        )
        if recorded.closing == "gone":
            self.office.installation.look()
        self._send(recorded.up, above)
        return recorded

    def finish(
        self,
        result: ResultEntry,
        step: SuperstepEntry,
        caller_writes: int,
        queue: str,
        above: str = "",
    ) -> Recorded | None:
        """Record the only task of a superstep and commit at once; None when that was done."""
        self._stage_packets(result.packets)
        self._stage(step)
        answered = self._ledger.finish(
            self.thread,
            self.ns,
            self.ep,
            result,
            staged(step),
            tok=self.token,
            tok2=self.token,
            lease_ms=self._lease_ms,
            known=self._reach(),
            caller_writes=caller_writes,
        )
        self._send(answered.up, above)
        if isinstance(answered, Recorded):
            return answered
        if answered.status == "gone":
            self.office.installation.look()
        self._dispatch(answered, step, queue)
        return None

    def give_way(self, cp: str, results: Mapping[str, bytes], step: SuperstepEntry) -> None:
        """Have what results, left at ``cp``, share with the values of ``step`` stored once.

        It was committed: what is not done of this costs bytes and nothing else.
        """
        values = {name: blob for each in step.checkpoints for name, blob in each.channels.items()}
        try:
            carry(give_way(self.thread, self.ns, cp, results, values), self._ledger.call)
        except StoreError as error:
            log.warning("Results of thread %s stay beside their values: %r", self.thread.x, error)

    def commit(self, step: SuperstepEntry, queue: str, above: str = "") -> None:
        """Replace the closed superstep."""
        self._stage(step)
        answered = self._ledger.commit(
            self.thread, self.ns, self.ep, staged(step), advtok=self.token
        )
        self._send(answered.up, above)
        self._dispatch(answered, step, queue)

    def park(self, tid: str, entry: ParkEntry, queue: str) -> None:
        """Leave a task to the graph that its node is, or to what it calls: that is published.

        Where the frame is not as it was seen another attempt is made at once.
        """
        for checkpoint in entry.inner.checkpoints:
            self._stage_packets(checkpoint.packets)
        ns, begun = entry.inner.frame.hash, entry.step
        if entry.step is not None:
            entry = replace(entry, step=staged(entry.step))
        elif entry.calls is not None:
            begun = SuperstepEntry(entry.calls.ep, (), entry.calls.tasks, "go")
            sent = staged(begun)
            entry = replace(entry, calls=CallsEntry(begun.ep, sent.tasks, sent.staged))
        if begun is not None:
            self._stage(begun)
        parked = self._parked(tid, entry)
        if parked.status in ("conflict", "unstaged"):
            self.give_back(tid)
        elif parked.status == "gone":
            self.office.installation.look()
        else:
            own = {task.id for task in begun.tasks} if begun is not None else set[str]()
            if begun is not None and own:
                self._publish(replace(begun, ep=parked.ep), ns, queue)
            self._send(hint for hint in parked.hints if hint.tid not in own)

    def _parked(self, tid: str, entry: ParkEntry) -> Parked:
        """Park a task; of many that run again a slice a script is queued before."""
        place = self.thread, self.ns, self.ep, tid
        while len(entry.again) > REJOINED_AT_ONCE:
            some, rest = entry.again[:REJOINED_AT_ONCE], entry.again[REJOINED_AT_ONCE:]
            rejoins = replace(entry, again=some)
            queued = self._ledger.rejoin_some(*place, rejoins, tok=self.token)
            if queued != "ok":
                return Parked(queued)
            entry = replace(entry, again=rest)
        return self._ledger.park(*place, tok=self.token, entry=entry, lease_ms=self._lease_ms)

    def _send(self, hints: Iterable[OutboxEntry], name: str = "") -> None:
        """Publish what a script queued; ``name``: what its jobs are called."""
        if messages := tuple(outgoing(self.thread.x, hints, lambda _: name)):
            self.office.publisher.publish(messages)

    def _stage_packets(self, bundles: tuple[Bundle, ...]) -> None:
        carry(packets.stage(self.thread, bundles), self._ledger.call)

    def _stage(self, step: SuperstepEntry) -> None:
        for chunk in chunks(step):
            self._ledger.stage(self.thread, step.ep, chunk)

    def _dispatch(self, answered: Committed, step: SuperstepEntry, queue: str) -> None:
        """Publish the hints of a superstep that was committed, and say that they are out.

        Also when the answer to it was lost once: then nobody else has sent them.
        """
        if answered.status not in ("go", "again"):
            return
        for checkpoint in step.checkpoints:
            self.know(checkpoint.channels)
        self._publish(step, self.ns, queue)

    def _publish(self, step: SuperstepEntry, ns: str, queue: str) -> None:
        hints = outgoing(self.thread.x, entries(step, ns, queue))
        if self.office.publisher.publish(hints):
            self.office.dispatched.note(self.thread, ns, step.ep)

    def read_inner(
        self, archive: Archive, name: str, cp: str, known: Loaded | None = None
    ) -> tuple[Loaded | None, CheckpointTuple | None]:
        """Return a called graph as it stands, and what it has at ``cp`` ('' = its head).

        ``known``: what a claim has brought of it.
        """
        return carry(get_frame(archive, self.thread, name, cp, known), self._ledger.call)

    def list_inner(
        self,
        archive: Archive,
        config: Mapping[str, Any],
        before: Mapping[str, Any] | None,
        limit: int | None,
    ) -> list[CheckpointTuple]:
        """Return what is stored of a called graph, newest first."""
        return carry(listed(archive, config, before, limit), self._ledger.call)

    def read_calls(self, frame: FrameName, known: Loaded | None = None) -> Loaded | None:
        """Return what is stored of the functions that a task calls; ``known`` came with a claim."""
        return carry(loading.load(self.thread, frame.hash, known=known), self._ledger.call)

    def keep_calls(self, tid: str, entry: KeepEntry, *, is_open: bool) -> str | None:
        """Keep what functions have returned in this process; None where the attempt is given up.

        Else the epoch of the calls is returned, a new one where none were open.
        """
        epoch = entry.seen if is_open else nonce()
        kept = self._ledger.keep(
            self.thread, self.ns, self.ep, tid, entry, tok=self.token, new_ep=epoch
        )
        if kept == "conflict":
            self.give_back(tid)
        return epoch if kept == "ok" else None

    def keep_inner(self, tid: str, entry: InnerEntry) -> str | None:
        """Store what a task has of a graph that it calls; None where its attempt is given up.

        Else the frame's new epoch is returned.
        """
        epoch = nonce()
        for checkpoint in entry.checkpoints:
            self._stage_packets(checkpoint.packets)
        kept = self._ledger.inner(
            self.thread, self.ep, tid, entry, tok=self.token, new_ep=epoch, ns=self.ns
        )
        if kept == "conflict":
            self.give_back(tid)
        return epoch if kept == "ok" else None

    def give_back(self, tid: str, name: str = "") -> None:
        """Have another attempt made at a task, as if this one had not been begun.

        ``name``: what its job is called.
        """
        self._release(tid, self.office.owner, name)

    def give_back_advance(self) -> None:
        """Let another worker reduce, because this one is told to end."""
        self._release(ADVANCE, self.token)

    def _release(self, tid: str, owner: str, name: str = "") -> None:
        released = self._ledger.release(
            self.thread,
            self.ns,
            self.ep,
            (tid,),
            owner=owner,
            max_lost=self.office.settings.max_lost,
            given_back=True,
        )
        self._send((*released.hints, *released.up), name)

    def fail(self, tid: str, error: bytes, retry_in: float | None, above: str = "") -> str:
        """Record a failed attempt; ``retry_in`` is in seconds, None for a final failure."""
        failing = self._ledger.fail(
            self.thread,
            self.ns,
            self.ep,
            tid,
            tok=self.token,
            error=error,
            retry_in_ms=-1 if retry_in is None else int(retry_in * 1000),
        )
        self._send(failing.up, above)
        return failing.status

    def fail_advance(self, error: bytes, above: str = "") -> str:
        """End the run because its superstep cannot be reduced."""
        failing = self._ledger.fail_advance(
            self.thread, self.ns, self.ep, advtok=self.token, error=error
        )
        self._send(failing.up, above)
        return failing.status

    def emitter(
        self, run: str, tid: str, encode: Callable[[Any], bytes], frame: str = ""
    ) -> Emitter:
        """Return what this desk's attempt at a task emits custom chunks with."""
        source = Streaming(self.thread, run, self.ns, tid, self.token)
        return self.office.emissions.emitter(source, encode, frame)

    def packets(self, wanted: Sequence[Packet]) -> Packets:
        """Read the arguments of packets, as far as they are stored."""
        return carry(packets.read(self.thread, self.ns, wanted), self._ledger.call)

    def known(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the segments of lists among ``names`` that are known here."""
        return self.office.segments.find(self.thread.x, self.ns, names)

    def fetched(self, names: Sequence[str]) -> dict[str, bytes | None]:
        """Fetch channel blobs that did not come with a claim."""
        read = partial(commands.channels, self.thread, self.ns)
        found = carry(loading.values(read, names), self._ledger.call)
        self.know(found)
        return found

    def know(self, channels: Mapping[str, bytes | None]) -> None:
        """Remember the segments of lists among ``channels``, for jobs of this process to come."""
        self.office.segments.keep(self.thread.x, self.ns, channels)

    def _reach(self) -> Mapping[str, int]:
        return self.office.segments.reach(self.thread.x, self.ns)

    def writes(self, advance: Advance) -> Mapping[str, bytes]:
        """Return the writes of a closed superstep; large ones are read in pieces."""
        if advance.writes is not None:
            return advance.writes
        return carry(loading.writes(self.thread, self.ns, self.ep), self._ledger.call)
