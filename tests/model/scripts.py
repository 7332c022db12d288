"""The scripts that workers call, each one atomic, with the safeguards that they check."""

from __future__ import annotations

from tests.model.around import (
    Change,
    check_present,
    go_up,
    is_alive,
    is_parked,
)
from tests.model.rejoining import (
    found,
)
from tests.model.state import (
    IDLE,
    Epoch,
    Nonce,
    Scenario,
    Store,
    Task,
    Violation,
    frame_at,
    frame_of,
    index_of,
    inner_steps,
    leaves,
    with_frame,
    with_task,
)


def fence(scenario: Scenario, store: Store, ep: Epoch, allowed: str = "R") -> int | None:
    """Return the frame whose open superstep is ``ep``, when the thread may be written to."""
    index = index_of(ep)
    frame = store.frames[index]
    if frame is None or store.st not in allowed:
        return None
    alive = is_alive(scenario, store, index) or scenario.without == "around"
    if scenario.without == "epoch" or (scenario.same(frame.ep, ep) and alive):
        return index
    return None


def claim(scenario: Scenario, store: Store, ep: Epoch, tid: int, era: int) -> Change:
    """Take a queued task for an attempt, which goes on from what is stored of a graph inside."""
    index = fence(scenario, store, ep)
    if index is None or tid >= len(frame_at(store, index).tasks):
        return store, IDLE
    task = frame_at(store, index).tasks[tid]
    if task.st != "Q" or not is_parked(scenario, store, index):
        return store, IDLE
    n = min(task.n + 1, scenario.zombies + 1)
    frame = frame_at(store, index)
    kind = scenario.kinds(frame.ep)[tid]
    # What it does tells attempts apart that have one number: tasks lose no lease by parking.
    plan = found(scenario, store, kind, task) if frame_of(kind) else ()
    token = (n, plan, era) if plan else (n, era)
    store = with_task(store, index, tid, task._replace(st="R", tok=token, n=n))
    if plan:
        return store, ("frame", frame.ep, tid, task.rnd, token, plan)
    return store, ("exec", frame.ep, tid, task.rnd, token, task.inner, frame.adopted)


def claim_advance(scenario: Scenario, store: Store, ep: Epoch, era: int) -> Change:
    """Take the right to reduce a closed superstep."""
    index = fence(scenario, store, ep)
    if index is None or frame_at(store, index).adv != ("Q",):
        return store, IDLE
    if not is_parked(scenario, store, index):
        return store, IDLE
    return _advance(store, index, era)


def _advance(store: Store, index: int, era: int) -> Change:
    frame = frame_at(store, index)
    n = min(frame.advances + 1, 3)
    store = with_frame(store, index, frame._replace(adv=("L", (n, era)), advances=n))
    left = tuple((frame.ep, tid, t.by) for tid, t in enumerate(frame.tasks) if t.st == "D")
    return store, ("reduce", frame.ep, (n, era), left)


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
    elif any(task.st in _active(scenario, index) for task in frame.tasks):
        return store, IDLE
    if scenario.waves(index) and scenario.without != "no advance of calls":
        return go_up(scenario, store, index)
    if any(task.st == "I" for task in frame.tasks):
        return go_up(scenario, store, index) if index else (store._replace(st="S"), IDLE)
    return (store, IDLE) if frame.adv is not None else _advance(store, index, era)


def _active(scenario: Scenario, index: int) -> str:
    """Return the states of tasks that others wait for; a call that has failed has ended."""
    if not scenario.waves(index):
        return "QRBPXE"
    return {"all calls of a park": "", "end of a failed call": "QRBPX"}.get(
        scenario.without, "QRBP"
    )


def accepts(scenario: Scenario, task: Task, rnd: Nonce, token: Nonce) -> bool:
    """The first finisher of the round wins; ``strict``: the present attempt alone."""
    if scenario.without == "round":
        return task.st in "QRBI"
    current = scenario.same(task.tok, token) and task.st == "R"
    return scenario.same(task.rnd, rnd) and (current if scenario.strict else task.st in "QRBX")


def task_of(scenario: Scenario, store: Store, work: Nonce, allowed: str) -> tuple[int, Task] | None:
    _, ep, tid, *_ = work
    index = fence(scenario, store, ep, allowed)
    if index is None or tid >= len(frame_at(store, index).tasks):
        return None
    return index, frame_at(store, index).tasks[tid]


def complete(scenario: Scenario, store: Store, work: Nonce, era: int, *, asks: bool) -> Change:
    """Record a result, or a question; the last one becomes the reducer."""
    _, ep, tid, rnd, token, inner, adopted = work
    place = task_of(scenario, store, work, "RF")
    if place is None:
        return store, IDLE
    index, task = place
    counted = scenario.without == "set of ids"
    if task.st == "I" if counted else not accepts(scenario, task, rnd, token):
        return store, IDLE
    by = (ep, tid, rnd, token) if asks else (ep, rnd, token)
    check_present(scenario, store, index)
    if adopted != frame_at(store, index).adopted and scenario.without != "epoch":
        raise Violation(f"an attempt at task {tid} of {ep} is older than the thread's adoption")
    if not asks and inner != inner_steps(scenario.kinds(ep)[tid]):
        raise Violation(f"task {tid} of {ep} returned in the middle of the graph that it calls")
    levels = leaves(scenario.kinds(ep)[tid])
    if levels:
        by = (*by, levels)
    left = task._replace(st="I" if asks else "E" if levels else "D", tok=None, by=by)
    if levels:
        return go_up(scenario, with_task(store, index, tid, left), index)
    return barrier(scenario, with_task(store, index, tid, left), index, era)


def fail(scenario: Scenario, store: Store, work: Nonce, era: int) -> Change:
    """Record a failed attempt: of the present one alone."""
    _, _, tid, _, token, *_ = work
    place = task_of(scenario, store, work, "RF" if index_of(work[1]) else "R")
    if place is None:
        return store, IDLE
    index, task = place
    late = scenario.without == "token of a failure" and task.st in "QRBD"
    if not late and not (task.st == "R" and scenario.same(task.tok, token)):
        return store, IDLE
    if index and scenario.fails_for_good:
        return fail_inside(scenario, store, index, tid, era)
    risen = task.risen and scenario.without == "risen of a failure"
    store = with_task(store, index, tid, task._replace(st="B", tok=None, by=None, risen=risen))
    return (store._replace(st="F") if scenario.fails_for_good else store), IDLE


def fail_inside(scenario: Scenario, store: Store, index: int, tid: int, era: int) -> Change:
    """Record that a task of a frame has failed for good; a call that has waits for the others."""
    task = frame_at(store, index).tasks[tid]
    store = with_task(store, index, tid, task._replace(st="X", tok=None, by=None, risen=False))
    if scenario.waves(index) and scenario.without != "others of a failed call":
        return barrier(scenario, store, index, era)
    return go_up(scenario, store, index)


def keep_inner(scenario: Scenario, store: Store, work: Nonce) -> Change:
    """Store a superstep of the graph that the task calls: of the present attempt alone.

    And on top of what it follows: after a fail-over that may be gone though the attempt is not.
    """
    _, ep, tid, rnd, token, inner, adopted = work
    later: Nonce = ("exec", ep, tid, rnd, token, inner + 1, adopted)
    place = task_of(scenario, store, work, "R")
    if place is None:
        return store, IDLE
    index, task = place
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
