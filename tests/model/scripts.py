"""The scripts of the store, each one atomic transition, with the safeguards that they check."""

from __future__ import annotations

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
    index_of,
    inner_steps,
    opened,
    questions,
    with_frame,
    with_task,
)

Change = tuple[Store, Nonce]
"""The store afterwards, and what the worker does next."""


def fence(scenario: Scenario, store: Store, ep: Epoch, allowed: str = "R") -> int | None:
    """Return the frame whose open superstep is ``ep``, when the thread may be written to."""
    index = index_of(ep)
    frame = store.frames[index]
    if frame is None or store.st not in allowed:
        return None
    if scenario.without == "epoch" or scenario.same(frame.ep, ep):
        return index
    return None


def claim(scenario: Scenario, store: Store, ep: Epoch, tid: int, era: int) -> Change:
    """Take a queued task for an attempt, which goes on from what is stored of a graph inside."""
    index = fence(scenario, store, ep)
    if index is None or tid >= len(frame_at(store, index).tasks):
        return store, IDLE
    task = frame_at(store, index).tasks[tid]
    if task.st != "Q":
        return store, IDLE
    n = min(task.n + 1, scenario.zombies + 1)
    token = (n, era)
    store = with_task(store, index, tid, task._replace(st="R", tok=token, n=n))
    frame = frame_at(store, index)
    return store, ("exec", frame.ep, tid, task.rnd, token, task.inner, frame.adopted)


def claim_advance(scenario: Scenario, store: Store, ep: Epoch, era: int) -> Change:
    """Take the right to reduce a closed superstep."""
    index = fence(scenario, store, ep)
    if index is None or frame_at(store, index).adv != ("Q",):
        return store, IDLE
    return _advance(store, index, era)


def _advance(store: Store, index: int, era: int) -> Change:
    n = min(store.advances + 1, 3)
    frame = frame_at(store, index)
    store = with_frame(store, index, frame._replace(adv=("L", (n, era))))
    left = tuple((frame.ep, tid, t.by) for tid, t in enumerate(frame.tasks) if t.st == "D")
    return store._replace(advances=n), ("reduce", frame.ep, (n, era), left)


def barrier(scenario: Scenario, store: Store, index: int, era: int) -> Change:
    """Look whether the superstep is closed, after a task has left the active ones."""
    if store.st == "F" or (store.moves is not None and scenario.without != "hold of a move"):
        return store, IDLE
    frame = frame_at(store, index)
    if scenario.without == "set of ids":
        frame = frame._replace(open=frame.open - 1)
        store = with_frame(store, index, frame)
        if frame.open > 0:
            return store, IDLE
    elif any(task.st in "QRBP" for task in frame.tasks):
        return store, IDLE
    if any(task.st == "I" for task in frame.tasks):
        return _paused(scenario, store, index, era)
    return (store, IDLE) if frame.adv is not None else _advance(store, index, era)


def _paused(scenario: Scenario, store: Store, index: int, era: int) -> Change:
    if index == 0:
        return store._replace(st="S"), IDLE
    parent = parent_of_child(scenario, store)
    task = frame_at(store, 0).tasks[parent]
    return barrier(scenario, with_task(store, 0, parent, task._replace(st="I")), 0, era)


def parent_of_child(scenario: Scenario, store: Store) -> int:
    """Return the task of the root frame that the child frame belongs to."""
    return scenario.kinds(frame_at(store, 0).ep).index("sub")


def _accepts(scenario: Scenario, task: Task, rnd: Nonce, token: Nonce) -> bool:
    """The first finisher of the round wins; ``strict``: the present attempt alone."""
    if scenario.without == "round":
        return task.st in "QRBI"
    current = scenario.same(task.tok, token) and task.st == "R"
    return scenario.same(task.rnd, rnd) and (current if scenario.strict else task.st in "QRB")


