"""A graph that a task calls: a line of checkpoints that goes on from what is stored."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import replace

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import checkpoint_field
from checkpoint_redis.records import CheckpointEntry, InnerEntry
from checkpoint_redis.replies import ClaimedTask, Loaded
from tests.support.sim.plan import CALLED, kind_of, number_of, questions_of
from tests.support.sim.world import MANY, World

START = "called.0."
RESULTS = 2
"""So many results has each superstep."""


class Call:
    """What one attempt does in the graphs that its tasks call; `cp` is where these run from."""

    def __init__(self, world: World, ep: str, tok: str, owner: str, cp: str) -> None:
        self._world, self._ep, self._tok, self._owner, self._cp = world, ep, tok, owner, cp

    def carry(self, task: ClaimedTask) -> Generator[str, None, bool]:
        """Go on to the end, or to a question without an answer; False: it was given up."""
        world, name = self._world, name_of(task.tid, self._cp)
        asks = len(task.answers) < questions_of(task.tid)
        seen, head, left = _where(world.ledger.load(world.thread, name.hash))
        while number_of(head) < CALLED - asks:
            yield "inside"
            cp = f"called.{number_of(head) + 1}.{world.draw.nonce()}"
            for entry in self._superstep(name, head, left, cp):
                seen = self._keep(task.tid, replace(entry, seen=seen))
                if not seen:
                    return False
            head, left = cp, RESULTS
        if asks and number_of(head) == CALLED - 1:
            question = b"question " + self._record()
            seen = self._keep(task.tid, InnerEntry(name, seen, head, (question,)))
        return seen != ""

    def _superstep(self, name: FrameName, head: str, left: int, cp: str) -> Iterator[InnerEntry]:
        """Yield what is stored of a superstep: its results with the next checkpoint, or before."""
        blob = json.dumps({"before": head, "around": self._cp}).encode()
        checkpoint = CheckpointEntry(cp, blob, 0, ("c@1",), {"c@1": blob})
        records = tuple(self._record() for _ in range(left if number_of(head) else 0))
        if records and self._world.draw.chance(0.5):
            yield InnerEntry(name, "", head, records[:1])
            records = records[1:]
        yield InnerEntry(name, "", head, records, (checkpoint,))

    def _record(self) -> bytes:
        return f"left {self._world.draw.nonce()}".encode()

    def _keep(self, tid: str, entry: InnerEntry) -> str:
        """Return the new epoch, '' when the attempt was given up."""
        world, epoch = self._world, self._world.draw.nonce()
        command = commands.inner(world.thread, self._ep, tid, entry, tok=self._tok, new_ep=epoch)
        kept = world.call(command)
        if kept == "conflict":
            released = world.call(
                commands.release(
                    world.thread, "", self._ep, (tid,),
                    owner=self._owner, max_lost=MANY, given_back=True,
                )
            )  # fmt: skip
            world.send(*released.hints)
        return epoch if kept == "ok" else ""


def name_of(tid: str, cp: str) -> FrameName:
    """Return the frame of the graph that the task `tid` calls in the superstep from `cp`."""
    return FrameName(f"{kind_of(tid)}:{tid}/{cp}")


def _where(loaded: Loaded | None) -> tuple[str, str, int]:
    """Return a frame's epoch, its head, and how many results are missing there."""
    if loaded is None or not loaded.header.cp:
        return "", START, RESULTS
    return loaded.header.ep, loaded.header.cp, RESULTS - len(results(loaded))


def results(loaded: Loaded) -> list[bytes]:
    return [record for record in loaded.log if not record.startswith(b"question")]


def check_called(world: World, name: FrameName) -> None:
    """A called graph has left one line of supersteps, with each result once."""
    head, line = frame_of(world, name).header.cp, []
    while head != START:
        line.append(head)
        found = frame_of(world, name, head)
        if checkpoint_field(name.hash, head) in world.accepted.removed:
            line.pop()
            break
        left = RESULTS if number_of(head) < CALLED else 0
        assert len(results(found)) == left, f"{name.name} at {head}: {found.log}"
        assert found.checkpoint is not None, f"{name.name} at {head} is not stored"
        head = json.loads(found.checkpoint)["before"]
    fields = world.client.hkeys(world.thread.checkpoints)
    stored = [f for f in fields if f.startswith(checkpoint_field(name.hash, "").encode())]
    whole = head != START or len(line) == CALLED
    assert whole, f"{name.name}: {line}, and nothing of it was removed"
    assert len(line) == len(stored), f"{name.name}: {line}, but stored are {stored}"


def check_nothing_open(world: World) -> None:
    """What graphs had open went with the supersteps of the tasks that called them."""
    for name in world.ledger.call(commands.frames(world.thread)).values():
        assert frame_of(world, FrameName(name)).log == (), f"{name} is open"


def frame_of(world: World, name: FrameName, cp: str = "") -> Loaded:
    loaded = world.ledger.load(world.thread, name.hash, cp)
    assert loaded is not None
    return loaded
