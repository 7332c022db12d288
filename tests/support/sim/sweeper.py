"""Who looks at what is due, and answers questions in place of those who did not."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.layout import DueKind
from checkpoint_redis.records import AnswerEntry
from tests.support.sim.breakpoints import check_released
from tests.support.sim.world import World


class Sweeper:
    """What it finds it answers when it comes again: others were there in between.

    Now and then it never does, or another one has found the same.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._found: list[tuple[AnswerEntry, ...]] = []

    def step(self) -> None:
        found, self._found = self._found, []
        for pairs in found:
            if not self._world.draw.fault(0.2):
                self._give(pairs)
        for due in self._world.sweep():
            if due.kind is DueKind.deadline:
                self._read(due.tid)

    def _read(self, tid: str) -> None:
        late = self._world.call(commands.late(self._world.thread, tid))
        if late:
            pairs = tuple(AnswerEntry("", tid, iid, blob) for iid, blob in late)
            self._found += [pairs] * (1 + self._world.draw.fault(0.2))

    def _give(self, pairs: tuple[AnswerEntry, ...]) -> None:
        world, run = self._world, self._world.draw.nonce()
        command = commands.answer(
            world.thread, run, "resume", pairs, rnd=world.draw.nonce(), late=True
        )
        reply = world.call(command)
        if reply.status in ("go", "joined", "dup"):
            world.accepted.add(run, reply.run, command, world.head(), ())
            world.accepted.answer(reply.ep, pairs)
        if reply.status in ("go", "joined") and not reply.moves:
            check_released(world)
        world.send(*reply.hints)
