"""What a run stores that stores nothing before its end (``durability="exit"``)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from distgraph.core.model import (
    Checkpoint,
    Errored,
    Failed,
    Finished,
    Outcome,
    Result,
    Task,
    ThreadState,
)
from distgraph.engine import Execute, GoOn, Save, SaveUpdate
from distgraph.errors import GraphRecursionError
from distgraph.runners.backend import Job
from distgraph.runners.stores import Asking, Calls, Store


class AtExit:
    """Keeps in ``store``, when the job is over, its last checkpoint and what is open from there.

    However the job ends: its last checkpoint comes under the one that was stored before the job.
    A graph inside a task that is ``temporary`` is kept only where it broke off, as in LangGraph:
    not where it finished, or had taken all of its steps. ``dispatched``: others run its tasks, and
    find all that there is of it.
    """

    def __init__(self, store: Store, *, temporary: bool = False, dispatched: bool = False) -> None:
        self._store, self._temporary, self._dispatched = store, temporary, dispatched
        self._ahead: Save | None = None
        self._open: list[Calls] = []

    def load(self) -> Generator[Asking, Any, ThreadState | None]:
        """Return what was stored before."""
        return self._store.load()

    def save(self, request: Save) -> Generator[Asking, Any, Save]:
        """Note the last checkpoint; what its forerunner had open is over.

        It is told with the parent that it will have.
        """
        yield from ()
        for checkpoint in request.checkpoints:
            known = self._ahead.checkpoints[0] if self._ahead else None
            ahead = instead_of(known, checkpoint) if known else checkpoint
            self._ahead = replace(request, checkpoints=(ahead,))
            self._open.clear()
        if not request.checkpoints and request.caller_write is not None:
            self._open.append(self._saved(request))
        if self._ahead is None:
            return request
        parent = self._ahead.checkpoints[0].parent_id
        told = replace(request.state.checkpoint, parent_id=parent)
        return replace(request, state=replace(request.state, checkpoint=told))

    def go_on(self, request: GoOn) -> Calls:
        """Note that the superstep which is stored goes on."""
        self._open.append(self._store.go_on(request))
        yield from ()

    def leave(self, job: Job, request: Execute) -> Calls | None:
        """Store what was noted, and leave the tasks to others, if there are any."""
        return self._left(job, request) if self._dispatched else None

    def _left(self, job: Job, request: Execute) -> Calls:
        yield from self._flush()
        yield from self._store.leave(job, request) or ()

    def result(self, state: ThreadState, task: Task, result: Result) -> Calls:
        """Note one task's result."""
        self._open.append(self._store.result(state, task, result))
        yield from ()

    def update(self, request: SaveUpdate) -> Calls:
        """Store a checkpoint that a caller made."""
        return self._store.update(request)

    def end(self, outcome: Outcome | None) -> Calls:
        """Store what was noted."""
        if not (self._temporary and _came_to_its_end(outcome)):
            yield from self._flush()

    def _flush(self) -> Calls:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            yield from self._saved(ahead)
        while self._open:
            yield from self._open.pop(0)

    def _saved(self, request: Save) -> Calls:
        yield from self._store.save(request)


def _came_to_its_end(outcome: Outcome | None) -> bool:
    match outcome:
        case Finished() | Failed(Errored(exception=GraphRecursionError())):
            return True
        case _:
            return False


def instead_of(before: Checkpoint, new: Checkpoint) -> Checkpoint:
    """Return ``new``, a successor of ``before``, for a store that has not got ``before``.

    What changed since its parent is what either of them changed, and lists grow from there.
    """
    changed = (before.changed | new.changed) & new.versions.keys()
    grown = {
        name: before.grown.get(name, "") if version and name in before.changed else version
        for name, version in new.grown.items()
    }
    kept = {name: before.grown[name] for name in before.grown.keys() & changed - new.changed}
    return replace(new, parent_id=before.parent_id, changed=changed, grown={**kept, **grown})
