"""A command as data: what to send to Redis, and how to read what comes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar

from checkpoint_redis.bundles import Bundle
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import CheckpointRow, FrameRow, NewTaskRow, PacketsRow
from checkpoint_redis.records import CheckpointEntry, SuperstepEntry, TaskEntry
from checkpoint_redis.references import Ref

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def as_json(value: Any) -> str:
    """Return JSON as Redis' reader takes it: half a character stands as it is, not escaped."""
    return _JSON.encode(value)


def frame_row(frame: FrameName) -> FrameRow:
    """Return what a frame's own key tells of it."""
    return FrameRow(
        name=frame.name,
        parent=frame.parent.hash,
        task=frame.task,
        path=frame.path,
        graph=frame.graph,
        fingerprint=frame.fingerprint,
    )


@dataclass(frozen=True, slots=True)
class Script(Generic[T_co]):
    """A Lua script of ``scripts/`` with its arguments; ``about``: what messages say it works on."""

    name: str
    keys: tuple[str, ...]
    args: tuple[bytes, ...]
    read: Callable[[Any], T_co]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Plain(Generic[T_co]):
    """A single command of Redis that reads, or that needs no script to be safe."""

    words: tuple[str | bytes | int, ...]
    read: Callable[[Any], T_co]


@dataclass(slots=True)
class Arguments:
    """Collects blobs; ``add`` returns their position in ARGV, 0 for an empty one."""

    blobs: list[bytes] = field(default_factory=list)

    def add(self, blob: bytes) -> int:
        if not blob:
            return 0
        self.blobs.append(blob)
        return len(self.blobs) + 1

    def tasks(
        self, tasks: tuple[TaskEntry, ...]
    ) -> tuple[list[NewTaskRow], int, dict[str, tuple[str, ...]]]:
        """Return the records of the tasks, where their blobs begin, and what they read."""
        first = len(self.blobs) + 2
        self.blobs.extend(task.blob for task in tasks)
        reads = {_digest(names): names for names in {task.reads for task in tasks} if names}
        return [self._new_task(task) for task in tasks], first, reads

    def _new_task(self, task: TaskEntry) -> NewTaskRow:
        return NewTaskRow(
            id=task.id,
            queue=task.queue,
            priority=task.priority,
            reads=_digest(task.reads),
            limit=task.limit_ms,
            batch=task.batch,
            packet=task.packet,
            inner=task.inner,
            answers=[self.add(blob) for blob in task.answers],
        )

    def checkpoint(self, c: CheckpointEntry) -> CheckpointRow:
        channels = [part for ref in c.channels for part in (ref, self.add(c.channels[ref]))]
        return CheckpointRow(
            id=c.id,
            blob=self.add(c.blob),
            step=c.step,
            refs=self.refs(c.refs),
            channels=channels,
            packets=self.packets(c.packets),
        )

    def packets(self, bundles: tuple[Bundle, ...]) -> list[PacketsRow]:
        return [self._packets(each) for each in bundles]

    def _packets(self, bundle: Bundle) -> PacketsRow:
        first = 0 if bundle.is_staged else len(self.blobs) + 2
        if first:
            self.blobs.extend(bundle.blobs)
        return PacketsRow(bundle=bundle.name, first=first, size=len(bundle.blobs))

    def refs(self, refs: tuple[Ref, ...]) -> str:
        return as_json(refs)

    def superstep(self, step: SuperstepEntry) -> dict[str, Any]:
        tasks, first, reads = self.tasks(step.tasks)
        checkpoints = [self.checkpoint(c) for c in step.checkpoints]
        return {
            "ep": step.ep,
            "checkpoints": checkpoints,
            "tasks": tasks,
            "first": first,
            "reads": reads,
            "outcome": step.outcome,
            "error": self.add(step.error),
            "caller_writes": [self.add(blob) for blob in step.caller_writes],
            "staged": step.staged,
            "event": self.add(step.event),
        }

    def script(
        self, name: str, key: str | Thread, read: Callable[[Any], T], **small: Any
    ) -> Script[T]:
        head = as_json(small).encode("utf-8", "surrogatepass")
        header, about = (key.header, key.title) if isinstance(key, Thread) else (key, "")
        return Script(name, (header,), (head, *self.blobs), read, about)


@cache
def _digest(names: tuple[str, ...]) -> str:
    """Return under which name a superstep keeps what some of its tasks read; '' for nothing."""
    if not names:
        return ""
    said = as_json(names).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(said, digest_size=8).hexdigest()
