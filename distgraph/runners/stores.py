"""Where a local run keeps its frame: a checkpointer, or nothing.

A store answers the engine's requests as generators of saver calls, so that one description serves
the blocking and the asyncio driver.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from distgraph.checkpoint import codec, pending
from distgraph.checkpoint.base.id import next_id
from distgraph.checkpoint.base.types import RESULT
from distgraph.core.begin import goes_on
from distgraph.core.frame import Frames
from distgraph.core.model import (
    NULL_TASK,
    Checkpoint,
    Errored,
    Interrupted,
    Outcome,
    Result,
    Stamp,
    Task,
    ThreadState,
)
from distgraph.engine import Execute, GoOn, Save, SaveUpdate
from distgraph.runners.backend import Job, Place


class SaverCall(NamedTuple):
    """A call of a checkpointer's method ``name``; its async twin is ``a`` + name."""

    name: str
    args: tuple[Any, ...]


class NewestBefore(NamedTuple):
    """Asks for the newest checkpoint at ``config`` that is older than the one at ``before``."""

    config: dict[str, Any]
    before: dict[str, Any]


class Begin(NamedTuple):
    """Begins to make the calls of ``saving``, while the run goes on; answered by what is joined."""

    saving: Any


class WaitFor(NamedTuple):
    """Waits for what was ``begun``; answered by the exception that it raised, or None."""

    begun: Any


Asking = SaverCall | NewestBefore | Begin | WaitFor
Calls = Generator[Asking, Any, None]
Saving = Generator[Asking, Any, Any]


class Store(Protocol):
    """Answers the storing requests of one frame."""

    def load(self) -> Generator[Asking, Any, ThreadState | None]:
        """Return the frame's state."""
        ...

    def save(self, request: Save) -> Generator[Asking, Any, Save | None]:
        """Store new checkpoints; return what is told of them, where that is not ``request``."""
        ...

    def go_on(self, request: GoOn) -> Calls:
        """Store that the open superstep goes on."""
        ...

    def leave(self, job: Job, request: Execute) -> Calls | None:
        """Leave the tasks of a superstep to others, with a signal.

        They run where the job does when it gives none; None where there never are others.
        """
        ...

    def result(self, state: ThreadState, task: Task, result: Result) -> Calls:
        """Store one task's result."""
        ...

    def update(self, request: SaveUpdate) -> Calls:
        """Store a checkpoint that a caller made."""
        ...

    def end(self, outcome: Outcome | None) -> Calls:
        """Store what was not stored so far, since the job is over; None where it broke off."""
        ...


def config_at(place: Place, checkpoint_id: str | None) -> dict[str, Any]:
    """Return the config by which a checkpointer knows a checkpoint of the frame at ``place``."""
    known = {"thread_id": place.thread_id, "checkpoint_ns": place.ns}
    if checkpoint_id:
        known["checkpoint_id"] = checkpoint_id
    return {"configurable": known}


def new_stamp(parent: Checkpoint | None, *around: str) -> Stamp:
    """Return the identity of a checkpoint made now.

    Ids of a thread only grow, also where this clock is behind that by which the checkpoints
    ``around`` a called graph were made.
    """
    before = max((parent.id if parent else "", *around))
    return Stamp(next_id(before or None), datetime.now(UTC).isoformat())


def checkpoint_at(place: Place, checkpoint_id: str) -> Generator[Asking, Any, Checkpoint | None]:
    """Return a checkpoint of the frame at ``place``, None when it is not stored."""
    found = yield SaverCall("get_tuple", (config_at(place, checkpoint_id),))
    return codec.decode_checkpoint(found) if found else None


def before(place: Place, root_id: str) -> Generator[Asking, Any, ThreadState | None]:
    """Return the newest state at ``place`` that is older than a checkpoint of the root.

    Where that is an update or a fork: than its parent, from which the frames around it go on.
    """
    root = yield from checkpoint_at(Place(place.thread_id), root_id)
    if root is not None and goes_on(root):
        root_id = root.parent_id or root_id
    older = config_at(Place(place.thread_id), root_id)
    listed = yield NewestBefore(config_at(place, None), older)
    return codec.decode(listed) if listed else None


