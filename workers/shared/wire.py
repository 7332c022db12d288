"""The core's values as the blobs and entries that Redis stores, and back; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from checkpoint_redis.bundles import Bundle
from checkpoint_redis.layout import QuestionId, TaskState
from checkpoint_redis.readings import CallerWrites, Context, LeftTask, Loaded, OpenTask
from checkpoint_redis.records import (
    CheckpointEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.references import Growing, name_of, names, read_lines, read_values, refs_of
from distgraph.checkpoint import records
from distgraph.checkpoint.blame import (
    ANSWER,
    DEFAULT,
    QUESTION,
    Part,
    blamed,
    of_checkpoint,
    of_key,
    of_result,
)
from distgraph.checkpoint.failures import opened, within
from distgraph.checkpoint.lines import numbered_segment, place
from distgraph.core.deadlines import told
from distgraph.core.graph import Graph
from distgraph.core.model import (
    Answer,
    Checkpoint,
    Completed,
    Decision,
    Errored,
    Escaped,
    Expired,
    Failed,
    Finished,
    GivenBy,
    Interrupted,
    Paused,
    Question,
    Result,
    RunTasks,
    Target,
    Task,
    ThreadState,
)
from distgraph.core.resume import answer_to
from distgraph.errors import CorruptRecord, InvalidUpdateError, SerializationError
from distgraph.types import Interrupt

from .taskwire import Apart, TaskWire, unstorable

WHOLE = 0
"""Stands for the number of a segment where a value is in one piece."""
_LEAST = 1_000
"""So many characters of a failure's texts are kept where more cannot be stored."""
_STOPPED = QuestionEntry(QuestionId.stopped)
"""Stands for the questions of a task whose graph is at a breakpoint."""


class Unpacked(NamedTuple):
    """The checkpoint of a record, and what its values are put into when they are read."""

    bare: Checkpoint
    values: dict[str, Any]

    def names(self, *, beyond: bool = False) -> tuple[str, ...]:
        """Return the names of the channels that it refers to.

        ``beyond``: and of the segments that follow its lists, where another fork has some.
        """
        return names(refs_of(self.bare.versions, self.bare.lines), beyond=beyond)


