"""Everything that may happen next: moves of workers, broker, sweeper, client and store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.model import calls, parking, rejoining, scripts, wide
from tests.model.around import Change, asked_in, is_alive, is_part, outermost
from tests.model.state import (
    IDLE,
    Frame,
    Nonce,
    Scenario,
    Store,
    System,
    frame_at,
    frame_of,
    index_of,
    inner_steps,
    opened,
    questions,
    with_frame,
    with_task,
)


class Move(NamedTuple):
    """One thing that may happen; the way out of any state needs no ``fault``."""

    label: str
    fault: bool
    after: System


def moves(scenario: Scenario, system: System) -> Iterator[Move]:
    """Yield everything that may happen next."""
    for index in {worker: i for i, worker in enumerate(system.workers)}.values():
        yield from _worker(scenario, system, index)
    for message in system.messages:
        yield Move(f"drop {message}", True, _without(system, message))
    yield from _sweeper(scenario, system)
    yield from _client(scenario, system)
    yield from _fail_over(system)


def current(scenario: Scenario, system: System) -> System:
    """Return the system without what makes no difference where graphs are frames.

    That is messages that nobody can take now: what is queued later has messages of its own, or
    sweeps publish them. And a client sees each question at once, since it may answer at any time.
    """
    if not scenario.frames or scenario.without in {"epoch", "around"}:
        return system
    store = system.store
    asked = asked_in(scenario, frame_at(store, 0)) if store.st in "RS" else frozenset()
    taken = frozenset(m for m in system.messages if _is_waited_for(store, m))
    # A fail-over brings back what has been.
    messages = system.messages if system.budget.fail_overs else taken
    return system._replace(messages=messages, known=system.known | asked)


def _is_waited_for(store: Store, message: Nonce) -> bool:
    kind, ep, *tid = message
    frame = store.frames[index_of(ep)]
    if frame is None or frame.ep != ep:
        return False
    return frame.tasks[tid[0]].st == "Q" if kind == "T" else frame.adv == ("Q",)


def _worker(scenario: Scenario, system: System, index: int) -> Iterator[Move]:
    work = system.workers[index]
    if work == IDLE:
        yield from _takes(scenario, system, index)
        return
    yield Move(f"crash in {work[0]}", True, _put(system, index, IDLE))
    match work[0]:
        case "exec":
            yield from _executes(scenario, system, index)
        case "frame":
            yield from _goes_down(scenario, system, index)
        case "reduce":
            yield from _calls(scenario, system, index, "commit")
        case _:
            yield from _publishes(system, index)


def _takes(scenario: Scenario, system: System, index: int) -> Iterator[Move]:
    for message in system.messages:
        kind, ep, *tid = message
        if kind == "T":
            store, work = scripts.claim(scenario, system.store, ep, tid[0], system.era)
        else:
            store, work = scripts.claim_advance(scenario, system.store, ep, system.era)
        taken = _put(system, index, work)._replace(store=store)
        yield Move(f"take {message}", False, _without(taken, message))
        if work != IDLE:
            yield Move(f"take {message}, which comes again", False, taken)


def _executes(scenario: Scenario, system: System, index: int) -> Iterator[Move]:
    _, ep, tid, rnd, _, inner, _ = system.workers[index]
    kind = scenario.kinds(ep)[tid]
    if rnd[0] < questions(kind) and inner >= min(1, inner_steps(kind)):
        yield from _calls(scenario, system, index, "ask")
    elif inner < inner_steps(kind):
        yield from _calls(scenario, system, index, "keep inner")
    else:
        yield from _calls(scenario, system, index, "complete")
    yield from _fails(scenario, system, index)


def _fails(scenario: Scenario, system: System, index: int) -> Iterator[Move]:
    if system.budget.fails:
        budget = system.budget._replace(fails=system.budget.fails - 1)
        yield from _calls(scenario, system._replace(budget=budget), index, "fail")


def _goes_down(scenario: Scenario, system: System, index: int) -> Iterator[Move]:
    """An attempt at a graph looks at its frame, at once or later, and does what it found."""
    _, ep, tid, rnd, token, plan = system.workers[index]
    parks = plan[0] in {"open", "again"}
    yield from _calls(scenario, system, index, "park" if parks else "collect")
    yield from _fails(scenario, system, index)
    if system.replica is not None and (frame := system.store.frames[index_of(ep)]):
        task, kind = frame.tasks[tid], scenario.kinds(ep)[tid]
        later = ("frame", ep, tid, rnd, token, rejoining.found(scenario, system.store, kind, task))
        yield Move(f"look at the frame of {tid}", False, _put(system, index, later))


def _calls(scenario: Scenario, system: System, index: int, what: str) -> Iterator[Move]:
    """A script of the worker: its reply comes, or is lost and the script is called again."""
    work, lost = system.workers[index], system.budget.lost
    store, then = _script(scenario, system, work, what)
    label = f"{what} {work[1:3]}"
    yield Move(label, what == "fail", _put(system, index, then)._replace(store=store))
    if lost and store != system.store:
        budget = system.budget._replace(lost=lost - 1)
        yield Move(f"{label}, reply lost", True, system._replace(store=store, budget=budget))


def _script(scenario: Scenario, system: System, work: Nonce, what: str) -> Change:
    store, era = system.store, system.era
    match what:
        case "commit":
            return scripts.commit(scenario, store, work, era)
        case "park":
            return parking.park(scenario, store, work, era)
        case "collect":
            return parking.collect(scenario, store, work, era)
        case "keep inner":
            return scripts.keep_inner(scenario, store, work)
        case "fail":
            return scripts.fail(scenario, store, work)
        case _:
            return scripts.complete(scenario, store, work, era, asks=what == "ask")


def _publishes(system: System, index: int) -> Iterator[Move]:
    _, waiting = system.workers[index]
    for message in waiting:
        rest = tuple(each for each in waiting if each != message)
        after = _put(system, index, ("publish", rest) if rest else IDLE)
        yield Move(f"publish {message}", False, _with(after, message))


def _sweeper(scenario: Scenario, system: System) -> Iterator[Move]:
    for index, frame in enumerate(system.store.frames):
        yield from _looks_inside(scenario, system, index)
        alive = is_alive(scenario, system.store, index)
        if system.store.st == "R" and frame is not None and alive and frame.due:
            for tid in range(len(frame.tasks)):
                yield from _looks_at_task(scenario, system, frame, tid)
            yield from _looks_at_advance(scenario, system, index, frame)


def _looks_inside(scenario: Scenario, system: System, index: int) -> Iterator[Move]:
    """Of what is not of a busy thread's present nothing is due; what is part of nothing goes."""
    store, frame = system.store, system.store.frames[index]
    if index == 0 or frame is None:
        return
    alive = is_alive(scenario, store, index)
    part = is_part(scenario, store, index)
    if frame.due and (store.st != "R" or not alive):
        forgotten = with_frame(store, index, frame._replace(due=False))
        yield Move(f"a sweep forgets frame {index}", False, system._replace(store=forgotten))
    if store.st == "R" and not alive and (not part or scenario.without == "part of a superstep"):
        dropped = with_frame(store, index, None)
        yield Move(f"a sweep drops frame {index}", False, system._replace(store=dropped))