@dataclass(frozen=True, slots=True)
class SaverStore:
    """Keeps the frame in a checkpointer.

    ``recorded``: the tasks that have a record, which a failure has to replace.
    """

    place: Place
    recorded: set[str] = field(default_factory=set, compare=False)

    def load(self) -> Generator[Asking, Any, ThreadState | None]:
        """Return what the checkpointer has at the place."""
        found = yield SaverCall("get_tuple", (self._config(self.place.checkpoint_id),))
        if not found:
            return None
        writes = found.pending_writes or ()
        self.recorded.update(task for task, channel, _ in writes if channel == RESULT)
        state = codec.decode(found)
        if self.place.checkpoint_id and goes_on(state.checkpoint):
            is_head = yield from self._is_head(state.checkpoint)
            return replace(state, moved_past=not is_head)
        return state

    def save(self, request: Save) -> Calls:
        """Put each checkpoint under its parent, and with the last one what a caller wrote."""
        for checkpoint in request.checkpoints:
            yield self._put(checkpoint)
        if request.caller_write is not None:
            yield self._written(request.state)

    def go_on(self, request: GoOn) -> Calls:
        """Store the answers with the tasks that they are for, and a caller's update."""
        config = self._config(request.state.checkpoint.id)
        for task in dict.fromkeys(reply.task for reply in request.replies):
            writes = pending.encode_answers(request.state.answers[task])
            yield SaverCall("put_writes", (config, writes, task))
        if request.caller_write is not None:
            yield self._written(request.state)

    def leave(self, job: Job, request: Execute) -> None:
        """Leave nothing to others."""

    def result(self, state: ThreadState, task: Task, result: Result) -> Calls:
        """Store the result as pending writes of the checkpoint.

        An answer to what is asked once more was not taken, and is dropped.
        """
        kept = state.deadlines.get(task.id, {})
        given = state.answers.get(task.id, ())
        if given and isinstance(result, Interrupted):
            waiting = {question.interrupt.id for question in result.questions}
            taken = tuple(answer for answer in given if answer.id not in waiting)
            if len(taken) < len(given):
                config = self._config(state.checkpoint.id)
                yield SaverCall("put_writes", (config, pending.encode_answers(taken), task.id))
        yield self._left(state.checkpoint, task, result, kept)

    def update(self, request: SaveUpdate) -> Calls:
        """Put the checkpoint, then with its parent what the caller wrote for waiting tasks.

        A parent that the thread has moved past stays as it is: others go on from it too.
        """
        parent = request.parent
        is_head = parent is not None and (yield from self._is_head(parent))
        yield self._put(request.state.checkpoint)
        if parent is not None and is_head:
            for task, result in request.done:
                yield self._left(parent, task, result)

    def end(self, outcome: Outcome | None) -> Calls:
        """Store nothing more: all is stored already."""
        del outcome
        yield from ()

    def _is_head(self, checkpoint: Checkpoint) -> Generator[Asking, Any, bool]:
        if not self.place.checkpoint_id:
            return True
        head = yield from checkpoint_at(self.place, "")
        return head is not None and head.id == checkpoint.id

    def _written(self, state: ThreadState) -> SaverCall:
        writes = pending.encode_caller_writes(state.caller_writes)
        return SaverCall("put_writes", (self._config(state.checkpoint.id), writes, NULL_TASK))

    def _put(self, checkpoint: Checkpoint) -> SaverCall:
        stored, metadata, versions = codec.encode_checkpoint(checkpoint)
        return SaverCall("put", (self._config(checkpoint.parent_id), stored, metadata, versions))

    def _left(
        self,
        checkpoint: Checkpoint,
        task: Task,
        result: Result,
        kept: Mapping[str, int] = pending.EMPTY,
    ) -> SaverCall:
        if isinstance(result, Errored) and result.is_settled and task.id in self.recorded:
            result = replace(result, is_settled=False)
        writes = pending.encode_result(task, result, kept)
        if any(channel == RESULT for channel, _ in writes):
            self.recorded.add(task.id)
        return SaverCall("put_writes", (self._config(checkpoint.id), writes, task.id))

    def _config(self, checkpoint_id: str | None) -> dict[str, Any]:
        return config_at(self.place, checkpoint_id)


class NoStore:
    """Keeps nothing: a run without a checkpointer."""

    def load(self) -> Generator[Asking, Any, ThreadState | None]:
        """Return None: every run is the first."""
        yield from ()
        return None

    def save(self, request: Save) -> Calls:
        """Keep nothing."""
        del request
        yield from ()

    def go_on(self, request: GoOn) -> Calls:
        """Keep nothing."""
        del request
        yield from ()

    def leave(self, job: Job, request: Execute) -> None:
        """Leave nothing to others."""

    def result(self, state: ThreadState, task: Task, result: Result) -> Calls:
        """Keep nothing."""
        del state, task, result
        yield from ()

    def update(self, request: SaveUpdate) -> Calls:
        """Keep nothing."""
        del request
        yield from ()

    def end(self, outcome: Outcome | None) -> Calls:
        """Keep nothing."""
        del outcome
        yield from ()


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a job is kept: its own frame in ``store``, whose calls are those of ``saver``.

    The graphs that are called inside its tasks are kept in ``frames``.
    """

    store: Store = field(default_factory=NoStore)
    saver: Any = None
    frames: Frames | None = None
