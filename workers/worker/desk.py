"""Where a job works: one open superstep of one thread, with every command that it may give."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.records import STAGE_ABOVE, CustomEntry, Lease, ResultEntry, SuperstepEntry
from checkpoint_redis.replies import (
    Advance,
    Claimed,
    Committed,
    Context,
    OutboxEntry,
    Recorded,
)
from distgraph.core.model import Errored
from distgraph.errors import AdvanceLost, DistGraphError, WorkerLost
from workers.settings import Settings
from workers.shared.hints import Hint, Outgoing, outgoing
from workers.shared.served import Registry, Served
from workers.worker.backoffs import Backoffs
from workers.worker.dispatched import Dispatched
from workers.worker.due import sweep_shards
from workers.worker.leases import Leases

log = logging.getLogger(__name__)
STAGE_CHUNK = 1_000


def nonce() -> str:
    """Return 16 hex digits that nobody had before."""
    return os.urandom(8).hex()


@dataclass(frozen=True, slots=True)
class Office:
    """What a worker process has for all its jobs; ``refused``: graphs that it was asked for."""

    ledger: Callable[[], Ledger]
    registry: Registry
    settings: Settings
    leases: Leases
    dispatched: Dispatched
    publish: Callable[[Iterable[Outgoing]], None]
    spawn: Callable[[Any], None]
    backoffs: Backoffs
    owner: str
    refused: set[str] = field(default_factory=set)

    def desk(self, hint: Hint) -> Desk:
        """Return the desk for what ``hint`` names."""
        thread = Thread.from_x(self.settings.namespace, hint.x)
        return Desk(self, thread, hint.ns, hint.ep, nonce())


def sweep_now(office: Office, shard: int) -> None:
    """Act on what is due in ``shard``; what fails here is left to the sweeper."""
    lost = office.registry.common_wire().error(worker_lost(office.settings.max_lost))
    try:
        sweep_shards(office.ledger().once(), office.settings, (shard,), lost, office.publish)
    except DistGraphError as error:
        log.info("A retry waits for the next sweep: %s", error)


@dataclass(frozen=True, slots=True)
class Desk:
    """One attempt's work place; ``token`` is what its commands are told apart by."""

    office: Office
    thread: Thread
    ns: str
    ep: str
    token: str

    @property
    def _ledger(self) -> Ledger:
        return self.office.ledger()

    @property
    def _lease_ms(self) -> int:
        return self.office.settings.lease_ms

    def served(self, context: Context) -> Served:
        """Return the graph of the thread; a claim only succeeds for one that is served."""
        served = self.office.registry.get(context.head.graph)
        if served is None:
            msg = f"The claim of graph '{context.head.graph}' succeeded, but it is not served here."
            raise LookupError(msg)
        return served

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
        )

    def claim_advance(self) -> Advance:
        """Take the right to reduce the superstep."""
        return self._ledger.claim_advance(
            self.thread,
            self.ns,
            self.ep,
            tok=self.token,
            lease_ms=self._lease_ms,
            served=self.office.registry.labels(),
            lost=self._advance_lost(),
        )

    def _advance_lost(self) -> bytes:
        error = AdvanceLost(
            "The workers that reduced this superstep vanished one after the other: a reducer, or "
            "the size of the state, kills them."
        )
        return self.office.registry.common_wire().error(errored(error))

    def lease(self, tid: str) -> Lease:
        """Return the lease that this desk's token holds on a task, or on the advance ('@')."""
        return Lease(self.thread.x, self.ns, self.ep, tid, self.token)

    def complete(self, result: ResultEntry) -> Recorded:
        """Record what a task left; the answer says whether this desk is to reduce."""
        return self._ledger.complete(
            self.thread,
            self.ns,
            self.ep,
            (result,),
            tok=self.token,
            tok2=self.token,
            lease_ms=self._lease_ms,
        )

    def finish(
        self, result: ResultEntry, step: SuperstepEntry, nulls: int, queue: str
    ) -> Recorded | None:
        """Record the only task of a superstep and commit at once; None when that was done."""
        ready = self._staged(step)
        answered = self._ledger.finish(
            self.thread,
            self.ns,
            self.ep,
            result,
            ready,
            tok=self.token,
            tok2=self.token,
            lease_ms=self._lease_ms,
            caller_writes=nulls,
        )
        if isinstance(answered, Recorded):
            return answered
        self._dispatch(answered, step, queue)
        return None

    def commit(self, step: SuperstepEntry, queue: str) -> None:
        """Replace the closed superstep."""
        ready = self._staged(step)
        answered = self._ledger.commit(self.thread, self.ns, self.ep, ready, advtok=self.token)
        self._dispatch(answered, step, queue)

    def _staged(self, step: SuperstepEntry) -> SuperstepEntry:
        """Store the tasks of a wide superstep beforehand: a script must stay short."""
        if len(step.tasks) <= STAGE_ABOVE:
            return step
        for start in range(0, len(step.tasks), STAGE_CHUNK):
            self._ledger.stage(self.thread, step.ep, step.tasks[start : start + STAGE_CHUNK])
        return replace(step, tasks=(), staged=True)

    def _dispatch(self, answered: Committed, step: SuperstepEntry, queue: str) -> None:
        """Publish the hints of a superstep that was committed, and say that they are out.

        Also when the answer to it was lost once: then nobody else has sent them.
        """
        if answered.status not in ("go", "again"):
            return
        self.office.publish(outgoing(self.thread.x, entries(step, self.ns, queue)))
        self.office.dispatched.note(self.thread, self.ns, step.ep)

    def fail(self, tid: str, error: bytes, retry_in: float | None, memo: bytes) -> str:
        """Record a failed attempt; ``retry_in`` is in seconds, None for a final failure."""
        return self._ledger.fail(
            self.thread,
            self.ns,
            self.ep,
            tid,
            tok=self.token,
            error=error,
            retry_in_ms=-1 if retry_in is None else int(retry_in * 1000),
            memo=memo,
        )

    def fail_advance(self, error: bytes) -> str:
        """End the run because its superstep cannot be reduced."""
        return self._ledger.fail_advance(
            self.thread, self.ns, self.ep, advtok=self.token, error=error
        )

    def emit(self, run: str, tid: str, blobs: Iterable[bytes]) -> None:
        """Append custom events of a task."""
        events = tuple(CustomEntry(self.ns, tid, self.token, blob) for blob in blobs)
        self._ledger.emit(self.thread, run, events)

    def channels(self, names: Iterable[str]) -> dict[str, bytes | None]:
        """Fetch channel blobs that a claim was too small for."""
        wanted = tuple(names)
        found: dict[str, bytes | None] = {}
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            blobs = self._ledger.channels(self.thread, self.ns, part)
            found.update(zip(part, blobs, strict=True))
        return found

    def writes(self, advance: Advance) -> Mapping[str, bytes]:
        """Return the writes of a closed superstep; large ones are read in pieces."""
        if advance.writes is not None:
            return advance.writes
        found: dict[str, bytes] = {}
        cursor = 0
        while True:
            cursor, part = self._ledger.writes(self.thread, self.ns, cursor)
            found |= part
            if cursor == 0:
                return found


def entries(step: SuperstepEntry, ns: str, queue: str) -> list[OutboxEntry]:
    """Return what is to be published for the tasks of ``step``."""
    return [OutboxEntry(ns, step.ep, t.id, t.queue or queue, t.priority) for t in step.tasks]


def errored(error: Exception) -> Errored:
    """Return the record of a failure that no node raised."""
    return Errored(
        kind=f"{type(error).__module__}.{type(error).__qualname__}",
        message=str(error),
        args=error.args,
        exception=error,
    )


def worker_lost(max_lost: int) -> Errored:
    """Return the failure of a task whose workers vanish one after the other."""
    return errored(
        WorkerLost(
            f"The worker that ran this task vanished {max_lost + 1} times (killed, out of memory, "
            "or os._exit in a node). Start a new run or retry with invoke(None, config) once the "
            "cause is gone."
        )
    )
