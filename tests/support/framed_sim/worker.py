"""A virtual worker of graphs inside graphs: a generator that gives one command a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.readings import Context
from checkpoint_redis.records import Lease, SuperstepEntry, TaskEntry
from checkpoint_redis.replies import Advance, OutboxEntry
from tests.support.framed_sim.attempt import Attempt
from tests.support.framed_sim.parking import LEASE_MS, Place
from tests.support.framed_sim.program import QUEUE, Graph, Plan, following, labels
from tests.support.sim.world import MANY, World


class Worker:
    """``phase`` tells what it did last, '' when it is free."""

    def __init__(self, world: World, plans: tuple[Plan, ...], name: str) -> None:
        self._world, self._plans, self._name = world, plans, name
        self._job: Iterator[str] | None = None
        self._held: tuple[str, str, str] | None = None
        self.phase = ""
        self.paused_until = 0

    @property
    def _thread(self) -> Thread:
        return self._world.thread

    def step(self, now: int) -> None:
        if self._job is not None:
            if self.paused_until <= now:
                self.phase = next(self._job, "")
                self._job = self._job if self.phase else None
        elif message := self._world.take():
            self._job = self._work(message)

    def crash(self) -> None:
        """End at once; often its main process lives on and tells, or it was a shutdown."""
        held, self._job, self._held, self.phase = self._held, None, None, ""
        if held and self._world.draw.chance(0.5):
            self.release(*held)

    def release(self, ns: str, ep: str, tid: str) -> None:
        """Have another attempt made at a task that this worker holds."""
        released = self._world.call(
            commands.release(
                self._thread, ns, ep, (tid,),
                owner=self._name, max_lost=MANY, given_back=self._world.draw.chance(0.5),
            )
        )  # fmt: skip
        self._world.send(*released.hints, *released.up)

    def _work(self, hint: OutboxEntry) -> Iterator[str]:
        world, tok = self._world, self._world.draw.nonce()
        if hint.tid == "@":
            claim = commands.claim_advance(
                self._thread, hint.ns, hint.ep,
                tok=tok, lease_ms=LEASE_MS, served=labels(), max_advances=MANY,
            )  # fmt: skip
            yield from self._reduce(hint.ns, hint.ep, tok, world.call(claim))
            return
        claimed = world.call(
            commands.claim(
                self._thread, hint.ns, hint.ep, (hint.tid,),
                tok=tok, owner=self._name, lease_ms=LEASE_MS, served=labels(),
            )
        )  # fmt: skip
        if claimed.status != "ok" or claimed.context is None:
            return
        self._held = hint.ns, hint.ep, hint.tid
        yield "claimed"
        if world.draw.chance(0.2):
            lease = Lease(self._thread.x, hint.ns, hint.ep, hint.tid, tok)
            shard = self._thread.shard
            world.call(commands.beat(self._thread.namespace, shard, (lease,), lease_ms=LEASE_MS))
        context = claimed.context
        job = Attempt(self, world, Place(self.graph(context), hint.ns, hint.ep, tok, context))
        yield from job.run(claimed.tasks[0])
        self._held = None
        yield "reported"
        if job.advance is not None:
            yield from self._reduce(hint.ns, hint.ep, tok, job.advance)

    def graph(self, context: Context) -> Graph:
        frame = context.head.frame
        assert frame is None or (frame.root_graph, frame.root_fp) == ("graph", "1")
        return Graph(self._plans, frame.name if frame else "")

    def open(self, ns: str, step: SuperstepEntry, staged: tuple[TaskEntry, ...]) -> None:
        """Send the hints of a superstep that was opened."""
        if staged:
            self._world.send_outbox(ns, step.ep)
        else:
            self._world.send(*(OutboxEntry(ns, step.ep, t.id, QUEUE, 0) for t in step.tasks))
        self._world.call(commands.published(self._thread, ns, step.ep))

    def _reduce(self, ns: str, ep: str, tok: str, advance: Advance) -> Iterator[str]:
        world, context = self._world, advance.context
        world.send(*advance.up)
        if advance.status != "advance" or context is None or advance.writes is None:
            return
        yield "reduce"
        if world.draw.fault(0.1):
            failed = commands.fail_advance(self._thread, ns, ep, advtok=tok, error=b"reducer")
            world.send(*world.call(failed).up)
            return
        step, staged = self.planned(self.graph(context), context.head.cp, advance.writes)
        yield "reduce"
        command = commands.commit(self._thread, ns, ep, step, advtok=tok)
        reply = world.call(command)
        if reply.status == "unstaged":  # a fail-over took what was staged
            world.call(commands.stage(self._thread, step.ep, staged))
            reply = world.call(command)
        world.send(*reply.up)
        if reply.status in ("go", "again") and step.outcome == "go":
            yield "committed"
            self.open(ns, step, staged)

    def planned(
        self, graph: Graph, cp: str, writes: Mapping[str, bytes]
    ) -> tuple[SuperstepEntry, tuple[TaskEntry, ...]]:
        """Plan what follows a superstep, and stage what is to be staged of it."""
        new, checkpoints = following(self._world.draw, cp, writes)
        step, staged = graph.opening(self._world.draw, new, checkpoints)
        if staged:
            assert self._world.call(commands.stage(self._thread, step.ep, staged))
        return step, staged
