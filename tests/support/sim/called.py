"""Graphs that tasks call: lines of checkpoints that go on from what is stored.

Most have a frame for each task and the checkpoint around it. One frame lasts: all tasks that call
its graph share it, and each of them goes on where another has ended or was left behind. Of the
tasks of one superstep the first has it alone.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import checkpoint_field
from checkpoint_redis.readings import Loaded
from checkpoint_redis.records import CheckpointEntry, InnerEntry
from checkpoint_redis.replies import ClaimedTask
from tests.support.sim.plan import CALLED, lasts, number_of, questions_of
from tests.support.sim.world import MANY, World

RESULTS = 2
"""So many results has each superstep."""
LASTING = FrameName("lasting")
TAKEN = "taken"
"""How the call of a task ends whose superstep has another one with the frame."""


@dataclass(frozen=True, slots=True)
class Inner:
    """What a checkpoint of a called graph tells: what it follows, and for whom it was made."""

    before: str
    around: str
    task: str

    @classmethod
    def read(cls, blob: bytes | None) -> Inner:
        return cls(**json.loads(blob)) if blob else cls("", "", "")

    def entry(self, cp: str) -> CheckpointEntry:
        blob = json.dumps({"before": self.before, "around": self.around, "task": self.task})
        return CheckpointEntry(cp, blob.encode(), 0, ("c@1",), {"c@1": blob.encode()})


class Call:
    """What one attempt does in the graphs that its tasks call; `cp` is where these run from."""

    def __init__(self, world: World, ep: str, tok: str, owner: str, cp: str) -> None:
        self._world, self._ep, self._tok, self._owner, self._cp = world, ep, tok, owner, cp

    def carry(self, task: ClaimedTask) -> Generator[str, None, str]:
        """Go on to the end, or to a question without an answer; '': it was given up.

        Else how it ended: with which checkpoint, or TAKEN.
        """
        world, name = self._world, name_of(task.tid, self._cp)
        asks = len(task.answers) < questions_of(task.tid)
        loaded = world.ledger.load(world.thread, name.hash)
        seen, head, left = _where(loaded)
        last = Inner.read(loaded.checkpoint if loaded else None)
        if last.around != self._cp or last.task != task.tid:
            if last.around == self._cp:
                return TAKEN
            yield "inside"
            begun = self._checkpoint(task.tid, head, 0)
            seen = self._keep(task.tid, InnerEntry(name, seen, head, (), (begun,)))
            head, left = begun.id, RESULTS
        while seen and number_of(head) < CALLED - asks:
            yield "inside"
            new = self._checkpoint(task.tid, head, number_of(head) + 1)
            for records, checkpoints in self._superstep(left, new):
                entry = InnerEntry(name, seen, head, records, checkpoints)
                seen = seen and self._keep(task.tid, entry)
            head, left = new.id, RESULTS
        if seen and asks and number_of(head) == CALLED - 1:
            question = b"question " + self._record()
            seen = self._keep(task.tid, InnerEntry(name, seen, head, (question,)))
        return head if seen else ""

    def _checkpoint(self, tid: str, before: str, number: int) -> CheckpointEntry:
        draw = self._world.draw
        return Inner(before, self._cp, tid).entry(f"{draw.stamp()}.{number}.{draw.nonce()}")

    def _superstep(
        self, left: int, checkpoint: CheckpointEntry
    ) -> Iterator[tuple[tuple[bytes, ...], tuple[CheckpointEntry, ...]]]:
        """Yield what is stored of a superstep: its results with the next checkpoint, or before."""
        records = tuple(self._record() for _ in range(left))
        if records and self._world.draw.chance(0.5):
            yield records[:1], ()
            records = records[1:]
        yield records, (checkpoint,)

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
    return LASTING if lasts(tid) else FrameName(f"calls:{tid}/{cp}")


def _where(loaded: Loaded | None) -> tuple[str, str, int]:
    """Return a frame's epoch, its head, and how many results are missing there."""
    if loaded is None or not loaded.header.cp:
        return "", "", RESULTS
    return loaded.header.ep, loaded.header.cp, RESULTS - len(results(loaded))


def results(loaded: Loaded) -> list[bytes]:
    return [record for record in loaded.log if not record.startswith(b"question")]


def check_called(world: World, tid: str, cp: str, ended: str) -> None:
    """The graph that a task called has come to its end, in one line of supersteps."""
    if world.accepted.torn:
        return  # a removal forgets a frame first, and then its checkpoints
    name = name_of(tid, cp)
    line = _line(world, name)
    if ended == TAKEN:
        assert lasts(tid), f"{tid} has a frame of its own, and found that of another"
    elif not _is_removed(world, name, ended):
        assert ended in line, f"{tid} came to {ended}, which is not in {line}"
        assert (number_of(ended), line[ended].around, line[ended].task) == (CALLED, cp, tid), line


def check_shared(ended: dict[str, str]) -> None:
    """Of the tasks of a superstep that share a frame one had it."""
    shared = {tid: how for tid, how in ended.items() if lasts(tid)}
    had = [tid for tid, how in shared.items() if how != TAKEN]
    assert len(had) == min(1, len(shared)), f"{had} had the frame of {list(shared)}"


def _line(world: World, name: FrameName) -> dict[str, Inner]:
    """Return the checkpoints of a called graph, which are one line with each result once."""
    line: dict[str, Inner] = {}
    after, cp = "", frame_of(world, name).header.cp
    while cp and not _is_removed(world, name, cp):
        found = frame_of(world, name, cp)
        assert found.checkpoint is not None, f"{name.name} at {cp} is not stored"
        line[cp] = Inner.read(found.checkpoint)
        _check_results(name, cp, after, found)
        after, cp = cp, line[cp].before
    fields = world.client.hkeys(world.thread.checkpoints)
    stored = [f for f in fields if f.startswith(checkpoint_field(name.hash, "").encode())]
    assert len(line) == len(stored), f"{name.name}: {line}, but stored are {stored}"
    return line


def _check_results(name: FrameName, cp: str, after: str, found: Loaded) -> None:
    """All results of a superstep are there when another one of the same call follows."""
    goes_on = bool(after) and number_of(after) > 0
    assert not goes_on or number_of(after) == number_of(cp) + 1, f"{name.name}: {cp}, then {after}"
    most = RESULTS if number_of(cp) < CALLED else 0
    allowed = (most,) if goes_on else range(most + 1)
    assert len(results(found)) in allowed, f"{name.name} at {cp}: {found.log}"


def _is_removed(world: World, name: FrameName, cp: str) -> bool:
    return checkpoint_field(name.hash, cp) in world.accepted.removed


def check_nothing_open(world: World) -> None:
    """What graphs had open went with the supersteps of the tasks that called them."""
    for name in world.ledger.call(commands.frames(world.thread)).values():
        assert frame_of(world, FrameName(name)).log == (), f"{name} is open"


def frame_of(world: World, name: FrameName, cp: str = "") -> Loaded:
    loaded = world.ledger.load(world.thread, name.hash, cp)
    assert loaded is not None
    return loaded