def _task_of(
    scenario: Scenario, store: Store, work: Nonce, allowed: str
) -> tuple[int, Task] | None:
    _, ep, tid, *_ = work
    index = fence(scenario, store, ep, allowed)
    if index is None or tid >= len(frame_at(store, index).tasks):
        return None
    return index, frame_at(store, index).tasks[tid]


def complete(scenario: Scenario, store: Store, work: Nonce, era: int, *, asks: bool) -> Change:
    """Record a result, or a question; the last one becomes the reducer."""
    _, ep, tid, rnd, token, inner, adopted = work
    found = _task_of(scenario, store, work, "RF")
    if found is None:
        return store, IDLE
    index, task = found
    counted = scenario.without == "set of ids"
    if task.st == "I" if counted else not _accepts(scenario, task, rnd, token):
        return store, IDLE
    by = (ep, tid, rnd, token) if asks else (ep, rnd, token)
    if adopted != frame_at(store, index).adopted and scenario.without != "epoch":
        raise Violation(f"an attempt at task {tid} of {ep} is older than the thread's adoption")
    if not asks and inner != inner_steps(scenario.kinds(ep)[tid]):
        raise Violation(f"task {tid} of {ep} returned in the middle of the graph that it calls")
    left = task._replace(st="I" if asks else "D", tok=None, by=by)
    return barrier(scenario, with_task(store, index, tid, left), index, era)


def fail(scenario: Scenario, store: Store, work: Nonce) -> Change:
    """Record a failed attempt: of the present one alone."""
    _, _, tid, _, token, *_ = work
    found = _task_of(scenario, store, work, "R")
    if found is None:
        return store, IDLE
    index, task = found
    late = scenario.without == "token of a failure" and task.st in "QRBD"
    if not late and not (task.st == "R" and scenario.same(task.tok, token)):
        return store, IDLE
    store = with_task(store, index, tid, task._replace(st="B", tok=None, by=None))
    return (store._replace(st="F") if scenario.fails_for_good else store), IDLE


def keep_inner(scenario: Scenario, store: Store, work: Nonce) -> Change:
    """Store a superstep of the graph that the task calls: of the present attempt alone.

    And on top of what it follows: after a fail-over that may be gone though the attempt is not.
    """
    _, ep, tid, rnd, token, inner, adopted = work
    later: Nonce = ("exec", ep, tid, rnd, token, inner + 1, adopted)
    found = _task_of(scenario, store, work, "R")
    if found is None:
        return store, IDLE
    index, task = found
    if scenario.without != "token of an inner frame" and not (
        task.st == "R" and scenario.same(task.tok, token)
    ):
        return store, IDLE
    if task.inner == inner + 1 and scenario.same(task.tok, token):
        return store, later  # its reply was lost
    if task.inner != inner:
        if scenario.without not in {"token of an inner frame", "head of an inner frame"}:
            return store, IDLE
        raise Violation(f"inner superstep {inner + 1} of task {tid} was stored over {task.inner}")
    return with_task(store, index, tid, task._replace(inner=inner + 1)), later


def spawn(scenario: Scenario, store: Store, work: Nonce, era: int) -> Change:
    """Park a task on a child frame: of the present attempt alone."""
    _, _, tid, _, token, *_ = work
    found = _task_of(scenario, store, work, "R")
    if found is None:
        return store, IDLE
    index, task = found
    if not (task.st == "R" and scenario.same(task.tok, token)) or store.frames[1] is not None:
        return store, IDLE
    store = with_task(store, index, tid, task._replace(st="P", tok=None))
    child = opened(scenario, ("c", store.run, 0, 0, era, era))
    store = with_frame(store, 1, child)
    return store, ("publish", tuple(("T", child.ep, k) for k in range(len(child.tasks))))


