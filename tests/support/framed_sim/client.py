"""A client of a thread with graphs inside graphs: it begins, answers, retries, cancels, adopts."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis import commands, loading
from checkpoint_redis.layout import QuestionId
from checkpoint_redis.readings import Loaded
from checkpoint_redis.records import AnswerEntry
from checkpoint_redis.replies import OutboxEntry
from distgraph.effects import carry
from tests.support.framed_sim.program import QUEUE, Graph, Known, Plan, new_id, number_of
from tests.support.sim.world import World

UPDATES = 0.15


class Client:
    def __init__(self, world: World, plans: tuple[Plan, ...]) -> None:
        self._world, self._graph = world, Graph(plans)

    def begin(self) -> None:
        """Cancel what there is, and begin again."""
        world = self._world
        world.call(commands.cancel(world.thread, "", ep=world.draw.nonce()))
        self._start(new_id(world.draw, 0), anew=True)

    def _start(self, cp: str, *, anew: bool) -> None:
        world = self._world
        checkpoints = (Known().entry(cp),) if anew else ()
        step, staged = self._graph.opening(world.draw, cp, checkpoints)
        if staged:
            assert world.call(commands.stage(world.thread, step.ep, staged))
        reply = world.call(
            commands.start(
                world.thread, world.draw.nonce(), step,
                expect=world.head(), graph="graph", fp="1", queue=QUEUE,
            )
        )  # fmt: skip
        assert reply.status in ("go", "end", "dup"), reply
        if staged:
            world.send_outbox("", step.ep)
        else:
            world.send(*(OutboxEntry("", step.ep, task.id, QUEUE, 0) for task in step.tasks))
        world.call(commands.published(world.thread, "", step.ep))

    def step(self) -> None:
        world = self._world
        loaded = world.load()
        if loaded is None:
            self.begin()
            return
        p = world.draw.number() if world.draw.chaos else 0.0
        match loaded.header.st:
            case _ if p > 0.97:
                self._adopt(loaded)
            case "error" | "interrupted" | "idle" if self._world.draw.chance(UPDATES):
                self._update()
            case "busy":
                self._answer(loaded)
            case "error" | "interrupted" if p > 0.9 or not loaded.tasks:
                self._start(loaded.header.cp, anew=False)
            case "error":
                self._resume(loaded, "retry")
            case "interrupted" if p > 0.85 or not _asked(loaded):
                self._resume(loaded, "reask")
            case "interrupted":
                self._answer(loaded)
            case "idle" if not self._graph.is_over(loaded.header.cp):
                self._start(loaded.header.cp, anew=False)

    def _answer(self, loaded: Loaded) -> None:
        if asked := _asked(loaded):
            chosen = self._world.draw.some(asked)
            pairs = tuple(AnswerEntry("", t, i, f"{i} yes".encode()) for t, i in chosen)
            self._resume(loaded, "resume", pairs)

    def _resume(self, loaded: Loaded, mode: str, pairs: tuple[AnswerEntry, ...] = ()) -> None:
        world = self._world
        reply = world.call(
            commands.answer(
                world.thread, world.draw.nonce(), mode, pairs,  # type: ignore[arg-type]
                rnd=world.draw.nonce(), ep="" if mode == "resume" else loaded.header.ep,
            )
        )  # fmt: skip
        world.send(*reply.hints)
        if reply.advance:
            world.send(OutboxEntry("", reply.ep, "@", QUEUE, 0))

    def _update(self) -> None:
        """Put a checkpoint on the root or on a graph inside a task, as an update at rest does.

        It tells the same as the head, so that the line stays what it has to be.
        """
        world, thread = self._world, self._world.thread
        frames = world.ledger.call(commands.frames(thread)).values()
        graphs = (replace(self._graph, name=name) for name in ("", *sorted(frames)))
        graph = world.draw.one([each for each in graphs if not each.is_calls])
        loaded = carry(loading.load(thread, graph.frame.hash), world.ledger.call)
        if loaded is None or loaded.checkpoint is None:
            return
        new = new_id(world.draw, number_of(loaded.header.cp))
        entry = replace(Known.read(loaded.checkpoint), put=True).entry(new)
        put = commands.put(thread, graph.frame, entry, ep=world.draw.nonce())
        changed = world.call(put)
        assert changed.status == "ok", changed

    def _adopt(self, loaded: Loaded) -> None:
        """Take the thread over to its graph as it is; what runs begins again."""
        world, ep = self._world, self._world.draw.nonce()
        command = commands.adopt(
            world.thread, ep=loaded.header.ep, new_ep=ep, fp="1", queue=QUEUE, restart=True
        )
        reply = world.call(command)
        assert reply.status == "ok", reply
        if reply.advance:
            world.send(OutboxEntry("", ep, "@", QUEUE, 0))
        if reply.busy:
            world.send_outbox("", ep)


def _asked(loaded: Loaded) -> list[tuple[str, str]]:
    """Return the questions that wait for an answer, with the tasks that ask them."""
    found = [(each.tid, iid) for each in loaded.questions for iid, _ in each.questions]
    return sorted(pair for pair in found if pair[1] != QuestionId.stopped)
