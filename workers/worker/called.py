"""The graphs that are called inside an attempt at a task: kept in Redis, under the attempt's fence.

An attempt that was given up stores nothing more, and ends at its next step: the one that came
after it goes on from what is stored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, NoReturn

from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import TaskState
from checkpoint_redis.readings import FrameInfo, Loaded, OpenTask
from checkpoint_redis.records import CheckpointEntry, InnerEntry
from checkpoint_redis.replies import ClaimedTask
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import CheckpointTuple
from distgraph.checkpoint.base.types import ERROR, INTERRUPT, RESUME
from distgraph.checkpoint.failures import opened
from distgraph.checkpoint.records import unpack_errored
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph
from distgraph.core.model import DRAINS, RETURN, Completed, Errored, Result
from distgraph.core.recorded import kind_of
from distgraph.core.standing import Risen
from distgraph.engine import Execute
from distgraph.errors import GraphBubbleUp, GraphRecursionError
from distgraph.runners.backend import Job

from .calledsaver import CalledSaver, tasks_in
from .desk import Desk

STOPPING = {INTERRUPT, ERROR}


class GivenUp(GraphBubbleUp):
    """Leaves a node whose attempt was given up: nothing of it is recorded any more."""


class LeftToOthers(GraphBubbleUp):
    """Leaves a node that is a graph whose tasks are to be run by others."""


class Wish(NamedTuple):
    """What an attempt leaves to others: the tasks that ``request`` asks to run, of ``frame``."""

    job: Job
    request: Execute
    frame: CalledFrame


@dataclass(slots=True)
class CalledFrame:
    """A called graph's frame as the attempt knows it, with what is not stored yet.

    That is records of the tasks of ``cp``, then checkpoints. ``running``: how many tasks of the
    newest checkpoint have no result. ``opened`` are the tasks of its open superstep, of the
    checkpoint ``head``, as they were stored; ``logged``: a saver has noted them instead. Functions
    that run in threads of the attempt write to it one after the other.
    """

    name: FrameName
    epoch: str = ""
    cp: str = ""
    records: list[bytes] = field(default_factory=list)
    checkpoints: list[CheckpointEntry] = field(default_factory=list)
    running: int = 0
    head: str = ""
    opened: tuple[OpenTask, ...] = ()
    logged: bool = False
    info: FrameInfo | None = None
    failure: Errored | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_stored(self) -> bool:
        """Whether there is nothing left to store."""
        return not self.records and not self.checkpoints

    @property
    def entry(self) -> InnerEntry:
        """What is left to store."""
        records, checkpoints = tuple(self.records), tuple(self.checkpoints)
        return InnerEntry(self.name, self.epoch, self.cp, records, checkpoints)

    @property
    def has_failed(self) -> bool:
        """Whether a task of it, or a superstep, has failed; coming to the step limit is neither."""
        if self.failure is not None:
            return self.failure.kind != kind_of(GraphRecursionError())
        return any(task.st is TaskState.failed for task in self.opened)

    def add_records(self, cp: str, records: Iterable[bytes], names: Collection[str]) -> bool:
        """Take what one task left; tell whether it has to be stored before what follows.

        The last result of a superstep is followed by a checkpoint, and an answer by a result. They
        go together: without the second the first would only be made again. What a function has
        returned to a task is none of these.
        """
        self.cp = cp
        self.records += records
        if RETURN in names:
            return True
        if RESUME in names:
            return False
        self.running -= 1
        return self.running > 0 or not STOPPING.isdisjoint(names)

    def add_checkpoint(self, entry: CheckpointEntry, tasks: int, source: str | None) -> bool:
        """Take a checkpoint; tell whether it has to be stored: what an input led to follows it."""
        self.checkpoints.append(entry)
        self.running = tasks
        return source != "input"


class Called:
    """The frames of the graphs that one attempt at the task ``tid`` calls.

    ``graph`` is the one that its node is, whose tasks are jobs of their own. ``claimed``: the task
    as it was claimed, which tells the frame that has gone up for it, and how a frame stood then:
    that counts once, since the attempt changes it. ``drained`` is told what the last checkpoint of
    a frame tells of a stop that was asked for.
    """

    def __init__(
        self,
        desk: Desk,
        claimed: ClaimedTask,
        serializer: JsonPlusSerializer,
        graph: Graph | None = None,
    ) -> None:
        self._desk, self._tid, self._serializer = desk, claimed.tid, serializer
        self._graph, self._risen, self._stood = graph, claimed.risen, claimed.inner
        self._frames: dict[str, CalledFrame] = {}
        self._given_up = self._has_begun = False
        self.drained: Callable[[Any], None] = _nothing
        self.wish: Any = None
        self.collects_calls = False

    @property
    def x(self) -> str:
        """The hash of the thread."""
        return self._desk.thread.x

    def for_graph(self, graph: Graph) -> CalledSaver:
        """Return the saver for a frame of ``graph``, which knows the classes of its state."""
        serializer = self._serializer.allow(*classes_of(*graph.schema_types))
        archive = Archive(self._desk.thread.namespace, serializer)
        # Whatever else this attempt runs in its place may call the same graph.
        is_first, self._has_begun = not self._has_begun, True
        return CalledSaver(self, archive, leaves=is_first and graph is self._graph)

    def dispatches(self, frame: TaskFrame, graph: Graph, ns: str) -> bool:
        """Whether it is the graph that the task's node is, kept as workers keep it."""
        own = frame.task.id == self._tid and frame.calls == 1
        return own and graph is self._graph and self.leaves(ns)

    def leaves(self, ns: str) -> bool:
        """Whether the tasks of the frame ``ns`` are run by others; a saver's are not."""
        return self._graph is not None and not self.frame(ns).logged

    def park(self, job: Job, request: Execute) -> NoReturn:
        """Leave the node; the tasks that ``request`` asks to run are to be run by others."""
        frame, graph = self.frame(job.place.ns), job.graph
        frame.name = FrameName(frame.name.name, graph.name, graph.fingerprint)
        self.wish = Wish(job, request, frame)
        raise LeftToOthers

    def risen(self, ns: str) -> Risen | None:
        """Return how a frame was left that goes on no more by itself."""
        frame = self.frame(ns)
        if frame.info is None or FrameName(ns).hash != self._risen:
            return None
        whole = partial(opened, loads=self._serializer.loads)
        return Risen(frame.info.stop, frame.info.released, whole, frame.failure)

    @property
    def has_risen(self) -> bool:
        """Whether a frame has gone up for the attempt, which takes it as it stands."""
        return bool(self._risen)

    @property
    def was_told(self) -> bool:
        """Whether a failure of the attempt is one of the frame that has gone up: told of there."""
        return self.has_risen and any(frame.has_failed for frame in self._frames.values())

    @property
    def collects(self) -> bool:
        """Whether the result is of a graph, or of calls, that others have run, as these stood."""
        return self.collects_calls or any(f.info is not None for f in self._frames.values())

    def give_up(self) -> NoReturn:
        """Leave the node, whose attempt was given up."""
        self._given_up = True
        raise GivenUp

    def read(self, archive: Archive, name: str, cp: str) -> CheckpointTuple | None:
        """Return what is stored of a frame, at a checkpoint or ('') at its head."""
        frame = self.frame(name)
        self.store(frame)
        known = None if cp else self.stood(frame.name)
        loaded, found = self._desk.read_inner(archive, name, cp, known)
        frame.epoch = loaded.header.ep if loaded else ""
        frame.running = tasks_in(found.checkpoint) if found else 0
        if found is not None and not cp:
            self.drained(found.metadata.get(DRAINS))
        if loaded is not None and not cp:
            frame.head, frame.opened = loaded.header.cp, loaded.tasks
            frame.logged, frame.info = bool(loaded.log), loaded.header.frame
            frame.failure = self._failure(loaded.failure) if loaded.failure else None
        return found

    def stood(self, name: FrameName) -> Loaded | None:
        """Return how a frame stood that came with the claim, to who reads it first."""
        if self._stood is None or self._stood[0] != name.hash:
            return None
        (_, known), self._stood = self._stood, None
        return known

    def _failure(self, blob: bytes) -> Errored:
        loads = self._serializer.loads
        return opened(unpack_errored(loads(blob)), loads)

    def listed(self, archive: Archive, *wanted: Any) -> list[CheckpointTuple]:
        """Return what is stored of the frame that a config names, as ``Desk.list_inner`` does."""
        return self._desk.list_inner(archive, *wanted)

    def frame(self, name: str) -> CalledFrame:
        """Return the frame of that name; GivenUp when the attempt was."""
        if self._given_up:
            raise GivenUp
        return self._frames.setdefault(name, CalledFrame(FrameName(name)))

    def store(self, frame: CalledFrame) -> None:
        """Store what is not stored yet; GivenUp when the attempt may not any more."""
        if frame.is_stored:
            return
        kept = self._desk.keep_inner(self._tid, frame.entry)
        if kept is None:
            self.give_up()
        frame.epoch, frame.records, frame.checkpoints = kept, [], []

    def is_given_up(self, result: Result) -> bool:
        """Store what a task has left to store; tell whether its attempt counts.

        Of one that is done these are checkpoints alone: records would be of what is over.
        """
        with suppress(GivenUp):
            for frame in self._frames.values():
                if frame.checkpoints or not isinstance(result, Completed):
                    self.store(frame)
        return self._given_up


def _nothing(_: Any) -> None:
    """Take note of nothing."""
