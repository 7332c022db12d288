"""The graphs that are called inside an attempt at a task: kept in Redis, under the attempt's fence.

An attempt that was given up stores nothing more, and ends at its next step: the one that came
after it goes on from what is stored.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from checkpoint_redis.frames import FrameName
from checkpoint_redis.known_lines import Lines
from checkpoint_redis.records import CheckpointEntry, InnerEntry
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_metadata,
)
from distgraph.checkpoint.base.config import (
    Coordinates,
    checkpoint_coordinates,
    coordinates_of,
)
from distgraph.checkpoint.base.types import ERROR, INTERRUPT, RESUME
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph
from distgraph.core.model import RETURN, Completed, Result
from distgraph.errors import GraphBubbleUp

from ..shared.supersteps import nonce
from .desk import Desk

STOPPING = {INTERRUPT, ERROR}


class GivenUp(GraphBubbleUp):
    """Leaves a node whose attempt was given up: nothing of it is recorded any more."""


@dataclass(slots=True)
class _Frame:
    """A called graph's frame as the attempt knows it, with what is not stored yet.

    That is records of the tasks of ``cp``, then checkpoints. ``running``: how many tasks of the
    newest checkpoint have no result. Functions that run in threads of the attempt write to it one
    after the other.
    """

    name: FrameName
    epoch: str = ""
    cp: str = ""
    records: list[bytes] = field(default_factory=list)
    checkpoints: list[CheckpointEntry] = field(default_factory=list)
    running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_stored(self) -> bool:
        return not self.records and not self.checkpoints

    @property
    def entry(self) -> InnerEntry:
        records, checkpoints = tuple(self.records), tuple(self.checkpoints)
        return InnerEntry(self.name, self.epoch, self.cp, records, checkpoints)

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
    """The frames of the graphs that one attempt at the task ``tid`` calls."""

    def __init__(self, desk: Desk, tid: str, serializer: JsonPlusSerializer) -> None:
        self._desk, self._tid, self._serializer = desk, tid, serializer
        self._frames: dict[str, _Frame] = {}
        self._given_up = False

    @property
    def x(self) -> str:
        """The hash of the thread."""
        return self._desk.thread.x

    def for_graph(self, graph: Graph) -> CalledSaver:
        """Return the saver for a frame of ``graph``, which knows the classes of its state."""
        serializer = self._serializer.allow(*classes_of(*graph.schema_types))
        return CalledSaver(self, Archive(self._desk.thread.namespace, serializer))

    def dispatches(self, frame: TaskFrame, graph: Graph, ns: str) -> bool:
        """Return False: the tasks of a graph that a task calls run with it."""
        del frame, graph, ns
        return False

    def risen(self, ns: str) -> None:
        """Return None: nobody else has run a graph that is called here."""
        del ns

    def read(self, archive: Archive, name: str, cp: str) -> CheckpointTuple | None:
        """Return what is stored of a frame, at a checkpoint or ('') at its head."""
        frame = self.frame(name)
        self.store(frame)
        frame.epoch, found = self._desk.read_inner(archive, name, cp)
        frame.running = _tasks(found.checkpoint) if found else 0
        return found

    def listed(self, archive: Archive, *wanted: Any) -> list[CheckpointTuple]:
        """Return what is stored of the frame that a config names, as ``Desk.list_inner`` does."""
        return self._desk.list_inner(archive, *wanted)

    def frame(self, name: str) -> _Frame:
        """Return the frame of that name; GivenUp when the attempt was."""
        if self._given_up:
            raise GivenUp
        return self._frames.setdefault(name, _Frame(FrameName(name)))

    def store(self, frame: _Frame) -> None:
        """Store what is not stored yet; GivenUp when the attempt may not any more."""
        if frame.is_stored:
            return
        kept = self._desk.keep_inner(self._tid, frame.entry)
        if kept is None:
            self._given_up = True
            raise GivenUp
        frame.epoch, frame.records, frame.checkpoints = kept, [], []

    def is_given_up(self, result: Result) -> bool:
        """Store what a task that is not done has left to store; tell whether its attempt counts."""
        with suppress(GivenUp):
            for frame in () if isinstance(result, Completed) else self._frames.values():
                self.store(frame)
        return self._given_up


@dataclass(frozen=True, slots=True)
class CalledSaver:
    """What a store asks of a checkpointer, for one called graph; each has an ``a...`` twin."""

    called: Called
    archive: Archive

    def get_tuple(self, config: Mapping[str, Any]) -> CheckpointTuple | None:
        """Return the checkpoint that ``config`` names, or the latest."""
        place = coordinates_of(config)
        return self.called.read(self.archive, place.ns, place.checkpoint_id or "")

    def put(
        self,
        config: Mapping[str, Any],
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> None:
        """Store a checkpoint under the one that ``config`` names."""
        place, known = coordinates_of(config), get_checkpoint_metadata(config, metadata)
        before = self._lines(place)
        # What is not known here may stand in a line: all of it is stored.
        new = checkpoint["channel_versions"] if before is None else new_versions
        entry = self.archive.entry(place, checkpoint, known, new, before or {}, nonce())
        self.archive.remember(self._at(place.ns, checkpoint["id"]), checkpoint, entry)
        frame = self.called.frame(place.ns)
        with frame.lock:
            frame.name = FrameName.of(place.ns, known)
            if frame.add_checkpoint(entry, _tasks(checkpoint), metadata.get("source")):
                self.called.store(frame)

    def _lines(self, place: Coordinates) -> Lines | None:
        at = self._at(place.ns, place.checkpoint_id or "")
        return self.archive.known.get(at) if place.checkpoint_id else {}

    def _at(self, name: str, cp: str) -> tuple[str, str, str]:
        return self.called.x, name, cp

    def put_writes(
        self, config: Mapping[str, Any], writes: Sequence[tuple[str, Any]], task_id: str
    ) -> None:
        """Store what a task of the checkpoint left that ``config`` names."""
        _, name, cp = checkpoint_coordinates(config)
        records = self.archive.log_records(task_id, "", writes)
        frame = self.called.frame(name)
        with frame.lock:
            if frame.add_records(cp, records, {channel for channel, _ in writes}):
                self.called.store(frame)

    def list(
        self,
        config: Mapping[str, Any],
        *,
        before: Mapping[str, Any] | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Return what is stored of a frame, newest first."""
        return iter(self.called.listed(self.archive, config, before, limit))

    async def aget_tuple(self, config: Mapping[str, Any]) -> CheckpointTuple | None:
        """Do what ``get_tuple`` does."""
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(self, *given: Any, **options: Any) -> AsyncIterator[CheckpointTuple]:
        """Do what ``list`` does."""
        for found in await asyncio.to_thread(self.list, *given, **options):
            yield found

    async def aput(self, *given: Any) -> None:
        """Do what ``put`` does."""
        await asyncio.to_thread(self.put, *given)

    async def aput_writes(self, *given: Any) -> None:
        """Do what ``put_writes`` does."""
        await asyncio.to_thread(self.put_writes, *given)


def _tasks(checkpoint: Checkpoint) -> int:
    """Return how many tasks run from a checkpoint, as far as it tells."""
    return len(set(map(str, checkpoint.get("frontier", ()))))