def _looks_at_task(scenario: Scenario, system: System, frame: Frame, tid: int) -> Iterator[Move]:
    task, message = frame.tasks[tid], ("T", frame.ep, tid)
    queued = with_task(system.store, index_of(frame.ep), tid, task._replace(st="Q", tok=None))
    match task.st:
        case "Q" if message not in system.messages and scenario.without != (
            "outbox of who went up" if task.risen else "outbox"
        ):
            yield Move(f"publish {message} again", False, _with(system, message))
        case "B":
            yield Move(f"back-off of {tid} is over", False, system._replace(store=queued))
        case "R":
            mine = (frame.ep, tid)
            held = any(w[1:3] == mine and w[4:5] == (task.tok,) for w in system.workers)
            after = system._replace(store=queued)
            if not held:
                yield Move(f"lease of a dead worker on {tid} ran out", False, after)
            elif task.n < scenario.zombies:
                yield Move(f"lease of a living worker on {tid} ran out", True, after)
        case _:
            pass


def _looks_at_advance(
    scenario: Scenario, system: System, index: int, frame: Frame
) -> Iterator[Move]:
    if frame.adv is None:
        return
    if frame.adv[0] == "L" and scenario.without != "lease of the advance":
        mine = ("reduce", frame.ep, frame.adv[1])
        held = any(worker[:3] == mine for worker in system.workers)
        if not held or frame.advances < 2:
            store = with_frame(system.store, index, frame._replace(adv=("Q",)))
            yield Move("lease of the advance ran out", held, system._replace(store=store))
    message = ("A", frame.ep)
    if frame.adv == ("Q",) and message not in system.messages:
        yield Move("publish the advance again", False, _with(system, message))


