"""Answers to many questions in one call: staged, accepted by one script, moved one by one."""

from __future__ import annotations

from tests.model.clients import in_a_new_round, released, without_holder
from tests.model.scripts import barrier
from tests.model.state import Frame, Nonce, Scenario, Store, Violation, frame_at, with_task


def moment(frame: Frame) -> Nonce:
    """Return what changes with every answer to one of the superstep's tasks."""
    return frame.ep, tuple(task.rnd for task in frame.tasks)


def asked_now(store: Store, known: frozenset[Nonce]) -> frozenset[Nonce]:
    """Return which of the questions that a client knows wait in the root frame."""
    frame = frame_at(store, 0)
    return known & {task.by for task in frame.tasks if task.st == "I" and task.by}


def stage(store: Store, known: frozenset[Nonce]) -> Store | None:
    """Store answers to all that is asked and known; None where that is refused, or not many."""
    asked = asked_now(store, known) if store.st in "RS" and store.moves is None else frozenset()
    if len(asked) < 2:
        return None
    return store._replace(staged=(moment(frame_at(store, 0)), tuple(sorted(asked))))


def give(scenario: Scenario, store: Store, era: int) -> Store | None:
    """Accept what was staged, all of it or nothing."""
    if store.staged is None or store.st not in "RS" or store.moves is not None:
        return None
    at, asked = store.staged
    if at != moment(frame_at(store, 0)) and scenario.without != "moment of what is staged":
        return None
    given = store._replace(staged=None, moves=frozenset(asked), st="R")
    return released(scenario, given, era)


def move(scenario: Scenario, store: Store, asked: Nonce, era: int) -> Store:
    """Queue the task of one answer; the last one looks at the barrier."""
    tasks = frame_at(store, 0).tasks
    task = tasks[asked[1]] if asked[1] < len(tasks) else None
    if task is None or task.st != "I" or task.by != asked:
        raise Violation(f"the answer to {asked} is moved to {task}")
    store = with_task(store, 0, asked[1], in_a_new_round(task, era))
    left = (store.moves or frozenset()) - {asked}
    store = store._replace(moves=left or None)
    return store if left else without_holder(*barrier(scenario, store, 0, era))
