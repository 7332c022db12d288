"""Frames inside tasks as the store sees them: which are of the present, and going up."""

from __future__ import annotations

from tests.model.state import (
    IDLE,
    Frame,
    Nonce,
    Scenario,
    Store,
    Task,
    Violation,
    frame_at,
    index_of,
    with_task,
)

Change = tuple[Store, Nonce]
"""The store afterwards, and what the worker does next."""


def is_alive(scenario: Scenario, store: Store, index: int) -> bool:
    """Whether a frame and those around it belong to the open superstep of the root."""
    frame = store.frames[index]
    if frame is None or index == 0:
        return frame is not None
    outer, _ = scenario.around(index)
    around = store.frames[outer]
    present = around is not None and frame.around == around.ep
    return present and is_alive(scenario, store, outer)


def is_inside(scenario: Scenario, index: int, outer: int) -> bool:
    """Whether a frame is the frame ``outer``, or inside of it; of the root nothing is asked."""
    while index and index != outer:
        index, _ = scenario.around(index)
    return index > 0


def is_part(scenario: Scenario, store: Store, index: int) -> bool:
    """Whether a frame's open superstep is part of the superstep that is open around it."""
    frame, around = store.frames[index], store.frames[scenario.around(index)[0]]
    return frame is not None and around is not None and frame.within == around.born


def parent_of(scenario: Scenario, store: Store, index: int) -> Task:
    """Return the task that a frame belongs to."""
    outer, tid = scenario.around(index)
    return frame_at(store, outer).tasks[tid]


def root_round(scenario: Scenario, store: Store, index: int) -> Nonce:
    """Return the round of the root's task that a frame is inside of."""
    outer, tid = scenario.around(index)
    return frame_at(store, 0).tasks[tid].rnd if outer == 0 else root_round(scenario, store, outer)


def outermost(scenario: Scenario, asked: Nonce) -> int:
    """Return the root's task that asks a question."""
    index, tid = index_of(asked[0]), asked[1]
    while index:
        index, tid = scenario.around(index)
    return int(tid)


def is_parked(scenario: Scenario, store: Store, index: int) -> bool:
    """Whether something of a frame may be started: nothing is of one that has gone up."""
    return index == 0 or parent_of(scenario, store, index).st == "P"


def go_up(scenario: Scenario, store: Store, index: int) -> Change:
    """Queue the task that a frame belongs to, for it to collect; its hint is for the caller."""
    outer, tid = scenario.around(index)
    frame = frame_at(store, outer)
    task = frame.tasks[tid]
    anyway = scenario.without == "parked alone goes up"
    if store.st != "R" or (task.st != "P" and not anyway):
        return store, IDLE
    inside = store.frames[index]
    if scenario.waves(index) and inside and any(t.st in "QRBP" for t in inside.tasks):
        raise Violation(f"task {tid} of {frame.ep} goes on, and calls of it are not done")
    if task.st == "D":
        raise Violation(f"task {tid} of {frame.ep} is done and goes on")
    store = with_task(store, outer, tid, task._replace(st="Q", tok=None, risen=True))
    return store, ("publish", (("T", frame.ep, tid),))


def asked_in(
    scenario: Scenario, frame: Frame, asked: frozenset[Nonce] = frozenset()
) -> frozenset[Nonce]:
    """Return the questions of a frame's tasks, those of the frames inside them included."""
    for tid, task in enumerate(frame.tasks):
        if task.st == "I":
            inside = scenario.kinds(frame.ep)[tid].startswith("sub")
            asked |= task.by if inside else {task.by}
    return asked


def check_present(scenario: Scenario, store: Store, index: int) -> None:
    """Nothing below a dropped superstep changes the thread."""
    if not is_alive(scenario, store, index):
        raise Violation(f"frame {index} is not of the present, and changes")
