"""What sweeps find: messages that are gone, leases that ran out, frames that are void."""

from __future__ import annotations

from collections.abc import Iterator

from tests.model.around import (
    is_alive,
    is_part,
)
from tests.model.move import (
    Move,
    with_message,
)
from tests.model.state import (
    Frame,
    Scenario,
    System,
    index_of,
    with_frame,
    with_task,
)


def sweeper(scenario: Scenario, system: System) -> Iterator[Move]:
    """Yield what a sweep may find."""
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
            yield Move(("publish again", message), False, with_message(system, message))
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
        yield Move("publish the advance again", False, with_message(system, message))
