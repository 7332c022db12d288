"""Threads as operators see them: no graph code is needed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from checkpoint_redis import commands
from checkpoint_redis.keys import SHARDS
from checkpoint_redis.records import AnswerEntry
from checkpoint_redis.replies import Header, Listed
from distgraph.core.model import ThreadState
from distgraph.core.resume import bind, pending
from distgraph.errors import ThreadBusy, ThreadNotFound
from distgraph.types import Interrupt
from workers.client.answering import (
    busy,
    check_answered,
    publish_answered,
    refuse_question_of_saver,
)
from workers.client.flows import Flow, Reach
from workers.client.reading import load_state
from workers.worker.desk import nonce

if TYPE_CHECKING:
    from workers.backend import CeleryBackend

STATUSES = ("idle", "busy", "interrupted", "error")


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """One line of a list of threads; ``since`` is when it got its status."""

    id: str
    status: str
    graph: str
    run: str
    since: datetime


class ThreadHandle:
    """One thread of a backend. Every call raises ThreadNotFound when it does not exist."""

    def __init__(self, backend: CeleryBackend, thread_id: str) -> None:
        self._backend, self.id = backend, thread_id
        self._thread = backend.thread_key(thread_id)

    def _header(self) -> Header:
        header = self._backend.ledger.header(self._thread)
        if header is None:
            raise _missing(self.id)
        return header

    @property
    def status(self) -> str:
        """idle, busy, interrupted or error."""
        return self._header().st

    @property
    def graph(self) -> str:
        """The name of the graph that runs on it."""
        return self._header().graph

    @property
    def info(self) -> ThreadInfo:
        """Its line in a list of threads."""
        header = self._header()
        return ThreadInfo(self.id, header.st, header.graph, header.run, _moment(header.upd))

    @property
    def state(self) -> ThreadState:
        """Everything that is stored about its newest checkpoint."""
        wire = self._backend.registry.common_wire()
        _, state = self._backend.perform(load_state(wire, self._thread))
        if state is None:
            raise _missing(self.id)
        found: ThreadState = state
        return found

    @property
    def interrupts(self) -> tuple[Interrupt, ...]:
        """The questions that wait for an answer."""
        return tuple(question.interrupt for _, question in pending(self.state).values())

    def resume(self, value: Any) -> str:
        """Answer: a bare value for the only question, or ``{interrupt id: value}``.

        Returns the run's id at once. Raises NothingToResume, NoSuchInterrupt, AmbiguousResume,
        ThreadBusy.
        """
        run = str(uuid.uuid4())
        self._backend.perform(self._resume(run, value))
        return run

    def _resume(self, run: str, value: Any) -> Flow:
        yield Reach()
        wire = self._backend.registry.common_wire()
        loaded, state = yield from load_state(wire, self._thread)
        if loaded is None:
            raise _missing(self.id)
        refuse_question_of_saver(loaded, self.id)
        replies = bind(state, value)
        if loaded.header.st == "busy" and not replies:
            raise ThreadBusy(busy(self._thread, loaded.header.run))
        pairs = tuple(
            AnswerEntry("", reply.task, reply.answer.id, wire.answer(reply.answer))
            for reply in replies
        )
        answered = yield commands.answer(self._thread, run, "resume", pairs, rnd=nonce())
        check_answered(answered, tuple(pair.iid for pair in pairs), self._thread)
        yield from publish_answered(self._thread, answered, loaded.header.queue)
        return None

    def retry(self) -> str:
        """Run the failed tasks of a thread in error again; return the run's id at once."""
        run = str(uuid.uuid4())
        self._backend.perform(self._retry(run))
        return run

    def _retry(self, run: str) -> Flow:
        yield Reach()
        queue = self._header().queue
        answered = yield commands.answer(self._thread, run, "retry", rnd=nonce())
        check_answered(answered, (), self._thread)
        yield from publish_answered(self._thread, answered, queue)
        return None

    def cancel(self) -> bool:
        """Cancel whatever runs or waits; the state stays at its newest checkpoint."""
        self._header()
        return self._backend.cancel(self.id)

    def delete(self) -> None:
        """Remove everything that is stored about it."""
        self._header()
        self._backend.ledger.delete(self._thread)


def _missing(thread_id: str) -> ThreadNotFound:
    return ThreadNotFound(f"No thread '{thread_id:.200}' is stored.")


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def list_threads(
    backend: CeleryBackend, status: str | None, graph: str | None, limit: int
) -> list[ThreadInfo]:
    """Return at most ``limit`` threads; ValueError for an unknown status."""
    if status is not None and status not in STATUSES:
        msg = f"Unknown status {status!r}: {', '.join(STATUSES)}."
        raise ValueError(msg)
    known = status is not None and status != "idle"
    most = 0 if graph else limit  # the index does not know graphs: all that wait are looked at
    found = _indexed(backend, status or "", most) if known else _scanned(backend)
    wanted = (
        info
        for info in found
        if (status is None or info.status == status) and (graph is None or info.graph == graph)
    )
    return sorted(wanted, key=lambda info: info.since)[:limit]


def _indexed(backend: CeleryBackend, status: str, most: int) -> Iterator[ThreadInfo]:
    namespace = backend.namespace
    looks = [commands.threads(namespace, shard, status, most) for shard in range(SHARDS)]
    for found in backend.ledger.together(looks):
        yield from (_info(listed, status) for listed in found)


def _info(listed: Listed, status: str) -> ThreadInfo:
    return ThreadInfo(listed.thread_id, status, listed.graph, listed.run, _moment(listed.since))


def _scanned(backend: CeleryBackend) -> Iterator[ThreadInfo]:
    cursor, more, seen = 0, True, set[str]()
    while more:
        cursor, threads = backend.ledger.scan(backend.namespace, cursor)
        fresh = [thread for thread in threads if thread.x not in seen]
        seen.update(thread.x for thread in fresh)
        for header in backend.ledger.together([commands.header(thread) for thread in fresh]):
            if header is not None:
                moment = _moment(header.upd)
                yield ThreadInfo(header.thread_id, header.st, header.graph, header.run, moment)
        more = cursor != 0
