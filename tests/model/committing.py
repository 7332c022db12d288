"""The script that replaces a closed superstep, and what must hold of what it applies."""

from __future__ import annotations

from tests.model.around import (
    Change,
    check_present,
    go_up,
    is_parked,
    root_round,
)
from tests.model.scripts import (
    fence,
)
from tests.model.state import (
    IDLE,
    Epoch,
    Frame,
    Nonce,
    Scenario,
    Store,
    Violation,
    checkpoint_of,
    frame_at,
    frame_of,
    hints,
    opened,
    questions,
    with_frame,
)


def commit(scenario: Scenario, store: Store, work: Nonce, era: int) -> Change:
    """Replace a closed superstep by the next one: by whoever holds the advance alone."""
    _, ep, token, writes = work
    index = fence(scenario, store, ep)
    if index is None:
        return store, IDLE
    frame = frame_at(store, index)
    if frame.adv is None or not is_parked(scenario, store, index):
        return store, IDLE
    leased = frame.adv[0] == "L" and scenario.same(frame.adv[1], token)
    if scenario.without != "token of the advance" and not leased:
        return store, IDLE
    check_present(scenario, store, index)
    _check(scenario, frame, writes)
    return _follow(scenario, _committed(store, index), index, era)


def _committed(store: Store, index: int) -> Store:
    frame = frame_at(store, index)
    which, run, step, *_ = frame.ep
    if (which, run, step) in store.committed:
        raise Violation(f"superstep {frame.ep} is committed twice")
    if store.heads[index] != step:
        raise Violation(f"superstep {frame.ep} is committed after {store.heads[index]} others")
    heads = (*store.heads[:index], step + 1, *store.heads[index + 1 :])
    return store._replace(committed=store.committed | {(which, run, step)}, heads=heads)


def _follow(scenario: Scenario, store: Store, index: int, era: int) -> Change:
    which, run, step, voided, *_ = frame_at(store, index).ep
    if step + 1 < len(scenario.plan(index)):
        return _next(scenario, store, index, (which, run, step + 1, voided, era, era))
    if which == "r":
        return store._replace(st="D"), IDLE
    return go_up(scenario, with_frame(store, index, None), index)


def _next(scenario: Scenario, store: Store, index: int, ep: Epoch) -> Change:
    before = frame_at(store, index)
    frame = opened(scenario, ep)._replace(
        around=before.around, within=before.within, rnd=before.rnd, adopted=before.adopted
    )
    if index == 0:
        # What its tasks were has other frames, of which nothing is stored.
        nothing = (None,) * len(scenario.frames)
        heads = (store.heads[0], *(0 for _ in nothing))
        store = store._replace(frames=(frame, *store.frames[1:]), heads=heads)
    elif (index, ep[2]) in scenario.stops:
        stopped = frame._replace(tasks=(), told=root_round(scenario, store, index))
        return go_up(scenario, with_frame(store, index, stopped), index)
    store = with_frame(store, index, frame)
    return store, ("publish", tuple(sorted(hints(frame))))


def _check(scenario: Scenario, frame: Frame, writes: tuple[Nonce, ...]) -> None:
    """Exactly the tasks of this superstep, each once, from here, with the answers given to it."""
    if sorted(write[1] for write in writes) != list(range(len(frame.tasks))):
        raise Violation(f"superstep {frame.ep} applies the writes of {[w[1] for w in writes]}")
    for ep, tid, by in writes:
        task, kind = frame.tasks[tid], scenario.kinds(frame.ep)[tid]
        if checkpoint_of(ep) != checkpoint_of(frame.ep):
            raise Violation(f"superstep {frame.ep} applies writes that were recorded for {ep}")
        if frame_of(kind):
            if by != task.by or by[3] != 0 or by[1] != task.rnd:
                raise Violation(f"task {tid} of {frame.ep}: {by} is no result of its frame")
            continue
        if by is None or checkpoint_of(by[0]) != checkpoint_of(frame.ep):
            raise Violation(f"task {tid} of {frame.ep}: writes that were computed elsewhere, {by}")
        if by != task.by or by[1] != task.rnd:
            raise Violation(f"task {tid} of {frame.ep}: writes {by}, but {task.by} was recorded")
        if task.rnd[0] != questions(kind):
            raise Violation(f"task {tid} of {frame.ep} consumed {task.rnd[0]} answers")
