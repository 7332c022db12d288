"""What an attempt calls, functions and graphs, as it stands in the frame of its task's calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import TaskState
from checkpoint_redis.readings import OpenTask
from checkpoint_redis.records import STAGE_ABOVE, AgainEntry, KeepEntry, TaskEntry
from distgraph.core.failures import exception_of
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph
from distgraph.core.model import Completed, Errored, Interrupted, Result, Task
from distgraph.core.recorded import during

from ..shared.innercall import Caller, decode_call, encode_caller
from ..shared.wire import Wire
from .called import Called
from .opened import FIRST, Opened

AT_ONCE = STAGE_ABOVE
"""So many calls run again after one park: a script must stay short."""


@dataclass(frozen=True, slots=True)
class CallsWish:
    """What an attempt leaves to others: calls that ``begin``, and those that run ``again``.

    ``seen``: the epoch of the frame as the attempt knows it; ``is_open``: calls stand in it.
    """

    frame: FrameName
    seen: str
    is_open: bool
    begin: tuple[TaskEntry, ...]
    again: tuple[AgainEntry, ...]
    call: bytes


@dataclass(slots=True)
class MadeCalls:
    """The calls that one attempt makes, and what is stored of them; read with the first of them.

    ``has_risen``: all that were begun before have ended, and are taken as they ended. ``made``:
    those that others are to run, by their ids, with what is queued of those that are new.
    """

    opened: Opened
    frame: TaskFrame
    called: Called
    has_risen: bool
    made: dict[str, TaskEntry | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_read: bool = False
    _epoch: str = ""
    _tasks: Mapping[str, OpenTask] = field(default_factory=dict)
    _left: dict[str, bytes] = field(default_factory=dict)
    _asked: Mapping[str, Interrupted] = field(default_factory=dict)
    _failed: list[Errored] = field(default_factory=list)
    _is_open: bool = False
    _shown: int = 0
    _emitted: int = 0
    _taken: int | None = None
    _numbers: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> FrameName:
        """The frame of the calls."""
        head = self.opened.head
        return FrameName(f"{self.frame.own_ns}|{FIRST}", head.graph, head.fp)

    @property
    def wire(self) -> Wire:
        """What encodes for the calls: graphs have classes of their own."""
        return self.opened.desk.office.registry.wide(self.opened.served).wire

    def read(self) -> None:
        """Read what is stored of the calls, once."""
        with self._lock:
            if not self._is_read:
                self._read()
                self._is_read = True

    def _read(self) -> None:
        desk, wire = self.opened.desk, self.wire
        loaded = desk.read_calls(self.name, self.called.stood(self.name))
        if loaded is None:
            return
        self._epoch, self._is_open = loaded.header.ep, bool(loaded.tasks)
        self._tasks = {task.tid: task for task in loaded.tasks}
        self._left = dict(loaded.writes)
        asked = (
            (each.tid, wire.read_asked(each.blob, each.questions)) for each in loaded.questions
        )
        self._asked = {tid: left for tid, left in asked if isinstance(left, Interrupted)}
        self.called.collects_calls = self._is_open
        if self.has_risen and loaded.header.frame is not None:
            call = decode_call(loaded.header.frame.call, self.opened.config, wire.serializer)
            if call.caller is not None:
                self._shown, self._taken = call.caller.shown, call.caller.taken

    def left(self, task: Task) -> Result | None:
        """Return how a call has ended, None where it has to run, or runs, or asks."""
        self.read()
        wire = self.wire
        if task.id in self._left:
            result = wire.read_result(self._left[task.id])
            if isinstance(result, Completed):
                self.called.drained(result.drains)
            return result
        stands = self._tasks.get(task.id)
        if stands is None or stands.st != TaskState.failed or not self._is_taken(task.index):
            return None
        error = wire.read_error(stands.error or b"")
        # Its own handlers are over; those of its caller are not.
        error = replace(error, exception=exception_of(error), is_settled=False)
        self._failed.append(error)
        return error

    def _is_taken(self, number: int) -> bool:
        """Whether a call was begun since the body began anew, so that its failure is one of now."""
        return self.has_risen and (self._taken is None or number < self._taken)

    def note(self, task: Task, graph: Graph) -> None:
        """Take note of a call for others; SerializationError for what it cannot be given."""
        self.read()
        known, wire = task.id in self._tasks, self.wire
        entry = None if known else wire.task(task, graph.nodes[task.node], graph.name)
        self.made[task.id], self._numbers[task.id] = entry, task.index

    def keep(self, task: Task, result: Completed) -> None:
        """Keep what a call has returned that ran in this process; GivenUp where the attempt was.

        SerializationError for what cannot be stored.
        """
        blob = self.wire.result(task, result)
        self.read()
        with self._lock:
            entry = KeepEntry(self.name, self._epoch, ((task.id, blob),))
            epoch = self.opened.desk.keep_calls(self.frame.task.id, entry, is_open=self._is_open)
            if epoch is None:
                self.called.give_up()
            self._epoch, self._is_open = epoch, True

    def shows(self) -> bool:
        """Count a chunk of the body; tell whether it was not shown before the body waited."""
        if self.has_risen:
            self.read()
        with self._lock:
            self._emitted += 1
            return self._emitted > self._shown

    # --- how an attempt ends ----------------------------------------------------------------------

    def leave(self) -> CallsWish | Interrupted | None:
        """Return what is left to others, or what calls ask; None where all of them have ended."""
        begin, again = list[TaskEntry](), list[AgainEntry]()
        outstanding = asks = False
        for tid, entry in self.made.items():
            match self._tasks.get(tid):
                case None if entry is not None:
                    begin.append(entry)
                case OpenTask(st=TaskState.interrupted):
                    given = self._given(tid)
                    goes_on = bool(given) or self._was_stopped(tid)
                    again += [AgainEntry(tid, given)] if goes_on else []
                    asks = asks or not goes_on
                case (
                    OpenTask(st=TaskState.failed | TaskState.backing_off | TaskState.parked) as task
                ):
                    again += [] if self._is_taken(self._numbers[tid]) else [AgainEntry(tid)]
                    outstanding = outstanding or task.st != TaskState.failed
                case OpenTask(st=TaskState.queued | TaskState.running):
                    outstanding = True
                case _:
                    pass
        if begin or again or outstanding:
            return self._wish(begin, again)
        return self._questions() if asks else None

    def _given(self, tid: str) -> tuple[bytes, ...]:
        """Return the answers that there are by now to what a call asks."""
        asked = self._asked.get(tid, Interrupted(()))
        ids = {question.interrupt.id for question in asked.questions}
        answers = (answer for answer in self.frame.answers if answer.id in ids)
        return tuple(map(self.wire.answer, answers))

    def _was_stopped(self, tid: str) -> bool:
        """Whether a call is of a graph that has come to a breakpoint before the body began anew."""
        stops = not self._asked.get(tid, Interrupted(())).questions
        return stops and not self._is_taken(self._numbers[tid])

    def _questions(self) -> Interrupted:
        """Return what all calls ask: in the order in which they were made, as far as they were."""
        order = {tid: n for n, tid in enumerate(self.made)}
        asked = sorted(self._asked, key=lambda tid: order.get(tid, len(order)))
        return Interrupted(tuple(q for tid in asked for q in self._asked[tid].questions))

    def _wish(self, begin: Sequence[TaskEntry], again: Sequence[AgainEntry]) -> CallsWish:
        """Return what is left to others: of many that come on top the first, for one script."""
        opened, frame = self.opened, self.frame
        checkpoint, shown = frame.checkpoint, max(self._shown, self._emitted)
        again, taken = self._some([*again, *self._not_reached()])
        if taken < frame.called:
            begin = ()
        caller = Caller(frame.task, frame.ns, checkpoint.id, checkpoint.step, shown, taken)
        call = encode_caller(opened.config, checkpoint.parents, caller, self.wire.serializer)
        first = tuple(begin[:STAGE_ABOVE] if self._is_open else begin)
        return CallsWish(self.name, self._epoch, self._is_open, first, tuple(again), call)

    def _not_reached(self) -> Iterator[AgainEntry]:
        """Yield calls of an earlier round, which the body has not come to again, that wait.

        What is open inside of one that is parked may be void: nothing else has it go on.
        """
        for tid in self._tasks:
            if tid not in self.made and self._is_active(tid):
                yield AgainEntry(tid)

    def _some(self, again: Sequence[AgainEntry]) -> tuple[list[AgainEntry], int]:
        """Return those that run again first, and up to which number that are all.

        What is parked, or waits to be tried again, is active: nothing but that has it go on.
        """
        last = len(self._numbers)
        ordered = sorted(again, key=lambda each: self._numbers.get(each.tid, last))
        later = [each for each in ordered[AT_ONCE:] if not self._is_active(each.tid)]
        if not later:
            return ordered, self.frame.called
        names = {each.tid for each in later}
        first = [each for each in ordered if each.tid not in names]
        return first, self._numbers[later[0].tid]

    def _is_active(self, tid: str) -> bool:
        return self._tasks[tid].st in (TaskState.parked, TaskState.backing_off)

    def as_recorded(self, result: Result) -> Result:
        """Return the failure of a task as it was recorded where a call of it has failed."""
        if not isinstance(result, Errored) or result.exception is None:
            return result
        known: Iterator[Errored] = (f for f in self._failed if f.exception is result.exception)
        failed = next(known, None)
        if failed is None:
            return result
        return replace(failed, notes=(*failed.notes, during(self.frame.task)))
