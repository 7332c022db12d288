"""The scripts of a task that is a graph: parking it on its frame, recording what it collects."""

from __future__ import annotations

from typing import Any

from tests.model.around import (
    Change,
    asked_in,
    go_up,
    is_inside,
    is_part,
    root_round,
)
from tests.model.rejoining import found
from tests.model.scripts import accepts, barrier, fail_inside, task_of
from tests.model.state import (
    IDLE,
    Frame,
    Nonce,
    Scenario,
    Store,
    Task,
    Violation,
    frame_at,
    frame_of,
    opened,
    questions,
    with_frame,
    with_task,
)


def park(scenario: Scenario, store: Store, work: Nonce, era: int) -> Change:
    """Park a task on its frame, of the present attempt alone: what is open there goes on."""
    _, ep, tid, rnd, token, (how, seen, what) = work
    place = task_of(scenario, store, work, "RF")
    if place is None:
        return store, IDLE
    outer, task = place
    kind = scenario.kinds(ep)[tid]
    index = frame_of(kind)
    mine = scenario.same(task.tok, token) and scenario.same(task.rnd, rnd)
    if task.st == "P" and mine:
        return store, _published(store, index)  # its reply was lost
    if scenario.without == "token of a park":
        mine = task.st in "QRP"
    if not mine or (task.st != "R" and scenario.without != "token of a park"):
        return store, IDLE
    frame = store.frames[index]
    if frame is None and how == "again" and scenario.without == "epoch of a frame":
        raise Violation(f"task {tid} of {ep} goes on with a superstep that is not there")
    if (frame and frame.ep) != seen and scenario.without != "epoch of a frame":
        # What it looked at is not so any more: it looks again.
        return store, ("frame", ep, tid, rnd, token, found(scenario, store, kind, task))
    store = with_task(store, outer, tid, task._replace(st="P", tok=token, risen=False))
    if how == "open":
        return _open(scenario, store, (index, what), task, era)
    return _go_on(scenario, store, (index, what), task, era)


def rejoin_some(scenario: Scenario, store: Store, work: Nonce, era: int) -> Change:
    """Queue one of the tasks that run again, of the present attempt alone; the rest is left."""
    _, ep, tid, rnd, token, (how, seen, named) = work
    place = task_of(scenario, store, work, "R")
    if place is None:
        return store, IDLE
    _, task = place
    if not (scenario.same(task.tok, token) and scenario.same(task.rnd, rnd)):
        return store, IDLE
    kind = scenario.kinds(ep)[tid]
    index = frame_of(kind)
    frame = store.frames[index]
    if frame is None or frame.ep != seen:
        return store, ("frame", ep, tid, rnd, token, found(scenario, store, kind, task))
    first, *rest = named
    store = _run_again(scenario, store, index, (*first, task.rnd != frame.rnd), era)
    return store, ("frame", ep, tid, rnd, token, (how, seen, tuple(rest)))


def _open(scenario: Scenario, store: Store, at: tuple[int, Any], task: Task, era: int) -> Change:
    """Open a superstep of a frame, as part of the one around it."""
    index, what = at
    calls = scenario.waves(index) != ()
    step = 0 if calls else what
    around = frame_at(store, scenario.around(index)[0])
    before = store.frames[index]
    ep = (str(index), store.run, step, frame_at(store, 0).ep[3], era, era)
    if before is not None and is_part(scenario, store, index):
        _check_lost(scenario, store, index, before)
    answered = () if is_inside(scenario, index, scenario.updated) else task.given
    if any(asked[0][:3] == ep[:3] for asked in answered):
        raise Violation(f"what was answered in {ep} is asked again")
    frame = opened(scenario, ep)._replace(
        around=around.ep, within=around.born, rnd=task.rnd, adopted=frame_at(store, 0).adopted
    )
    if calls:
        made = {tid for tid, _ in what}
        tasks = tuple(t if i in made else t._replace(st="N") for i, t in enumerate(frame.tasks))
        frame = frame._replace(tasks=tasks)
    store = with_frame(store, index, frame)
    return store, _published(store, index)


def _check_lost(scenario: Scenario, store: Store, index: int, before: Frame) -> None:
    """Only a breakpoint of which somebody was told makes way for a superstep."""
    if before.tasks:
        raise Violation(f"the open superstep {before.ep} is opened anew")
    if before.told == root_round(scenario, store, index):
        raise Violation(f"the stop at {before.ep} is released, and nobody was told of it")


def _go_on(
    scenario: Scenario, store: Store, at: tuple[int, tuple[Nonce, ...]], task: Task, era: int
) -> Change:
    """Go on with the open superstep; in a new epoch where what ran in the old one is void."""
    index, named = at
    outer, _ = scenario.around(index)
    around, frame, root = frame_at(store, outer), frame_at(store, index), frame_at(store, 0)
    if frame.ep[1] != store.run:
        raise Violation(f"{frame.ep}, which was dropped with its run, goes on")
    if not is_part(scenario, store, index):
        raise Violation(f"{frame.ep}, which was part of {frame.within}, goes on in {around.born}")
    ep = frame.ep
    if frame.around != around.ep and scenario.without != "epoch of a revival":
        ep = (*ep[:3], root.ep[3], ep[4], era)
    due = frame.due or scenario.without != "due of a park"
    store = with_frame(
        store,
        index,
        frame._replace(
            ep=ep,
            around=around.ep,
            rnd=task.rnd,
            due=due,
            adopted=root.adopted,
            adv=frame.adv and ("Q",),
        ),
    )
    for each in named:
        store = _run_again(scenario, store, index, (*each, task.rnd != frame.rnd), era)
    failed = any(each.st in "XE" for each in frame_at(store, index).tasks)
    if failed and not scenario.waves(index) and scenario.without != "failure before a park":
        return go_up(scenario, store, index)
    if scenario.without == "barrier of a park":
        return store, _published(store, index)
    store, then = barrier(scenario, store, index, era)
    if then != IDLE and then[0] == "reduce":
        # Nobody holds the advance: the sweeper gives it to somebody.
        store, then = with_frame(store, index, frame_at(store, index)._replace(adv=("Q",))), IDLE
    return store, _published(store, index) if then == IDLE else then


