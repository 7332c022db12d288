"""What clients do: they answer, try again, cancel, hand over and update."""

from __future__ import annotations

from collections.abc import Iterator

from tests.model import clients, wide
from tests.model.around import (
    outermost,
)
from tests.model.move import (
    Move,
    with_message,
)
from tests.model.state import (
    Nonce,
    Scenario,
    Store,
    System,
    frame_at,
    frame_of,
    opened,
)


def client(scenario: Scenario, system: System) -> Iterator[Move]:
    """Yield what a client may call."""
    yield from _answers(scenario, system)
    if scenario.wide:
        yield from _wide(scenario, system)
    store, budget = system.store, system.budget
    if store.st == "F":
        retried = clients.retry(scenario, store, system.era)
        yield Move("retry the failed superstep", False, system._replace(store=retried))
    if budget.cancels and store.st in "RSF":
        again = _cancelled(scenario, system)
        spent = budget._replace(cancels=budget.cancels - 1)
        yield Move("cancel, start again", False, system._replace(store=again, budget=spent))
    if budget.adopts and store.st in "RSF":
        adopted = clients.adopt(scenario, store, system.era)
        spent = budget._replace(adopts=budget.adopts - 1)
        yield Move("adopt", False, system._replace(store=adopted, budget=spent))
    updated = clients.update_inside(scenario, store, system.era) if budget.updates else None
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
        store = clients.answer(scenario, system, asked)
        if store is not None:
            tid = outermost(scenario, asked)
            hint = ("T", frame_at(store, 0).ep, tid)
            after = with_message(system._replace(store=store), hint)
            yield Move(("answer", asked), False, after)
    for asked in system.late:
        store = clients.resume(scenario, system.store, asked, system.era)
        if store is not None:
            after = system._replace(store=store)
            yield Move(("the default for", asked), scenario.without == "sweep of a deadline", after)
    if (again := clients.ask_again(scenario, system.store, system.era)) is not None:
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
        hinted = (
            with_message(after, ("T", frame_at(store, 0).ep, asked[1]))
            if store.st == "R"
            else after
        )
        yield Move(("move the answer to", asked), scenario.without == "sweep of a move", hinted)


def _sees(scenario: Scenario, system: System, asked: Nonce) -> Iterator[Move]:
    if asked not in system.known:
        known = system.known | {asked}
        yield Move(("see the question", asked), False, system._replace(known=known))
    if not scenario.deadlines:
        return
    if asked not in system.over:
        over = system._replace(over=system.over | {asked})
        yield Move(f"the deadline of {asked} is over", True, over)
    elif asked not in system.late:
        late = system._replace(late=system.late | {asked})
        yield Move(("a sweep finds", asked), scenario.without == "sweep of a deadline", late)