def commit(scenario: Scenario, store: Store, work: Nonce, era: int) -> Change:
    """Replace a closed superstep by the next one: by whoever holds the advance alone."""
    _, ep, token, writes = work
    index = fence(scenario, store, ep)
    if index is None:
        return store, IDLE
    frame = frame_at(store, index)
    if frame.adv is None:
        return store, IDLE
    leased = frame.adv[0] == "L" and scenario.same(frame.adv[1], token)
    if scenario.without != "token of the advance" and not leased:
        return store, IDLE
    _check(scenario, frame, writes)
    which, run, step, *_ = frame.ep
    if (which, run, step) in store.committed:
        raise Violation(f"superstep {frame.ep} is committed twice")
    store = store._replace(committed=(*store.committed, (which, run, step)), advances=0)
    if step + 1 < len(scenario.steps if which == "r" else scenario.child):
        return _next(scenario, store, index, (which, run, step + 1, 0, era, era))
    if which == "r":
        return store._replace(st="D"), IDLE
    return _child_over(scenario, store, era)


def _next(scenario: Scenario, store: Store, index: int, ep: Epoch) -> Change:
    if index == 0 and store.frames[1] is not None:
        raise Violation("the parent advances while its child frame is open")
    frame = opened(scenario, ep)
    store = with_frame(store, index, frame)
    return store, ("publish", tuple(("T", ep, tid) for tid in range(len(frame.tasks))))


def _child_over(scenario: Scenario, store: Store, era: int) -> Change:
    """The end of a child frame completes the task of its parent in the same script."""
    store = with_frame(store, 1, None)
    parent = parent_of_child(scenario, store)
    frame = frame_at(store, 0)
    task = frame.tasks[parent]
    if task.st != "P":
        raise Violation("a child frame ended whose parent's task is not parked")
    done = task._replace(st="D", by=(frame.ep, task.rnd, None))
    return barrier(scenario, with_task(store, 0, parent, done), 0, era)


def _check(scenario: Scenario, frame: Frame, writes: tuple[Nonce, ...]) -> None:
    """Exactly the tasks of this superstep, each once, from here, with the answers given to it."""
    if sorted(write[1] for write in writes) != list(range(len(frame.tasks))):
        raise Violation(f"superstep {frame.ep} applies the writes of {[w[1] for w in writes]}")
    for ep, tid, by in writes:
        task, kind = frame.tasks[tid], scenario.kinds(frame.ep)[tid]
        if checkpoint_of(ep) != checkpoint_of(frame.ep):
            raise Violation(f"superstep {frame.ep} applies writes that were recorded for {ep}")
        if kind == "sub":
            continue
        if by is None or checkpoint_of(by[0]) != checkpoint_of(frame.ep):
            raise Violation(f"task {tid} of {frame.ep}: writes that were computed elsewhere, {by}")
        if by != task.by or by[1] != task.rnd:
            raise Violation(f"task {tid} of {frame.ep}: writes {by}, but {task.by} was recorded")
        if task.rnd[0] != questions(kind):
            raise Violation(f"task {tid} of {frame.ep} consumed {task.rnd[0]} answers")


def retry(scenario: Scenario, store: Store, era: int) -> Store:
    """Go on with a failed superstep; late results may have closed its barrier meanwhile."""
    if store.moves is not None:
        return store
    store = store._replace(st="R")
    for index, frame in enumerate(store.frames):
        for tid, task in enumerate(frame.tasks if frame else ()):
            if task.st == "B":
                store = with_task(store, index, tid, task._replace(st="Q"))
    store = released(scenario, store, era)
    if scenario.without == "barrier of a retry":
        return store
    return without_holder(*barrier(scenario, store, 0, era))


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
    if index == 1:
        parent = parent_of_child(scenario, store)
        waiting = frame_at(store, 0).tasks[parent]
        store = with_task(store, 0, parent, waiting._replace(st="P", by=None))
    return store._replace(st="R")


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
    return tuple(t for t, task in enumerate(frame.tasks) if (task.st, kinds[t]) == ("I", "stop"))


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
        task._replace(st="Q", tok=None, inner=0) if task.st in "RB" else task
        for task in frame.tasks
    )
    store = with_frame(store, 0, Frame(ep, tasks, None, frame.open, frame.adopted + 1))
    return without_holder(*barrier(scenario, store, 0, era)) if store.st == "R" else store
