"""The core's values as the blobs and entries that Redis stores, and back; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from checkpoint_redis.layout import TaskState
from checkpoint_redis.records import CheckpointEntry, ResultEntry, SuperstepEntry, TaskEntry
from checkpoint_redis.references import (
    Growing,
    name_of,
    names,
    read_lines,
    read_values,
    refs_of,
)
from checkpoint_redis.replies import CallerWrites, Context, Loaded
from distgraph.checkpoint import records
from distgraph.checkpoint.blame import (
    ANSWER,
    QUESTION,
    Part,
    blamed,
    of_checkpoint,
    of_key,
    of_packet,
    of_result,
)
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.lines import place
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core.graph import Graph, Node
from distgraph.core.model import (
    Answer,
    Checkpoint,
    Completed,
    Decision,
    Errored,
    Failed,
    Finished,
    Interrupted,
    Paused,
    Result,
    RunTasks,
    Task,
    ThreadState,
)
from distgraph.errors import CorruptRecord, InvalidUpdateError, SerializationError
from distgraph.types import Send

_LEAST = 1_000
"""So many characters of a failure's texts are kept where more cannot be stored."""


STOPPED = ("", 0)
"""Stands for the questions of a task whose graph is at a breakpoint: no answer has this id."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Encodes for one graph: its state's classes are the ones that may be decoded."""

    serializer: JsonPlusSerializer

    # --- tasks -----------------------------------------------------------------------------

    def task(self, task: Task, node: Node) -> TaskEntry:
        """Return what is queued for ``task``."""
        packet = [] if task.send is None else [task.send.arg]
        try:
            blob = self.serializer.dumps(numbered(Kind.task, task.node, task.index, packet))
        except SerializationError as error:
            raise SerializationError(f"{of_packet(task.node)}: {error}") from error
        reads = task.send is None or bool(node.branches)
        return TaskEntry(task.id, blob, node.queue, node.priority, reads)

    def read_task(self, tid: str, blob: bytes) -> Task:
        """Return the task of an entry."""
        packed = self.serializer.loads(blob)
        match fields_of(Kind.task, packed):
            case [str(node), int(index), []]:
                return Task(tid, node, index)
            case [str(node), int(index), [arg]]:
                return Task(tid, node, index, Send(node, arg))
            case _:
                raise corrupt(f"{Kind.task} ({tid})", packed)

    # --- checkpoints -----------------------------------------------------------------------

    def checkpoint(self, checkpoint: Checkpoint) -> CheckpointEntry:
        """Return what is stored of ``checkpoint``: its record, and the channels it changed."""
        stored = self._lists(checkpoint)
        placed = replace(checkpoint, lines=stored.lines)
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

    def read_checkpoint(self, blob: bytes, channels: Mapping[str, bytes | None]) -> Checkpoint:
        """Return the checkpoint of a record and its channel blobs ("channel@ref" -> blob)."""
        bare = records.unpack_checkpoint(self.serializer.loads(blob), {})
        values = read_values(
            bare.versions, bare.lines, channels, lambda _, stored: self.serializer.loads(stored)
        )
        for name in sorted(bare.versions.keys() - values.keys()):
            msg = f"The value of state key '{name}' at {bare.versions[name]} is not stored."
            raise CorruptRecord(msg)
        return replace(bare, values=values, lines=read_lines(bare.lines, channels))

    def names(self, blob: bytes, *, beyond: bool = False) -> tuple[str, ...]:
        """Return the names of what the checkpoint of a record refers to.

        ``beyond``: and of the segments that follow its lists, where another fork has some.
        """
        bare = records.unpack_checkpoint(self.serializer.loads(blob), {})
        return names(refs_of(bare.versions, bare.lines), beyond=beyond)

    # --- results ---------------------------------------------------------------------------

    def result(self, task: Task, result: Completed) -> bytes:
        """Return a completed task's record; SerializationError names the node and the key."""
        return self._left(task.node, records.pack_result(result), of_result(result))

    def _left(self, node: str, packed: Any, parts: Iterable[Part]) -> bytes:
        try:
            return self._record(packed, parts)
        except SerializationError as error:
            msg = f"Node '{node}' returned what cannot be stored. {error}"
            raise SerializationError(msg) from error

    def questions(self, task: Task, result: Interrupted) -> bytes:
        """Return the record of what a task asks; SerializationError names the node."""
        asked = ((QUESTION, question.interrupt.value) for question in result.questions)
        return self._left(task.node, records.pack_result(result), asked)

    def error(self, error: Errored) -> bytes:
        """Return the record of a failure; what of it cannot be stored is left out."""
        bare = replace(error, args=(), exception=None)
        message, trace = error.message[:_LEAST], error.traceback[-_LEAST:]
        least = replace(bare, message=message, traceback=trace, notes=())
        for each in (replace(bare, args=error.args), bare):
            with suppress(SerializationError):
                return self.serializer.dumps(records.pack_result(each))
        return self.serializer.dumps(records.pack_result(least))

    def read_error(self, blob: bytes) -> Errored:
        """Return the failure of a record."""
        error = records.unpack_result(self.serializer.loads(blob))
        if not isinstance(error, Errored):
            msg = "A stored error is not of the form that this version writes."
            raise CorruptRecord(msg)
        return error

    def read_result(self, blob: bytes) -> Result:
        """Return the result of a record."""
        return records.unpack_result(self.serializer.loads(blob))

    def answer(self, answer: Answer) -> bytes:
        """Return the record of an answer."""
        try:
            return self.serializer.dumps(records.pack_answer(answer))
        except SerializationError as error:
            raise SerializationError(f"{ANSWER}: {error}") from error

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
    ) -> SuperstepEntry:
        """Return what is stored of a commit or a start: its checkpoints, and what follows."""
        entries = self._in_a_row(checkpoints)
        match then:
            case RunTasks(tasks):
                queued = tuple(self.task(task, graph.nodes[task.node]) for task in tasks)
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

    def _in_a_row(self, checkpoints: tuple[Checkpoint, ...]) -> tuple[CheckpointEntry, ...]:
        """Return what is stored of checkpoints, each of which goes on from the one before."""
        entries: list[CheckpointEntry] = []
        for each in checkpoints:
            lines = entries[-1].lines if entries else each.lines
            entries.append(self.checkpoint(replace(each, lines=lines)))
        return tuple(entries)

    def finished(
        self, task: Task, rnd: str, result: Completed | Interrupted, modes: str
    ) -> ResultEntry:
        """Return what is recorded of a task that did not fail."""
        if isinstance(result, Interrupted):
            asked = tuple((q.interrupt.id, 0) for q in result.questions) or (STOPPED,)
            return ResultEntry(task.id, rnd, self.questions(task, result), questions=asked)
        blob = self.result(task, result)
        return ResultEntry(task.id, rnd, blob, event=blob if shows_writes(modes) else b"")

    def state(self, loaded: Loaded, channels: Mapping[str, bytes | None]) -> ThreadState | None:
        """Return the frame that was loaded; None when the thread has no checkpoint yet."""
        if loaded.checkpoint is None:
            return None
        results: dict[str, Result] = {}
        results |= {tid: self.read_result(blob) for tid, blob in loaded.writes.items()}
        results |= {asked.tid: self.read_result(asked.blob) for asked in loaded.questions}
        for task in loaded.tasks:
            if task.st is TaskState.failed and task.error:
                results[task.tid] = self.read_error(task.error)
        return ThreadState(
            checkpoint=self.read_checkpoint(loaded.checkpoint, channels),
            results=results,
            answers={t.tid: self.read_answers(t.answers) for t in loaded.tasks if t.answers},
            caller_writes=self.read_caller_writes(loaded.caller_writes),
            released=loaded.released,
        )


def shows_writes(modes: str) -> bool:
    """Whether a run's stream modes need the writes of each task in its events."""
    return bool({"updates", "tasks", "messages"} & set(modes.split()))


def head_checkpoint(context: Context) -> Checkpoint:
    """Return as much of a frame's checkpoint as its head tells, for a task that reads no state."""
    head = context.head
    return Checkpoint(head.cp, None, head.step, "loop", "")