@dataclass(frozen=True, slots=True)
class Wire(TaskWire):
    """Encodes for one graph: its state's classes are the ones that may be decoded.

    ``graphs``: for one that serves threads of any graph, those of the graphs that are known.
    """

    graphs: Mapping[str, Wire] = field(default_factory=dict)

    def of(self, graph: str) -> Wire:
        """Return what encodes for a thread of ``graph``, as it has turned out to be."""
        return self.graphs.get(graph, self)

    # --- checkpoints -----------------------------------------------------------------------

    def checkpoint(self, checkpoint: Checkpoint, apart: Apart) -> CheckpointEntry:
        """Return what is stored of ``checkpoint``: its record, and the channels it changed.

        ``apart`` is its frontier with the packets apart.
        """
        frontier, packets = apart
        stored = self._lists(checkpoint)
        placed = checkpoint
        if frontier is not checkpoint.frontier or stored.lines != checkpoint.lines:
            placed = replace(checkpoint, lines=stored.lines, frontier=frontier)
        whole = {
            name_of(name, checkpoint.versions[name]): self._channel(name, checkpoint.values[name])
            for name in checkpoint.changed - checkpoint.grown.keys()
        }
        return CheckpointEntry(
            id=checkpoint.id,
            blob=self._record(records.pack_checkpoint(placed), of_checkpoint(checkpoint)),
            step=checkpoint.step,
            refs=refs_of(checkpoint.versions, stored.lines),
            channels=whole | stored.blobs,
            lines=stored.lines,
            packets=packets,
        )

    def _lists(self, checkpoint: Checkpoint) -> Growing:
        """Return the lists that may grow; of those that this checkpoint left alone, where they are.

        One that was changed stands in a line no more, unless it goes on with it.
        """
        left = checkpoint.versions.keys() - checkpoint.changed
        found = Growing(lines={n: line for n, line in checkpoint.lines.items() if n in left})
        for name, extended in checkpoint.grown.items():
            ref, value = checkpoint.versions[name], checkpoint.values[name]
            before = checkpoint.lines.get(name) if extended else None
            dumps = partial(self._channel, name)
            found.add(name, ref, place(dumps, self.serializer.max_bytes, ref, value, before))
        return found

    def _channel(self, name: str, value: Any) -> bytes:
        try:
            return self.serializer.dumps(value)
        except SerializationError as error:
            raise SerializationError(f"{of_key(name)}: {error}") from error

    def _record(self, packed: Any, parts: Iterable[Part]) -> bytes:
        """Return a record; SerializationError names the part that is at fault."""
        try:
            return self.serializer.dumps(packed)
        except SerializationError as error:
            raise blamed(error, self.serializer.dumps, parts) from error

    def unpack(self, blob: bytes) -> Unpacked:
        """Read the record of a checkpoint, which its channels belong to."""
        values: dict[str, Any] = {}
        return Unpacked(records.unpack_checkpoint(self.serializer.loads(blob), values), values)

    def read_checkpoint(self, of: Unpacked, channels: Mapping[str, bytes | None]) -> Checkpoint:
        """Return the checkpoint of a record, with its channel blobs ("channel@ref" -> blob)."""
        read, values = of
        values |= read_values(
            read.versions, read.lines, channels, lambda _, stored: self.serializer.loads(stored)
        )
        for name in sorted(read.versions.keys() - values.keys()):
            msg = f"The value of state key '{name}' at {read.versions[name]} is not stored."
            raise CorruptRecord(msg)
        return replace(read, lines=read_lines(read.lines, channels)) if read.lines else read

    def read_parts(self, channels: Mapping[str, bytes | None]) -> dict[str, Any]:
        """Return the values of some channels, of which all blobs are there; without the record."""
        found: dict[str, list[tuple[int, bytes]]] = {}
        for name, blob in channels.items():
            line, number = numbered_segment(name) or (name, WHOLE)
            if blob is None:
                msg = f"The value of state key '{line.rpartition('@')[0]}' is not stored."
                raise CorruptRecord(msg)
            if blob:  # what another fork has gone on with is named, without a value
                found.setdefault(line.rpartition("@")[0], []).append((number, blob))
        return {name: self._joined(parts) for name, parts in found.items()}

    def _joined(self, parts: list[tuple[int, bytes]]) -> Any:
        read = [(number, self.serializer.loads(blob)) for number, blob in sorted(parts)]
        if read[0][0] == WHOLE:
            return read[0][1]
        return [item for _, items in read for item in items]

    # --- results ---------------------------------------------------------------------------

    def result(self, task: Task, result: Completed) -> bytes:
        """Return a completed task's record; SerializationError names the node and the key."""
        return self._left(task.node, records.pack_result(result), of_result(result))

    def _left(self, node: str, packed: Any, parts: Iterable[Part]) -> bytes:
        try:
            return self._record(packed, parts)
        except SerializationError as error:
            raise SerializationError(unstorable(node, error)) from error

    def questions(self, task: Task, result: Interrupted) -> bytes:
        """Return the record of what a task asks; SerializationError names the node."""
        asked = [(QUESTION, question.interrupt.value) for question in result.questions]
        asked += [(DEFAULT, q.deadline.default) for q in result.questions if q.deadline]
        return self._left(task.node, records.pack_result(result), asked)

    def _question(self, question: Question) -> QuestionEntry:
        iid, deadline = question.interrupt.id, question.deadline
        if deadline is None:
            return QuestionEntry(iid)
        late = answer_to(question, Expired(deadline.fails, deadline.default))
        within = -1 if deadline.within is None else deadline.within
        return QuestionEntry(iid, deadline.at or 0, within, question.place, self.answer(late))

    def error(self, error: Errored) -> bytes:
        """Return the record of a failure; what of it cannot be stored is left out."""
        with suppress(SerializationError):
            return self.serializer.dumps(records.pack_result(within(error, self.serializer.dumps)))
        message, trace = error.message[:_LEAST], error.traceback[-_LEAST:]
        return self.serializer.dumps(records.pack_result(Errored(error.kind, message, trace)))

    def read_error(self, blob: bytes) -> Errored:
        """Return the failure of a record; an error handler had it where the node ran."""
        loads = self.serializer.loads
        return replace(opened(records.unpack_errored(loads(blob)), loads), is_settled=True)

    def read_result(self, blob: bytes) -> Result:
        """Return the result of a record."""
        return records.unpack_result(self.serializer.loads(blob))

    def read_asked(self, blob: bytes, deadlines: Iterable[tuple[str, int]]) -> Result:
        """Return what a task asks, with the ``deadlines`` that are known by the questions' ids."""
        return told(self.read_result(blob), dict(deadlines))

    def answer(self, answer: Answer) -> bytes:
        """Return the record of an answer."""
        try:
            return self.serializer.dumps(records.pack_answer(answer))
        except SerializationError as error:
            raise SerializationError(f"{ANSWER}: {error}") from error

    def answered(self, entry: TaskEntry, answers: Mapping[str, tuple[Answer, ...]]) -> TaskEntry:
        """Return ``entry`` with those of ``answers``, by tasks, that it has when it is queued."""
        given = answers.get(entry.id)
        return replace(entry, answers=tuple(map(self.answer, given))) if given else entry

    def read_answers(self, blobs: tuple[bytes, ...]) -> tuple[Answer, ...]:
        """Return the answers of a task."""
        return tuple(records.unpack_answer(self.serializer.loads(blob)) for blob in blobs)

    def caller_write(self, write: Completed) -> bytes:
        """Return the record of a caller's update and gotos; SerializationError names the key."""
        return self._record(records.pack_result(write), of_result(write))

    def read_caller_writes(self, given: CallerWrites) -> tuple[Completed, ...]:
        """Return callers' updates and gotos; the gotos not when they were followed already."""
        written = (records.unpack_completed(self.serializer.loads(blob)) for blob in given.blobs)
        return tuple(replace(each, goto=()) if given.followed else each for each in written)

    # --- whole supersteps ------------------------------------------------------------------

    def superstep(
        self,
        graph: Graph,
        ep: str,
        checkpoints: tuple[Checkpoint, ...],
        then: Decision,
        ns: str = "",
    ) -> SuperstepEntry:
        """Return what is stored of a commit or a start: its checkpoints, and what follows.

        ``ns``: the name of the frame.
        """
        frontiers = [self.apart(checkpoint.frontier, ep) for checkpoint in checkpoints]
        entries = self._in_a_row(checkpoints, frontiers)
        match then:
            case RunTasks(tasks):
                placed = _placed(tasks, frontiers[-1][0]) if frontiers else tasks
                queued = tuple(
                    self.task(task, graph.nodes[task.node], graph.name, ns) for task in placed
                )
                return SuperstepEntry(ep, entries, queued, "go")
            case Finished():
                return SuperstepEntry(ep, entries, (), "end")
            case Paused():
                return SuperstepEntry(ep, entries, (), "stop")
            case Failed(error):
                return SuperstepEntry(ep, entries, (), "fail", self.error(error))
            case _:
                msg = f"A superstep cannot be followed by {type(then).__name__}."
                raise InvalidUpdateError(msg)

    def _in_a_row(
        self, checkpoints: tuple[Checkpoint, ...], frontiers: list[Apart]
    ) -> tuple[CheckpointEntry, ...]:
        """Return what is stored of checkpoints, each of which goes on from the one before."""
        entries: list[CheckpointEntry] = []
        for each, apart in zip(checkpoints, frontiers, strict=True):
            lines = entries[-1].lines if entries else each.lines
            follows = each if lines == each.lines else replace(each, lines=lines)
            entries.append(self.checkpoint(follows, apart))
        return tuple(entries)

    def finished(
        self,
        task: Task,
        rnd: str,
        result: Completed | Interrupted | Escaped,
        shown: bytes | None = None,
        packets: tuple[Bundle, ...] = (),
    ) -> ResultEntry:
        """Return what is recorded of a task that did not fail; its packets are apart already.

        ``shown``: what the event has that tells of it, where that is not the result itself.
        """
        if isinstance(result, Interrupted):
            record = self.questions(task, result)
            asked = tuple(map(self._question, result.questions)) or (_STOPPED,)
            return ResultEntry(task.id, rnd, record, event=shown or b"", questions=asked)
        if isinstance(result, Escaped):
            record = self._left(task.node, records.pack_result(result), of_result(result))
            return ResultEntry(task.id, rnd, record, escapes=True)
        blob = self.result(task, result)
        event = blob if shown is None else shown
        return ResultEntry(task.id, rnd, blob, event=event, packets=packets)

    def state(
        self, loaded: Loaded, of: Unpacked, channels: Mapping[str, bytes | None]
    ) -> ThreadState:
        """Return the frame that was loaded, of whose checkpoint ``of`` is the record."""
        results: dict[str, Result] = {}
        results |= {tid: self.read_result(blob) for tid, blob in loaded.writes.items()}
        results |= {a.tid: self.read_asked(a.blob, a.questions) for a in loaded.questions}
        for task in loaded.tasks:
            if task.st is TaskState.failed and task.error:
                results[task.tid] = self.read_error(task.error)
        return ThreadState(
            checkpoint=self.read_checkpoint(of, channels),
            results=results,
            answers={t.tid: self._given(t) for t in loaded.tasks if t.answers},
            caller_writes=self.read_caller_writes(loaded.caller_writes),
            released=loaded.released,
            **self._passed(loaded.tasks, results),
        )

    def with_left(self, state: ThreadState, left: tuple[LeftTask, ...]) -> ThreadState:
        """Return ``state`` with what the tasks left that ran from its checkpoint."""
        if not left:
            return state
        results = {task.tid: self.read_result(task.result) for task in left if task.result}
        return replace(
            state,
            results=results,
            answers={task.tid: self._given(task) for task in left if task.answers},
            **self._passed(left, results),
        )

    def _given(self, task: LeftTask | OpenTask) -> tuple[Answer, ...]:
        """Return the answers of a task, with what is stored of who gave them, and when."""
        told = {
            iid: GivenBy(asked, each.at, each.by)
            for each in task.asked
            if each.run
            for iid, asked in each.questions
        }
        read = self.read_answers(task.answers)
        return tuple(replace(each, told=told.get(each.id, each.told)) for each in read)

    def _passed(
        self, tasks: Iterable[LeftTask | OpenTask], results: Mapping[str, Result]
    ) -> dict[str, Any]:
        """Return what those of ``tasks`` asked last, and failed with last, that are done."""
        asked, failed = dict[str, tuple[Interrupt, ...]](), dict[str, str]()
        for task in tasks:
            if not task.asked or not isinstance(results.get(task.tid), Completed):
                continue
            for each in task.asked:
                match self.read_asked(each.blob, each.deadlines):
                    case Interrupted(questions):
                        asked[task.tid] = tuple(question.interrupt for question in questions)
                    case Errored() as error:
                        failed[task.tid] = str(error)
                    case _:
                        pass
        return {"asked": asked, "failed": failed}


def shows_writes(modes: str) -> bool:
    """Whether a run's stream modes need the writes of each task in its events."""
    return bool({"updates", "tasks", "debug", "messages"} & set(modes.split()))


def head_checkpoint(context: Context, values: Mapping[str, Any]) -> Checkpoint:
    """Return as much of a frame's checkpoint as its head tells, with the values that were read."""
    head = context.head
    return Checkpoint(head.cp, None, head.step, "loop", "", values)


def _placed(tasks: tuple[Task, ...], targets: tuple[Target, ...]) -> tuple[Task, ...]:
    """Return tasks of a checkpoint that has ``targets`` now; those of callers' Sends stay."""
    sent = [target for target in targets if not isinstance(target, str)]
    return tuple(
        replace(task, send=sent[task.index]) if task.send and task.index < len(sent) else task
        for task in tasks
    )
