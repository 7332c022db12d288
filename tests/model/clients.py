"""The scripts that clients call: answers, retries, hand-overs to another graph, and updates."""

from __future__ import annotations

from tests.model.around import is_alive
from tests.model.scripts import barrier
from tests.model.state import (
    IDLE,
    Epoch,
    Frame,
    Nonce,
    Scenario,
    Store,
    System,
    Task,
    Violation,
    checkpoint_of,
    frame_at,
    frame_of,
    index_of,
    with_frame,
    with_task,
)


def retry(scenario: Scenario, store: Store, era: int) -> Store:
    """Go on with a failed superstep; late results may have closed its barrier meanwhile."""
    if store.moves is not None:
        return store
    store = store._replace(st="R")
    for index, frame in enumerate(store.frames):
        for tid, task in enumerate(frame.tasks if frame else ()):
            store = with_task(store, index, tid, _tried_again(scenario, index, task))
    store = released(scenario, store, era)
    if scenario.without == "barrier of a retry":
        return store
    return without_holder(*barrier(scenario, store, 0, era))


def _tried_again(scenario: Scenario, index: int, task: Task) -> Task:
    """What is not of the root is left to the tasks that it is inside of, which go down to it."""
    parked = "P" if scenario.without != "parked of a retry" else ""
    if index == 0 and task.st in "B" + parked:
        return task._replace(st="Q", tok=None, risen=False)
    # It has gone up in a run that has failed: whoever takes it goes on with what is below.
    return task._replace(risen=False) if task.st == "Q" else task


def without_holder(store: Store, work: Nonce) -> Store:
    """Nobody holds the advance that a client's call has won: the sweeper gives it to somebody."""
    if work == IDLE:
        return store
    return with_frame(store, 0, frame_at(store, 0)._replace(adv=("Q",)))


def answer(scenario: Scenario, system: System, asked: Nonce) -> Store | None:
    """Answer as a client does; None when the answer is refused, since its deadline is over too."""
    late = asked in system.over
    if late and scenario.without != "refusal of what is late":
        return None
    store = resume(scenario, system.store, asked, system.era)
    if late and store is not None:
        raise Violation(f"an answer to {asked} was taken after its deadline")
    return store


def resume(scenario: Scenario, store: Store, asked: Nonce, era: int) -> Store | None:
    """Answer the instance ``asked`` of a question; None when the answer is refused."""
    ep, tid, rnd, token = asked
    index = index_of(ep)
    if index:
        return _resume_around(scenario, store, asked, era)
    frame = store.frames[index]
    if frame is None or store.st not in "RS" or not _same_checkpoint(scenario, frame.ep, ep):
        return None
    if store.moves is not None and scenario.without != "one call after the other":
        return None
    task = frame.tasks[tid]
    if not _is_asked(scenario, task, rnd, token):
        return None
    if task.st != "I" or task.by != asked:
        raise Violation(f"the answer to {asked} is consumed by {task.by} in state {task.st}")
    store = released(scenario, with_task(store, index, tid, in_a_new_round(task, era)), era)
    return store._replace(st="R")


def _resume_around(scenario: Scenario, store: Store, asked: Nonce, era: int) -> Store | None:
    """Answer what is asked inside a frame: the root's task asks it, and has the answer."""
    if store.st not in "RS":
        return None
    for tid, task in enumerate(frame_at(store, 0).tasks):
        inside = frame_of(scenario.kinds(frame_at(store, 0).ep)[tid])
        if inside and task.st == "I" and asked in task.by:
            answered = in_a_new_round(task, era)._replace(given=task.given | {asked})
            return released(scenario, with_task(store, 0, tid, answered), era)._replace(st="R")
    return None


def in_a_new_round(task: Task, era: int) -> Task:
    """Queue a task that was answered."""
    return task._replace(st="Q", tok=None, rnd=(task.rnd[0] + 1, era), n=0, by=None)


def released(scenario: Scenario, store: Store, era: int) -> Store:
    """Go on with the tasks of the root whose graphs are at breakpoints."""
    frame = frame_at(store, 0)
    for tid in stopped(scenario, frame):
        store = with_task(store, 0, tid, in_a_new_round(frame.tasks[tid], era))
    return store


def stopped(scenario: Scenario, frame: Frame) -> tuple[int, ...]:
    """Return which tasks call graphs that are at breakpoints."""
    kinds = scenario.kinds(frame.ep)
    asking = (t for t, task in enumerate(frame.tasks) if task.st == "I")
    return tuple(t for t in asking if kinds[t] == "stop" or frame.tasks[t].by == frozenset())


def ask_again(scenario: Scenario, store: Store, era: int) -> Store | None:
    """Go on with a thread in which graphs are at breakpoints; None where others ask too."""
    frame = frame_at(store, 0)
    asking = tuple(tid for tid, task in enumerate(frame.tasks) if task.st == "I")
    if store.st != "S" or not asking or asking != stopped(scenario, frame):
        return None
    return released(scenario, store, era)._replace(st="R")


def _same_checkpoint(scenario: Scenario, one: Epoch, other: Epoch) -> bool:
    """Whether a task's id, which comes from its checkpoint, is still that of a task here."""
    return scenario.same(("", *checkpoint_of(one)), ("", *checkpoint_of(other)))


def _is_asked(scenario: Scenario, task: Task, rnd: Nonce, token: Nonce) -> bool:
    match scenario.without:
        case "pending question":
            return task.st in "QRI"
        case "id of an instance":
            return task.st == "I"
        case "id of an attempt":
            return task.st == "I" and scenario.same(task.rnd, rnd)
        case _:
            asked = task.by[3] if task.st == "I" and task.by else None
            return task.st == "I" and scenario.same(task.rnd, rnd) and scenario.same(asked, token)


def adopt(scenario: Scenario, store: Store, era: int) -> Store:
    """Take a thread over to a changed graph: in a new epoch what had not ended begins again."""
    frame = frame_at(store, 0)
    which, run, step, adopted, born, _ = frame.ep
    ep = (which, run, step, adopted + (scenario.without != "epoch of an adoption"), born, era)
    tasks = tuple(
        task._replace(st="Q", tok=None, inner=0) if task.st in "RBP" else task
        for task in frame.tasks
    )
    changed = Frame(ep, tasks, None, frame.open, frame.born, frame.adopted + 1)
    store = with_frame(store, 0, changed)
    return without_holder(*barrier(scenario, store, 0, era)) if store.st == "R" else store


def update_inside(scenario: Scenario, store: Store, era: int) -> Store | None:
    """Put a checkpoint on a frame of a waiting thread, as a saver does: what is open there is over.

    The thread has a new epoch; what is open of other frames goes on with it. None where it is not
    possible.
    """
    index = scenario.updated
    if store.st != "S" or not is_alive(scenario, store, index):
        return None
    root = frame_at(store, 0)
    which, run, step, voided, born, _ = root.ep
    root = root._replace(ep=(which, run, step, voided + 1, born, era))
    return with_frame(with_frame(store, 0, root), index, None)