def _client(scenario: Scenario, system: System) -> Iterator[Move]:
    yield from _answers(scenario, system)
    if scenario.wide:
        yield from _wide(scenario, system)
    store, budget = system.store, system.budget
    if store.st == "F":
        retried = calls.retry(scenario, store, system.era)
        yield Move("retry the failed superstep", False, system._replace(store=retried))
    if budget.cancels and store.st in "RSF":
        again = _cancelled(scenario, system)
        spent = budget._replace(cancels=budget.cancels - 1)
        yield Move("cancel, start again", False, system._replace(store=again, budget=spent))
    if budget.adopts and store.st in "RSF":
        adopted = calls.adopt(scenario, store, system.era)
        spent = budget._replace(adopts=budget.adopts - 1)
        yield Move("adopt", False, system._replace(store=adopted, budget=spent))
    updated = calls.update_inside(scenario, store, system.era) if budget.updates else None
    if updated is not None:
        spent = budget._replace(updates=budget.updates - 1)
        yield Move("update a frame", False, system._replace(store=updated, budget=spent))


def _cancelled(scenario: Scenario, system: System) -> Store:
    """Cancel and start: the new run has a new epoch, from the same checkpoint as the old one."""
    ep = ("r", 1, 0, 0, system.era, system.era)
    if scenario.without == "epoch of a cancel":
        old = system.store.frames[0]
        ep = old.ep if old else ep
    store = system.store
    # What has been stored of frames stays, and that of the same checkpoint is gone on with.
    again = store.frames[0] is not None and store.frames[0].ep[2] == 0
    heads = store.heads[1:] if again else (0,) * len(scenario.frames)
    frames = (opened(scenario, ep), *store.frames[1:])
    return Store("R", ep[1], frames, frozenset(), (0, *heads), store.staged)


def _answers(scenario: Scenario, system: System) -> Iterator[Move]:
    frame = system.store.frames[0]
    for tid, task in enumerate(frame.tasks if frame and system.store.st in "RS" else ()):
        kind = scenario.kinds(frame.ep)[tid] if frame else ""
        if task.st == "I" and kind != "stop":
            for asked in task.by if frame_of(kind) else (task.by,):
                yield from _sees(scenario, system, asked)
    for asked in system.known:
        store = calls.answer(scenario, system, asked)
        if store is not None:
            tid = outermost(scenario, asked)
            hint = ("T", frame_at(store, 0).ep, tid)
            after = _with(system._replace(store=store), hint)
            yield Move(f"answer {asked}", False, after)
    for asked in system.late:
        store = calls.resume(scenario, system.store, asked, system.era)
        if store is not None:
            after = system._replace(store=store)
            yield Move(f"the default for {asked}", scenario.without == "sweep of a deadline", after)
    if (again := calls.ask_again(scenario, system.store, system.era)) is not None:
        yield Move("go on from breakpoints", False, system._replace(store=again))


def _wide(scenario: Scenario, system: System) -> Iterator[Move]:
    """Many answers in one call; its client may be gone, so that sweeps move what it left."""
    store, era = system.store, system.era
    if (staged := wide.stage(store, system.known)) is not None:
        yield Move("stage answers", False, system._replace(store=staged))
    if (given := wide.give(scenario, store, era)) is not None:
        yield Move("give what was staged", False, system._replace(store=given))
    for asked in store.moves or ():
        after = system._replace(store=wide.move(scenario, store, asked, era))
        hinted = _with(after, ("T", frame_at(store, 0).ep, asked[1])) if store.st == "R" else after
        yield Move(f"move the answer to {asked}", scenario.without == "sweep of a move", hinted)


def _sees(scenario: Scenario, system: System, asked: Nonce) -> Iterator[Move]:
    if asked not in system.known:
        known = system.known | {asked}
        yield Move(f"see the question {asked}", False, system._replace(known=known))
    if not scenario.deadlines:
        return
    if asked not in system.over:
        over = system._replace(over=system.over | {asked})
        yield Move(f"the deadline of {asked} is over", True, over)
    elif asked not in system.late:
        late = system._replace(late=system.late | {asked})
        yield Move(f"a sweep finds {asked}", scenario.without == "sweep of a deadline", late)


def _fail_over(system: System) -> Iterator[Move]:
    if not system.budget.fail_overs or system.era:
        return
    if system.replica is None:
        yield Move("the replica stops here", False, system._replace(replica=system.store))
    elif system.replica != system.store:
        spent = system.budget._replace(fail_overs=0)
        after = system._replace(store=system.replica, replica=None, era=1, budget=spent)
        yield Move("fail-over, a suffix is lost", True, after)


def _put(system: System, index: int, work: Nonce) -> System:
    """Workers are interchangeable: in a fixed order, the same sets of them are the same state."""
    workers = [*system.workers[:index], work, *system.workers[index + 1 :]]
    return system._replace(workers=tuple(sorted(workers, key=repr)))


def _with(system: System, message: Nonce) -> System:
    return system._replace(messages=system.messages | {message})


def _without(system: System, message: Nonce) -> System:
    return system._replace(messages=system.messages - {message})
