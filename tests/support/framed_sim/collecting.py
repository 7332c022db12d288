"""What an attempt at a task makes of the frame of the graph in it, as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checkpoint_redis.layout import QuestionId, TaskState
from checkpoint_redis.readings import Loaded
from checkpoint_redis.records import AgainEntry

ESCAPED = b"escaped"
WAITING = {TaskState.failed, TaskState.backing_off, TaskState.parked}


@dataclass(frozen=True, slots=True)
class Finished:
    """The graph has ended at this checkpoint, or one of its tasks left it."""

    how: str


@dataclass(frozen=True, slots=True)
class Asks:
    """It waits for answers to these."""

    iids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fails:
    """A task of it, or what follows its superstep, has failed."""


@dataclass(frozen=True, slots=True)
class GoesOn:
    """Its open superstep goes on with these; None: there is none."""

    again: tuple[AgainEntry, ...] | None


def collected(loaded: Loaded) -> Finished | Asks | Fails | None:
    """Return what the frame went up with; None where there is nothing (any more)."""
    states = {task.tid: task.st for task in loaded.tasks}
    escaped = [tid for tid, left in sorted(loaded.writes.items()) if left == ESCAPED]
    if escaped:
        return Finished(f"escaped by {escaped[0]}")
    if loaded.failure or TaskState.failed in states.values():
        return Fails()
    if not states:
        return Asks((QuestionId.stopped,))
    if set(states.values()) <= {TaskState.done, TaskState.interrupted}:
        asked = tuple(iid for each in loaded.questions for iid, _ in each.questions)
        return Asks(asked) if asked else None
    return None


def rejoined(loaded: Loaded, given: Mapping[str, bytes]) -> GoesOn | Asks | Finished:
    """Return how the frame goes on with the answers `given`, by the ids of questions."""
    escaped = [tid for tid, left in sorted(loaded.writes.items()) if left == ESCAPED]
    if escaped:
        return Finished(f"escaped by {escaped[0]}")
    if not loaded.tasks:
        return GoesOn(None)
    again = [AgainEntry(task.tid) for task in loaded.tasks if task.st in WAITING]
    waiting = list[str]()
    for each in loaded.questions:
        iids = [iid for iid, _ in each.questions]
        answers = tuple(given[iid] for iid in iids if iid in given)
        if answers or iids == [QuestionId.stopped]:
            again.append(AgainEntry(each.tid, answers))
        else:
            waiting += iids
    runs = {TaskState.queued, TaskState.running} & {task.st for task in loaded.tasks}
    if waiting and not again and not runs:
        return Asks(tuple(waiting))
    return GoesOn(tuple(again))
