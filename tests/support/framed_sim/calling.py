"""What an attempt at a task that calls functions does, and makes of how its calls stand."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field

from checkpoint_redis import commands
from checkpoint_redis.layout import QuestionId, TaskState
from checkpoint_redis.readings import Loaded, OpenTask
from checkpoint_redis.records import (
    AgainEntry,
    CallsEntry,
    InnerEntry,
    KeepEntry,
    ParkEntry,
    TaskEntry,
)
from checkpoint_redis.replies import ClaimedTask, OutboxEntry
from tests.support.framed_sim.parking import Parking, by_question
from tests.support.framed_sim.program import QUEUE, Calls, Graph, call_ids
from tests.support.sim.world import World

FAILED = "failed"
"""What a body has of a call whose failure it catches."""
AT_WORK = {TaskState.queued, TaskState.running, TaskState.backing_off, TaskState.parked}


@dataclass(frozen=True, slots=True)
class Waits:
    """The body waits for calls: these begin, those run again, and others may be at work."""

    begin: tuple[str, ...]
    again: tuple[AgainEntry, ...]
    made: int


@dataclass(frozen=True, slots=True)
class AsksOf:
    """The body waits for answers to what its calls ask."""

    iids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Raises:
    """A call has failed, and so does the body."""


@dataclass(frozen=True, slots=True)
class Returns:
    """The body ends with what its calls left."""

    left: Mapping[str, str]


@dataclass(slots=True)
class Body:
    """A body over its calls as they are stored.

    ``taken``: so many of them were begun since it began anew, so that their failures are of now;
    ``given``: the answers that its task has, by the ids of questions.
    """

    loaded: Loaded | None
    taken: int
    given: Mapping[str, bytes]
    kept: dict[str, bytes] = field(default_factory=dict)

    def run(self, tid: str, calls: Calls) -> Waits | AsksOf | Raises | Returns:
        made, left = 0, dict[str, str]()
        begun: list[str] = []
        for wave in call_ids(tid, calls):
            begun += wave
            made += len(wave)
            for each in wave:
                if self._has_failed(each):
                    if not calls.catches:
                        return Raises()
                    left[each] = FAILED
                elif each in self._left:
                    left[each] = self._left[each].decode()
            if len(left) < made:
                return self._leave(begun)
        return Returns(left)

    @property
    def _left(self) -> Mapping[str, bytes]:
        return {**(self.loaded.writes if self.loaded else {}), **self.kept}

    @property
    def _tasks(self) -> Mapping[str, OpenTask]:
        return {task.tid: task for task in self.loaded.tasks} if self.loaded else {}

    def _has_failed(self, tid: str) -> bool:
        task = self._tasks.get(tid)
        return task is not None and task.st == TaskState.failed and _number(tid) < self.taken

    def _leave(self, begun: list[str]) -> Waits | AsksOf:
        begin, again, works = list[str](), list[AgainEntry](), False
        asked = self._asked()
        for tid in begun:
            task = self._tasks.get(tid)
            if task is None:
                begin += [] if tid in self._left else [tid]
            elif task.st == TaskState.interrupted:
                iids = asked.get(tid, ())
                answers = tuple(self.given[iid] for iid in iids if iid in self.given)
                stopped = iids == (QuestionId.stopped,) and _number(tid) >= self.taken
                again += [AgainEntry(tid, answers)] if answers or stopped else []
            elif task.st in AT_WORK | {TaskState.failed}:
                works = works or task.st in AT_WORK
                runs = task.st in (TaskState.queued, TaskState.running)
                again += [] if runs or _number(tid) < self.taken else [AgainEntry(tid)]
        if begin or again or works:
            # Those of an earlier round, which the body has not come to again.
            for tid, task in self._tasks.items():
                if tid not in begun and task.st in (TaskState.parked, TaskState.backing_off):
                    again.append(AgainEntry(tid))
            return Waits(tuple(begin), tuple(again), len(begun))
        iids = tuple(iid for tid in begun for iid in asked.get(tid, ()))
        return AsksOf(tuple(i for i in iids if i != QuestionId.stopped) or (QuestionId.stopped,))

    def _asked(self) -> Mapping[str, tuple[str, ...]]:
        found = self.loaded.questions if self.loaded else ()
        return {each.tid: tuple(iid for iid, _ in each.questions) for each in found}


class Calling:
    """An attempt at a task that calls functions: it is parked for them, or has ended."""

    def __init__(self, world: World, parking: Parking, called: Graph) -> None:
        self._world, self._parking, self._called = world, parking, called
        self._seen = ""
        self.is_open = False

    def run(
        self, task: ClaimedTask, calls: Calls
    ) -> Generator[str, None, AsksOf | Raises | Returns | None]:
        """Return how the body ends; None where it is parked, or the attempt was given up."""
        loaded = self._parking.loaded(self._called.frame.hash)
        self._seen, self.is_open = loaded.header.ep, bool(loaded.tasks)
        yield "calls"
        frame = loaded.header.frame
        rises = frame is not None and task.risen == self._called.frame.hash
        body = Body(loaded, int(frame.call) if frame and rises else 0, by_question(task))
        while True:
            ended = body.run(task.tid, calls)
            if not isinstance(ended, Waits):
                return ended
            here = [tid for tid in ended.begin if self._called.kind_of(tid) == "here"]
            if not here:
                break
            if not self._keep(task, here[0]):
                return None
            body.kept[here[0]] = b"here"
            yield "calls"
        yield from self._wait(task, ended)
        return None

    def _keep(self, task: ClaimedTask, tid: str) -> bool:
        """Call what runs in this process."""
        entry = KeepEntry(self._called.frame, self._seen, ((tid, b"here"),))
        new_ep = self._seen if self.is_open else self._world.draw.nonce()
        kept = self._parking.keep(task, entry, new_ep)
        self._seen, self.is_open = new_ep, True
        return kept == "ok"

    def _wait(self, task: ClaimedTask, waits: Waits) -> Iterator[str]:
        """Park the task for calls that begin, or run again."""
        world, ns = self._world, self._called.frame.hash
        tasks = tuple(TaskEntry(tid, b"") for tid in waits.begin)
        calls = CallsEntry(world.draw.nonce(), tasks)
        if tasks and not self.is_open and world.draw.chance(0.2):
            calls = CallsEntry(calls.ep, (), staged=True)
            assert world.call(commands.stage(world.thread, calls.ep, tasks))
        entry = ParkEntry(
            InnerEntry(self._called.frame, self._seen, ""), None, waits.again, 25,
            call=str(waits.made).encode(), calls=calls,
        )  # fmt: skip
        parked = yield from self._parking.park(task, entry)
        yield "parked"
        if parked.status == "parked" and tasks:
            if calls.staged:
                world.send_outbox(ns, parked.ep)
            else:
                world.send(*(OutboxEntry(ns, parked.ep, tid, QUEUE, 0) for tid in waits.begin))
            world.call(commands.published(world.thread, ns, parked.ep))


def _number(tid: str) -> int:
    return int(tid.partition(".")[0])
