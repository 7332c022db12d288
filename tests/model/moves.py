"""Everything that may happen next: moves of workers, broker, sweeper, client and store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tests.model import committing, parking, rejoining, scripts
from tests.model.around import (
    Change,
)
from tests.model.asking import (
    client,
)
from tests.model.move import (
    Move,
    placed,
    with_message,
    without,
)
from tests.model.state import (
    IDLE,
    Nonce,
    Scenario,
    Store,
    System,
    index_of,
    inner_steps,
    questions,
)
from tests.model.sweeps import (
    sweeper,
)


def moves(scenario: Scenario, system: System) -> Iterator[Move]:
    """Yield everything that may happen next."""
    for index in {worker: i for i, worker in enumerate(system.workers)}.values():
        yield from _worker(scenario, system, index)
    for message in system.messages:
        yield Move(("drop", message), True, without(system, message))
    yield from sweeper(scenario, system)
    yield from client(scenario, system)
    yield from _fail_over(system)


def _worker(scenario: Scenario, system: System, index: int) -> Iterator[Move]:
    work = system.workers[index]
    if work == IDLE:
        yield from _takes(scenario, system, index)
        return
    yield Move(f"crash in {work[0]}", True, placed(system, index, IDLE))
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
        taken = placed(system, index, work, store)
        yield Move(("take", message), False, without(taken, message))
        if work != IDLE:
            yield Move(("take again", message), False, taken)


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
    if scenario.sliced and plan[0] == "again" and len(plan[2]) > 1:
        yield from _calls(scenario, system, index, "rejoin some")
    yield from _fails(scenario, system, index)
    if system.replica is not None and (frame := system.store.frames[index_of(ep)]):
        task, kind = frame.tasks[tid], scenario.kinds(ep)[tid]
        later = ("frame", ep, tid, rnd, token, rejoining.found(scenario, system.store, kind, task))
        yield Move(f"look at the frame of {tid}", False, placed(system, index, later))


def _calls(scenario: Scenario, system: System, index: int, what: str) -> Iterator[Move]:
    """A script of the worker: its reply comes, or is lost and the script is called again."""
    work, lost = system.workers[index], system.budget.lost
    store, then = _script(scenario, system, work, what)
    label = (what, work[1:3])
    yield Move(label, what == "fail", placed(system, index, then, store))
    if lost and store != system.store:
        budget = system.budget._replace(lost=lost - 1)
        yield Move((*label, "reply lost"), True, system._replace(store=store, budget=budget))


_SCRIPTS: Mapping[str, Callable[[Scenario, Store, Nonce, int], Change]] = {
    "commit": committing.commit,
    "park": parking.park,
    "rejoin some": parking.rejoin_some,
    "collect": parking.collect,
    "fail": scripts.fail,
}


def _script(scenario: Scenario, system: System, work: Nonce, what: str) -> Change:
    store, era = system.store, system.era
    if script := _SCRIPTS.get(what):
        return script(scenario, store, work, era)
    if what == "keep inner":
        return scripts.keep_inner(scenario, store, work)
    return scripts.complete(scenario, store, work, era, asks=what == "ask")


def _publishes(system: System, index: int) -> Iterator[Move]:
    _, waiting = system.workers[index]
    for message in waiting:
        rest = tuple(each for each in waiting if each != message)
        after = placed(system, index, ("publish", rest) if rest else IDLE)
        yield Move(("publish", message), False, with_message(after, message))


def _fail_over(system: System) -> Iterator[Move]:
    if not system.budget.fail_overs or system.era:
        return
    if system.replica is None:
        yield Move("the replica stops here", False, system._replace(replica=system.store))
    elif system.replica != system.store:
        spent = system.budget._replace(fail_overs=0)
        after = system._replace(store=system.replica, replica=None, era=1, budget=spent)
        yield Move("fail-over, a suffix is lost", True, after)
