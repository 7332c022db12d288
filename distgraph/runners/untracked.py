"""What is stored of a graph with channels that are not: everything but their values.

They are left out of checkpoints, of what tasks and callers wrote, and of the arguments of Sends.
"""

from __future__ import annotations

from collections.abc import Generator
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from distgraph.core.graph import Graph
from distgraph.core.model import (
    Checkpoint,
    Completed,
    Outcome,
    Result,
    Target,
    Task,
    ThreadState,
)
from distgraph.engine import Execute, GoOn, Save, SaveUpdate
from distgraph.runners.backend import Job
from distgraph.runners.stores import Asking, Calls, Store
from distgraph.types import Send

R = TypeVar("R")


def storable_request(graph: Graph, request: R) -> R:
    """Return ``request`` with what of it may be stored."""
    if not graph.untracked:
        return request
    made: Any = request
    match request:
        case Save(checkpoints, state, caller_write=write):
            kept = tuple(_checkpoint(graph, each) for each in checkpoints)
            written = write and _completed(graph, write)
            made = replace(
                request, checkpoints=kept, state=_state(graph, state), caller_write=written
            )
        case GoOn(state, caller_write=write):
            written = write and _completed(graph, write)
            made = replace(request, state=_state(graph, state), caller_write=written)
        case SaveUpdate(state=state, done=done):
            spoken = tuple((task, _completed(graph, result)) for task, result in done)
            made = replace(request, state=_state(graph, state), done=spoken)
        case _:
            pass
    return made  # type: ignore[no-any-return]


def storable_result(graph: Graph, result: R) -> R:
    """Return what a task has left with what of it may be stored."""
    if not graph.untracked or not isinstance(result, Completed):
        return result
    return _completed(graph, result)  # type: ignore[return-value]


def _state(graph: Graph, state: ThreadState) -> ThreadState:
    written = tuple(_completed(graph, each) for each in state.caller_writes)
    return replace(state, checkpoint=_checkpoint(graph, state.checkpoint), caller_writes=written)


def _checkpoint(graph: Graph, checkpoint: Checkpoint) -> Checkpoint:
    left_out = graph.untracked
    return replace(
        checkpoint,
        values={k: v for k, v in checkpoint.values.items() if k not in left_out},
        versions={k: v for k, v in checkpoint.versions.items() if k not in left_out},
        changed=checkpoint.changed - left_out,
        grown={k: v for k, v in checkpoint.grown.items() if k not in left_out},
        frontier=tuple(_target(graph, target) for target in checkpoint.frontier),
    )


def _completed(graph: Graph, result: Completed) -> Completed:
    writes = tuple(write for write in result.writes if write[0] not in graph.untracked)
    return replace(result, writes=writes, goto=tuple(_target(graph, t) for t in result.goto))


def _target(graph: Graph, target: Target) -> Target:
    if not isinstance(target, Send) or not isinstance(target.arg, dict):
        return target
    sent = copy(target)
    sent.arg = {key: value for key, value in target.arg.items() if key not in graph.untracked}
    return sent


@dataclass(frozen=True, slots=True)
class Untracking:
    """Stores in ``store`` what of a frame of ``graph`` may be stored."""

    store: Store
    graph: Graph

    def load(self) -> Generator[Asking, Any, ThreadState | None]:
        """Return the frame's state."""
        return self.store.load()

    def save(self, request: Save) -> Generator[Asking, Any, Save | None]:
        """Store new checkpoints; all of them is told."""
        yield from self.store.save(storable_request(self.graph, request))
        return None

    def go_on(self, request: GoOn) -> Calls:
        """Store that the open superstep goes on."""
        return self.store.go_on(storable_request(self.graph, request))

    def leave(self, job: Job, request: Execute) -> Calls | None:
        """Leave the tasks of a superstep to others."""
        return self.store.leave(job, request)

    def result(self, state: ThreadState, task: Task, result: Result) -> Calls:
        """Store one task's result."""
        return self.store.result(state, task, storable_result(self.graph, result))

    def update(self, request: SaveUpdate) -> Calls:
        """Store a checkpoint that a caller made."""
        return self.store.update(storable_request(self.graph, request))

    def end(self, outcome: Outcome | None) -> Calls:
        """Store what was not stored so far."""
        return self.store.end(outcome)
