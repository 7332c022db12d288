"""What an attempt at a task that is a graph does, by what it finds of its frame."""

from __future__ import annotations

from tests.model.around import asked_in, is_alive, is_part
from tests.model.state import Frame, Nonce, Scenario, Store, Task, frame_of


def found(scenario: Scenario, store: Store, kind: str, task: Task) -> Nonce:
    """Return what the attempt that has just claimed ``task`` will do.

    ``open`` a superstep, go on with the open one (``again``, with the tasks that run again), or
    tell the frame around that the graph is ``over``, has ``left``, has ``failed``, or ``asks``.
    """
    index = frame_of(kind)
    if scenario.waves(index):
        return _of_calls(scenario, store, index, task)
    head, frame = store.heads[index], store.frames[index]
    if head == len(scenario.plan(index)):
        return ("over",)
    if frame is None or not _belongs(scenario, store, index):
        return "open", frame and frame.ep, head
    if not frame.tasks:
        told = task.rnd != frame.rnd or scenario.without == "round of a stop"
        return ("open", frame.ep, head) if told and not task.risen else ("asks", frozenset())
    return _of_open(scenario, frame, task)


def _of_open(scenario: Scenario, frame: Frame, task: Task) -> Nonce:
    states = {each.st for each in frame.tasks}
    if "E" in states:
        return "left", min(each.by[3] for each in frame.tasks if each.st == "E")
    if task.risen and "X" in states:
        return ("failed",)
    if task.risen and states <= {"I", "D"} and "I" in states:
        return "asks", asked_in(scenario, frame)
    # A late result may have taken the place of what was to be collected.
    named = () if task.risen else _again(scenario, frame, task)
    return "again", frame.ep, named


def _of_calls(scenario: Scenario, store: Store, index: int, task: Task) -> Nonce:
    """Run the body up to the first wait for a call that has no result."""
    frame = store.frames[index]
    part = frame is not None and _belongs(scenario, store, index)
    count = sum(scenario.waves(index))
    calls = frame.tasks if frame and part else (Task("N", (0, 0), None, 0, None),) * count
    before = 0
    for size in scenario.waves(index):
        before += size
        made = calls[:before]
        if all(each.st == "D" or _is_caught(scenario, task, each) for each in made):
            continue
        again = scenario.without == "failed calls of a retry"
        if "X" in {each.st for each in made} and not scenario.caught and (task.risen or again):
            return ("failed",)
        return _waits(scenario, frame if part else None, task, (frame and frame.ep, made))
    return ("over",)


def _is_caught(scenario: Scenario, task: Task, call: Task) -> bool:
    """What is not of the attempts that go on with this wave of calls runs again."""
    return call.st == "X" and scenario.caught and task.risen


def _waits(scenario: Scenario, frame: Frame | None, task: Task, at: Nonce) -> Nonce:
    seen, made = at
    named: list[Nonce] = []
    for tid, each in enumerate(made):
        again = "N" if task.risen else "NXBP"
        answered = task.given & {each.by} if each.st == "I" else frozenset()
        if each.st in again or answered:
            named.append((tid, answered))
    if frame and not named and all(each.st in "IDX" for each in made):
        return "asks", asked_in(scenario, frame)
    return ("again" if frame else "open"), seen, tuple(named)


def _belongs(scenario: Scenario, store: Store, index: int) -> bool:
    if scenario.without == "superstep around":
        return True
    if scenario.without == "superstep of an adoption":
        return is_alive(scenario, store, index)
    return is_part(scenario, store, index)


def _again(scenario: Scenario, frame: Frame, task: Task) -> tuple[Nonce, ...]:
    """Return the tasks that run again, each with what was answered of its questions."""
    released = task.rnd != frame.rnd
    states = "XB" if scenario.without == "parked of a rejoin" else "XBP"
    named: list[Nonce] = []
    for tid, (each, kind) in enumerate(zip(frame.tasks, scenario.kinds(frame.ep), strict=True)):
        if each.st in states:
            named.append((tid, frozenset()))
        elif each.st == "I":
            asked = each.by if frame_of(kind) else frozenset({each.by})
            answered = asked & task.given
            if answered or (not asked and released):
                named.append((tid, answered))
    return tuple(named)
