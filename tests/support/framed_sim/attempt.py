"""What one attempt at a task does, and what of the graph inside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from checkpoint_redis import commands, loading
from checkpoint_redis.readings import Context
from checkpoint_redis.records import (
    InnerEntry,
    ParkEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.replies import Advance, ClaimedTask, Recorded
from distgraph.effects import carry
from tests.support.framed_sim.collecting import (
    ESCAPED,
    Asks,
    Fails,
    Finished,
    GoesOn,
    collected,
    rejoined,
)
from tests.support.framed_sim.program import Graph, Known, new_id, questions
from tests.support.sim.world import World

LEASE_MS, RETRY_MS = 25_000, 5_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task is: the graph, its frame, the superstep, and the attempt's token."""

    graph: Graph
    ns: str
    ep: str
    tok: str
    context: Context


class Owner(Protocol):
    """The worker that makes an attempt."""

    def release(self, ns: str, ep: str, tid: str) -> None: ...

    def open(self, ns: str, step: SuperstepEntry, staged: tuple[TaskEntry, ...]) -> None: ...

    def planned(
        self, graph: Graph, cp: str, writes: Mapping[str, bytes]
    ) -> tuple[SuperstepEntry, tuple[TaskEntry, ...]]: ...


class Attempt:
    """One attempt at a task; ``advance`` is there where it closed the superstep."""

    def __init__(self, owner: Owner, world: World, place: Place) -> None:
        self._worker, self._world, self._context = owner, world, place.context
        self._graph, self._ns, self._ep, self._tok = place.graph, place.ns, place.ep, place.tok
        self.advance: Advance | None = None

    def run(self, task: ClaimedTask) -> Iterator[str]:
        kind = self._graph.kind_of(task.tid)
        if kind == "graph":
            yield from self._inside(task)
            return
        if kind == "flaky" and self._world.draw.fault(0.7):
            self._fail(task.tid)
            return
        given = [blob.decode() for blob in task.answers]
        asked = questions(kind, task.tid, len(given), self._tok)
        left = ESCAPED if kind == "escapes" else repr(given).encode()
        yield from self._report(task, left, asked, escapes=kind == "escapes")

    def _fail(self, tid: str) -> None:
        retry_in = RETRY_MS if self._world.draw.chance(0.4) else -1
        command = commands.fail(
            self._world.thread, self._ns, self._ep, tid,
            tok=self._tok, error=b"error", retry_in_ms=retry_in,
        )  # fmt: skip
        self._world.send(*self._world.call(command).up)

    def _report(
        self, task: ClaimedTask, left: bytes, asked: tuple[str, ...], *, escapes: bool = False
    ) -> Iterator[str]:
        world, thread = self._world, self._world.thread
        result = ResultEntry(
            task.tid, task.rnd, left, b"", tuple(map(QuestionEntry, asked)),
            escapes=escapes, collected=self._graph.kind_of(task.tid) == "graph",
        )  # fmt: skip
        context = self._context
        alone = context.checkpoint is not None and not asked and not escapes
        if alone and world.draw.chance(0.7):
            writes = {task.tid: left}
            step, staged = self._worker.planned(self._graph, context.head.cp, writes)
            yield "finishing"
            command = commands.finish(
                thread, self._ns, self._ep, result, step,
                tok=self._tok, tok2=self._tok, lease_ms=LEASE_MS,
            )  # fmt: skip
            reply = world.call(command)
            world.send(*reply.up)
            if isinstance(reply, Recorded):
                self.advance = reply.advance
            elif reply.status in ("go", "again") and step.outcome == "go":
                self._worker.open(self._ns, step, staged)
            return
        recorded = world.call(
            commands.complete(
                thread, self._ns, self._ep, (result,),
                tok=self._tok, tok2=self._tok, lease_ms=LEASE_MS,
            )
        )  # fmt: skip
        world.send(*recorded.up)
        self.advance = recorded.advance

    # --- a graph inside ------------------------------------------------------------------------

    def _inside(self, task: ClaimedTask) -> Iterator[str]:
        inner = self._graph.inside(task.tid)
        world, ns = self._world, inner.frame.hash
        loaded = carry(loading.load(world.thread, ns), world.ledger.call)
        assert loaded is not None
        head = loaded.header.cp
        yield "inside"
        if head and inner.is_over(head):
            yield from self._report(task, f"ended at {head}".encode(), ())
            return
        told = {blob.decode().partition(" ")[0]: blob for blob in task.answers}
        found = collected(loaded) if task.risen == ns else None
        match found or (rejoined(loaded, told) if head else GoesOn(None)):
            case Finished(how):
                yield from self._report(task, how.encode(), ())
            case Asks(iids):
                yield from self._report(task, b"asks", iids)
            case Fails():
                self._fail(task.tid)
            case GoesOn(again):
                entry = InnerEntry(inner.frame, loaded.header.ep, head)
                yield from self._park(task, inner, ParkEntry(entry, None, again or (), 25), again)

    def _park(
        self, task: ClaimedTask, inner: Graph, entry: ParkEntry, again: tuple[object, ...] | None
    ) -> Iterator[str]:
        world, staged = self._world, tuple[TaskEntry, ...]()
        if again is None:
            entry, staged = self._opened(inner, entry)
        yield "inside"
        parked = world.call(
            commands.park(
                world.thread, self._ns, self._ep, task.tid,
                tok=self._tok, entry=entry, lease_ms=LEASE_MS,
            )
        )  # fmt: skip
        if parked.status == "conflict":
            self._worker.release(self._ns, self._ep, task.tid)
        world.send(*parked.hints)
        yield "parked"
        if parked.status == "parked" and entry.step is not None:
            self._worker.open(inner.frame.hash, entry.step, staged)

    def _opened(self, inner: Graph, entry: ParkEntry) -> tuple[ParkEntry, tuple[TaskEntry, ...]]:
        """Return with what a superstep is opened: at the head, or behind a first checkpoint."""
        world, head = self._world, entry.inner.cp
        first = head or new_id(world.draw, 0)
        checkpoints = () if head else (Known().entry(first),)
        step, staged = inner.opening(world.draw, first, ())
        if staged:
            assert world.call(commands.stage(world.thread, step.ep, staged))
        if world.draw.chance(0.5):
            step = replace(step, checkpoints=checkpoints)
            return replace(entry, step=step), staged
        kept = replace(entry.inner, cp="", checkpoints=checkpoints)
        return replace(entry, inner=kept, step=step), staged
