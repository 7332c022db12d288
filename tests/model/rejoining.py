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
