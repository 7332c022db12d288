"""A client that asks for whatever a client may ask for, at any moment."""

from __future__ import annotations

import json
from collections.abc import Iterator

from checkpoint_redis import answers, commands
from checkpoint_redis.layout import AnswerMode
from checkpoint_redis.readings import Loaded
from checkpoint_redis.records import AnswerEntry, CheckpointEntry
from checkpoint_redis.replies import Changed, OutboxEntry
from tests.support.sim.accepted import MARKS, Accepted
from tests.support.sim.breakpoints import asking, check_released
from tests.support.sim.giving import UNKNOWN, give, is_moving, move, standing
from tests.support.sim.lists import Grown
from tests.support.sim.packets import bundle_name, bundles_of
from tests.support.sim.plan import PLAN, Known, number_of, opening, tids, updated
from tests.support.sim.world import GRAPHS, QUEUE, World


class Client:
    def __init__(self, world: World) -> None:
        self._world = world
        self._asked: set[tuple[str, str]] = set()
        self._job: Iterator[None] | None = None

    def begin(self) -> None:
        """Cancel what there is, and begin again from the empty state."""
        world = self._world
        world.call(commands.cancel(world.thread, "", ep=world.draw.nonce()))
        header = world.ledger.header(world.thread)
        cp, run = f"{world.draw.stamp()}.0.{world.draw.nonce()}", world.draw.nonce()
        grown, bundle = Grown.begun((cp,), world.draw), bundle_name(world.draw.nonce())
        first = Known("input", "", {"start": cp}, grown, run, bundle=bundle)
        new = first.entry(cp, bundles_of(bundle, tids(0)))
        self.start(header.cp if header else "", first, (new,))

    def delete(self) -> None:
        """Delete the thread whatever it does, and begin again."""
        world = self._world
        header = world.ledger.header(world.thread)
        rests = header is not None and header.st != "busy"
        ep = header.ep if header and rests and world.draw.chance(0.5) else ""
        reply = world.call(commands.delete(world.thread, ep=ep))
        assert reply.status in ("ok", "missing"), reply
        # What a worker is staging at the moment expires by itself.
        left = [key for key in world.stored() if world.client.pttl(key) == -1]
        assert not left, f"a delete left {left}"
        assert not world.due(), "a delete left what is due"
        world.accepted = Accepted()
        self.begin()

    def step(self) -> None:
        """Do what the thread waits for, or something else that is allowed.

        A call that takes many steps may end in the middle, and others act between them.
        """
        if self._job is not None and self._world.draw.chance(0.8):
            ends = self._world.draw.fault(0.1) or next(self._job, self) is self
            self._job = None if ends else self._job
        else:
            self._call()

    def _call(self) -> None:
        world = self._world
        loaded = world.ledger.load(world.thread)
        if loaded is None or not loaded.header.cp:  # all but the graph that lasts was removed
            self.begin()
            return
        assert loaded.checkpoint is not None
        world.check_list(loaded.header.cp, loaded.channels)
        open_ = {iid for asked in asking(loaded) for iid, _ in asked.questions}
        assert is_moving(world) or not open_ & world.accepted.given, f"answered, and asked: {open_}"
        self._asked |= {(a.tid, iid) for a in asking(loaded) for iid, _ in a.questions}
        p = world.draw.number() if world.draw.chaos else 0.0
        match loaded.header.st:
            case _ if p > 0.95:
                self._adopt(loaded)
            case "busy":
                self._answer(loaded)
            case _ if p > 0.9 and number_of(loaded.header.cp) < len(PLAN):
                self._update(loaded)
            case "error" | "interrupted" if p > 0.8 or not loaded.tasks:
                self._go_on(loaded)
            case "error" if p < 0.5:
                self._resume(loaded, "retry")
            case "interrupted" if p > 0.7 or not asking(loaded):
                self._resume(loaded, "reask")
            case "interrupted":
                self._answer(loaded)
            case "idle" if number_of(loaded.header.cp) < len(PLAN) or p > 0.5:
                self._go_on(loaded)

    # --- starts ----------------------------------------------------------------------------------

    def _go_on(self, loaded: Loaded) -> None:
        """Start a run from the head as it is; an open superstep is dropped."""
        assert loaded.checkpoint is not None
        cp = loaded.header.cp
        self.start(cp, Known.read(loaded.checkpoint))

    def start(
        self,
        expect: str,
        known: Known,
        checkpoints: tuple[CheckpointEntry, ...] = (),
        *,
        seen: str = "",
    ) -> None:
        """Start a run at the last of `checkpoints`; with `seen` somebody else may be faster."""
        world, written = self._world, self._world.draw.records()
        cp = checkpoints[-1].id if checkpoints else expect
        run = known.run if checkpoints and known.run else world.draw.nonce()
        planned = opening(world.draw, cp, known, checkpoints, written)
        graph, marks = world.draw.one(GRAPHS), tuple(world.draw.some(MARKS))
        about = json.dumps(dict.fromkeys(marks, run)).encode() if world.draw.chance(0.5) else b""
        world.stage(planned)
        for checkpoint in checkpoints:
            world.stage_packets(checkpoint.packets)
        command = commands.start(
            world.thread, run, planned.entry, expect=expect, seen=seen,
            graph=graph, fp="1", queue=QUEUE, about=about, marks=marks,
        )  # fmt: skip
        reply = world.call(command)
        if seen and reply.status in {"busy", "conflict"}:
            return
        assert reply.status in ("go", "stop", "end", "dup"), reply
        world.accepted.add(run, reply.run, command, cp, written)
        world.accepted.stand(graph, marks if about else None, about)
        if not checkpoints:
            world.accepted.logs.pop(cp, None)
        world.publish(planned)

    # --- open supersteps -------------------------------------------------------------------------

    def _answer(self, loaded: Loaded) -> None:
        """Answer some of what is asked; or a question of an earlier time."""
        world = self._world
        if (asked := asking(loaded)) and world.draw.chance(0.7):
            tasks = sorted(asked, key=lambda each: each.tid)
            # Of one task in their order: its node takes them as they come.
            chosen = [
                (each.tid, iid)
                for each in world.draw.some(tasks)
                for iid, _ in each.questions[: 1 + world.draw.below(len(each.questions))]
            ]
        else:
            waiting = {iid for each in asked for iid, _ in each.questions}
            over = sorted((tid, iid) for tid, iid in self._asked if iid not in waiting)
            if not over or world.draw.chance(0.7):
                return
            chosen = [world.draw.one(over)]
        pairs = (AnswerEntry("", tid, iid, f"answer to {iid}".encode()) for tid, iid in chosen)
        self._resume(loaded, "resume", tuple(pairs))

    def _resume(
        self, loaded: Loaded, mode: AnswerMode, pairs: tuple[AnswerEntry, ...] = ()
    ) -> None:
        world, run = self._world, self._world.draw.nonce()
        written = world.draw.records() if mode == "resume" else ()
        if answers.is_wide(pairs):
            self._job = give(world, pairs, written)
            return
        command = commands.answer(
            world.thread, run, mode, pairs, rnd=world.draw.nonce(), caller_writes=written,
            ep="" if mode == "resume" else loaded.header.ep,
        )  # fmt: skip
        reply = world.call(command)
        if reply.status in ("go", "joined", "dup"):
            world.accepted.add(run, reply.run, command, loaded.header.cp, written)
            world.accepted.answer(reply.ep, pairs)
        if reply.status in ("go", "joined") and not reply.moves:
            check_released(world)
        if reply.moves or reply.status == "moving":
            self._job = move(world, standing(world) if reply.moves else UNKNOWN)
        world.send(*reply.hints)
        if reply.advance:
            world.send(OutboxEntry("", reply.ep, "@", QUEUE, 0))

    def _adopt(self, loaded: Loaded) -> None:
        """Take the thread over to its graph as it is; what runs begins again."""
        world, ep = self._world, self._world.draw.nonce()
        command = commands.adopt(
            world.thread, ep=loaded.header.ep, new_ep=ep, fp="1", queue=QUEUE, restart=True
        )
        reply = world.call(command)
        assert reply.status == "ok", reply
        world.accepted.go_on(loaded.header.ep, ep)
        if reply.advance:
            world.send(OutboxEntry("", ep, "@", QUEUE, 0))
        if reply.busy:
            world.send_outbox("", ep)

    def _update(self, loaded: Loaded) -> None:
        """Change the state by hand; a later step goes on from there."""
        world = self._world
        assert loaded.checkpoint is not None
        cp, before = loaded.header.cp, Known.read(loaded.checkpoint)
        new, after = updated(world.draw, cp, before, loaded.channels)
        reply = self.update(new, after, expect=cp, seen=loaded.header.ep)
        assert reply.status == "ok", reply

    def update(self, cp: str, known: Known, *, expect: str, seen: str) -> Changed:
        world = self._world
        command = commands.update(
            world.thread, (known.entry(cp),),
            expect=expect, seen=seen, ep=world.draw.nonce(), waiting=world.draw.chance(0.5),
        )  # fmt: skip
        return world.call(command)
