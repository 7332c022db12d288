"""What one attempt at a task does, and what of the graph inside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from checkpoint_redis import commands
from checkpoint_redis.records import (
    InnerEntry,
    ParkEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.replies import Advance, ClaimedTask, Recorded
from tests.support.framed_sim.calling import AsksOf, Calling, Raises, Returns
from tests.support.framed_sim.collecting import (
    ESCAPED,
    Asks,
    Fails,
    Finished,
    GoesOn,
    collected,
    rejoined,
)
from tests.support.framed_sim.parking import LEASE_MS, Parking, Place, Releases, by_question
from tests.support.framed_sim.program import (
    Calls,
    Graph,
    Known,
    new_id,
    questions,
)
from tests.support.sim.world import World

RETRY_MS = 5_000


class Owner(Releases, Protocol):
    """The worker that makes an attempt."""

    def open(self, ns: str, step: SuperstepEntry, staged: tuple[TaskEntry, ...]) -> None: ...

    def planned(
        self, graph: Graph, cp: str, writes: Mapping[str, bytes]
    ) -> tuple[SuperstepEntry, tuple[TaskEntry, ...]]: ...


class Attempt:
    """One attempt at a task; ``advance`` is there where it closed the superstep."""

    def __init__(self, owner: Owner, world: World, place: Place) -> None:
        self._worker, self._world, self._context = owner, world, place.context
        self._graph, self._ns, self._ep, self._tok = place.graph, place.ns, place.ep, place.tok
        self._parking = Parking(owner, world, place)
        self.advance: Advance | None = None
        # Whether what it leaves stands on what is stored of graphs or calls inside.
        self._collects = False

    def run(self, task: ClaimedTask) -> Iterator[str]:
        kind = self._graph.kind_of(task.tid)
        if isinstance(kind, Calls):
            yield from self._calling(task, kind)
            return
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
            escapes=escapes, collected=self._collects,
        )  # fmt: skip
        context = self._context
        alone = context.checkpoint is not None and not asked and not escapes
        alone = alone and not self._graph.is_calls
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
        ns = inner.frame.hash
        loaded = self._parking.loaded(ns)
        head, self._collects = loaded.header.cp, True
        yield "inside"
        if head and inner.is_over(head):
            yield from self._report(task, f"ended at {head}".encode(), ())
            return
        told = by_question(task)
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
        staged = tuple[TaskEntry, ...]()
        if again is None:
            entry, staged = self._opened(inner, entry)
        yield "inside"
        parked = yield from self._parking.park(task, entry)
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

    # --- functions that are called ---------------------------------------------------------------

    def _calling(self, task: ClaimedTask, calls: Calls) -> Iterator[str]:
        caller = Calling(self._world, self._parking, self._graph.called_by(task.tid))
        ended = yield from caller.run(task, calls)
        self._collects = caller.is_open
        match ended:
            case AsksOf(iids):
                yield from self._report(task, b"asks", iids)
            case Raises():
                self._fail(task.tid)
            case Returns(left):
                yield from self._report(task, json.dumps(left).encode(), ())
            case None:
                return
