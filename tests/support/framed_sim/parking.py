"""What an attempt stores of a task that others go on with: of the graph in it, or of its calls."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Protocol

from checkpoint_redis import commands, loading
from checkpoint_redis.readings import Context, Loaded
from checkpoint_redis.records import KeepEntry, ParkEntry
from checkpoint_redis.replies import ClaimedTask, Kept, Parked
from distgraph.effects import carry
from tests.support.framed_sim.program import Graph
from tests.support.sim.world import World

LEASE_MS = 25_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task is: the graph, its frame, the superstep, and the attempt's token."""

    graph: Graph
    ns: str
    ep: str
    tok: str
    context: Context


class Releases(Protocol):
    """Has another attempt made at a task that it holds."""

    def release(self, ns: str, ep: str, tid: str) -> None: ...


class Parking:
    """The commands of one attempt at a task; where it is not as it was seen another one follows."""

    def __init__(self, owner: Releases, world: World, place: Place) -> None:
        self._owner, self._world, self._place = owner, world, place

    def loaded(self, ns: str) -> Loaded:
        loaded = carry(loading.load(self._world.thread, ns), self._world.ledger.call)
        assert loaded is not None
        return loaded

    def keep(self, task: ClaimedTask, entry: KeepEntry, new_ep: str) -> Kept:
        world, place = self._world, self._place
        kept = world.call(
            commands.keep(
                world.thread, place.ns, place.ep, task.tid, entry, tok=place.tok, new_ep=new_ep
            )
        )
        return self._known(task, kept)

    def park(self, task: ClaimedTask, entry: ParkEntry) -> Generator[str, None, Parked]:
        """Park the task; some of those that run again are queued before, as of many."""
        world, place = self._world, self._place
        at = world.thread, place.ns, place.ep, task.tid
        while entry.again and world.draw.chance(0.3):
            some = replace(entry, again=entry.again[:1])
            queued = self._known(task, world.call(commands.rejoin_some(*at, some, tok=place.tok)))
            if queued != "ok":
                return Parked(queued)
            entry = replace(entry, again=entry.again[1:])
            yield "rejoining"
        parked = world.call(commands.park(*at, tok=place.tok, entry=entry, lease_ms=LEASE_MS))
        if parked.status in ("conflict", "unstaged"):
            self._owner.release(place.ns, place.ep, task.tid)
        world.send(*parked.hints)
        return parked

    def _known(self, task: ClaimedTask, kept: Kept) -> Kept:
        if kept == "conflict":
            self._owner.release(self._place.ns, self._place.ep, task.tid)
        return kept


def by_question(task: ClaimedTask) -> dict[str, bytes]:
    """Return the answers that a task has, by the ids of questions."""
    return {blob.decode().partition(" ")[0]: blob for blob in task.answers}
