"""What a store asks of a checkpointer, for one graph that is called in an attempt at a task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from checkpoint_redis.frames import FrameName
from checkpoint_redis.known_lines import Lines
from checkpoint_redis.records import CheckpointEntry
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
from distgraph.engine import Execute
from distgraph.runners.backend import Job

from ..shared.supersteps import nonce


class PendingFrame(Protocol):
    """A frame, and what of it is not stored yet."""

    name: FrameName

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Who holds it alone adds to the frame."""
        ...

    def add_records(self, cp: str, records: Iterable[bytes], names: Collection[str]) -> bool:
        """Take what one task left; tell whether it has to be stored before what follows."""
        ...

    def add_checkpoint(self, entry: CheckpointEntry, tasks: int, source: str | None) -> bool:
        """Take a checkpoint; tell whether it has to be stored before what follows."""
        ...


class FrameKeeper(Protocol):
    """Who keeps the frames of an attempt."""

    @property
    def x(self) -> str:
        """The hash of the thread."""
        ...

    def read(self, archive: Archive, name: str, cp: str) -> CheckpointTuple | None:
        """Return what is stored of a frame, at a checkpoint or ('') at its head."""
        ...

    def listed(self, archive: Archive, *wanted: Any) -> list[CheckpointTuple]:
        """Return what is stored of the frame that a config names, newest first."""
        ...

    def frame(self, name: str) -> PendingFrame:
        """Return the frame of that name."""
        ...

    def store(self, frame: Any) -> None:
        """Store what is not stored yet of a frame."""
        ...

    def leaves(self, ns: str) -> bool:
        """Whether the tasks of a frame are run by others."""
        ...

    def park(self, job: Job, request: Execute) -> NoReturn:
        """Leave the tasks that ``request`` asks to run to others."""
        ...


@dataclass(frozen=True, slots=True)
class CalledSaver:
    """What a store asks of a checkpointer, for one called graph; each has an ``a...`` twin.

    Of one that ``leaves`` its tasks to others nothing is stored before they are: who opens its
    superstep stores its checkpoints and the answers of its tasks too.
    """

    called: FrameKeeper
    archive: Archive
    leaves: bool = False

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
            is_due = frame.add_checkpoint(entry, tasks_in(checkpoint), metadata.get("source"))
            if is_due and not self._waits(place.ns):
                self.called.store(frame)

    def _waits(self, ns: str) -> bool:
        return self.leaves and self.called.leaves(ns)

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
        if self._waits(name):
            return
        records = self.archive.log_records(task_id, "", writes)
        frame = self.called.frame(name)
        with frame.lock:
            if frame.add_records(cp, records, {channel for channel, _ in writes}):
                self.called.store(frame)

    def park(self, job: Job, request: Execute) -> NoReturn:
        """Leave the tasks that ``request`` asks to run to others."""
        self.called.park(job, request)

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

    async def apark(self, job: Job, request: Execute) -> NoReturn:
        """Do what ``park`` does."""
        self.park(job, request)


def tasks_in(checkpoint: Checkpoint) -> int:
    """Return how many tasks run from a checkpoint, as far as it tells."""
    return len(set(map(str, checkpoint.get("frontier", ()))))