def _run_again(scenario: Scenario, store: Store, index: int, named: Nonce, era: int) -> Store:
    """Queue a task of the frame: in a new round, where it was answered or told to go on."""
    tid, answered, released = named
    task = frame_at(store, index).tasks[tid]
    inside = frame_of(scenario.kinds(frame_at(store, index).ep)[tid]) > 0
    if answered and (task.st != "I" or (not inside and answered != {task.by})):
        raise Violation(f"the answers {set(answered)} are consumed by {task.by}")
    if task.st not in "IXBPN":
        return store
    told = task.st == "I" and released
    new = answered or told or (inside and scenario.without == "round of the untold")
    rnd = (task.rnd[0] + 1, era) if new else task.rnd
    given = task.given | answered if inside else task.given
    queued = task._replace(st="Q", tok=None, rnd=rnd, n=0, by=None, risen=False, given=given)
    return with_task(store, index, tid, queued)


def _published(store: Store, index: int) -> Nonce:
    """Return what the job publishes that has parked."""
    frame = store.frames[index]
    if frame is None:
        return IDLE
    waiting: list[Nonce] = [
        ("T", frame.ep, t) for t, each in enumerate(frame.tasks) if each.st == "Q"
    ]
    if frame.adv == ("Q",):
        waiting.append(("A", frame.ep))
    return ("publish", tuple(waiting)) if waiting else IDLE


def collect(scenario: Scenario, store: Store, work: Nonce, era: int) -> Change:
    """Record what the present attempt has collected; the last one becomes the reducer."""
    _, ep, tid, rnd, token, plan = work
    place = task_of(scenario, store, work, "RF")
    if place is None:
        return store, IDLE
    outer, task = place
    # What it collected may be of a future that a fail-over has lost, though the round is the same.
    mine = task.st == "R" and scenario.same(task.tok, token) and scenario.same(task.rnd, rnd)
    round_alone = scenario.without == "token of what is collected" and plan[0] != "failed"
    if not mine and not (round_alone and accepts(scenario, task, rnd, token)):
        return store, IDLE
    if plan[0] == "failed":
        return end_badly(scenario, store, (outer, tid), era)
    index = frame_of(scenario.kinds(ep)[tid])
    risen = task.risen and scenario.without == "risen of a result"
    task = task._replace(tok=None, risen=risen)
    match plan:
        case ("over",):
            _check_over(scenario, store, index)
            task = task._replace(st="D", by=(ep, rnd, token, 0))
        case ("left", int(levels)):
            task = task._replace(st="E" if levels > 1 else "D", by=(ep, rnd, token, levels - 1))
        case ("asks", asked):
            _check_asked(scenario, store, index, asked)
            if asked & task.given:
                raise Violation(f"{set(asked & task.given)} is asked again when it is answered")
            task = task._replace(st="I", by=asked)
        case _:
            raise AssertionError(plan)
    store = with_task(store, outer, tid, task)
    if task.st == "E":
        return go_up(scenario, store, outer)
    return barrier(scenario, store, outer, era)


def _check_over(scenario: Scenario, store: Store, index: int) -> None:
    """A graph has committed all of its supersteps; each call was made, and has its own answers."""
    frame = store.frames[index]
    if not scenario.waves(index):
        if store.heads[index] != len(scenario.plan(index)):
            raise Violation(f"frame {index} is not over")
        return
    if frame is None or not is_part(scenario, store, index):
        raise Violation(f"nothing was called in frame {index}")
    for tid, (each, kind) in enumerate(zip(frame.tasks, scenario.kinds(frame.ep), strict=True)):
        if each.st == "X" and scenario.caught:
            continue
        asked = questions(kind)
        if each.st != "D" or (not frame_of(kind) and each.rnd[0] != asked):
            raise Violation(f"call {tid} of frame {index} is {each.st}, answered {each.rnd[0]}")


def _check_asked(scenario: Scenario, store: Store, index: int, asked: frozenset[Nonce]) -> None:
    frame = store.frames[index]
    if frame is None or not is_part(scenario, store, index) or asked_in(scenario, frame) != asked:
        raise Violation(f"a task asks {set(asked)}, which nobody asks in frame {index}")


def end_badly(scenario: Scenario, store: Store, at: tuple[int, int], era: int) -> Change:
    """Record that a frame has failed: its task is tried again, or fails as well."""
    index, tid = at
    risen = scenario.without == "risen of a failure"
    task = frame_at(store, index).tasks[tid]._replace(tok=None, by=None, risen=risen)
    if scenario.parent_retries and store.st == "R":
        return with_task(store, index, tid, task._replace(st="B")), IDLE
    if index == 0:
        return with_task(store, 0, tid, task._replace(st="B"))._replace(st="F"), IDLE
    return fail_inside(scenario, store, index, tid, era)
