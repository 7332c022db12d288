"""Whatever a superstep's tasks leave, in whatever order they end, the core does the same."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from distgraph.core.decide import decide
from distgraph.core.model import (
    Commit,
    Completed,
    Errored,
    Failed,
    Interrupted,
    Paused,
    Question,
    Result,
    RunTasks,
    ThreadState,
)
from distgraph.core.plan import plan
from distgraph.core.resume import bind, deliver, pending
from distgraph.engine import next_state
from distgraph.types import Interrupt, Send
from tests.support.core_graphs import LIMITS, checkpoint, graph, node, stamp

pytestmark = pytest.mark.no_cover
OVER = graph(node("a"), node("b"), node("c", defer=True))
targets = st.sampled_from(["a", "b", "c"]) | st.builds(Send, st.just("a"), st.integers(0, 9))
frontiers = st.lists(targets.filter(lambda one: one != "c"), min_size=1, max_size=6)
completed = st.builds(
    Completed,
    st.lists(st.tuples(st.just("log"), st.lists(st.integers(), max_size=2)), max_size=2).map(tuple),
    st.lists(targets, max_size=3).map(tuple),
)
ids = st.integers(0, 16**32 - 1).map(lambda number: f"{number:032x}")
asks = ids.map(lambda iid: Interrupted((Question(Interrupt("?", iid), ""),)))
results: st.SearchStrategy[Result | None] = st.one_of(
    st.none(), completed, asks, st.just(Errored("E", "no"))
)


def state_of(frontier: list[Any], left: list[Result | None]) -> ThreadState:
    opened = checkpoint(*frontier, values={"log": []}, versions={"log": "0.x"})
    pairs = zip(plan(opened), left, strict=False)
    return ThreadState(opened, {task.id: result for task, result in pairs if result is not None})


@given(frontiers, st.lists(completed, min_size=12, max_size=12), st.randoms())
def test_the_order_in_which_tasks_end_changes_nothing(
    frontier: list[Any], left: list[Result | None], chance: random.Random
) -> None:
    state = state_of(frontier, left)
    decided = decide(OVER, state, LIMITS)
    assert isinstance(decided, Commit)
    shuffled = list(decided.done)
    chance.shuffle(shuffled)
    once = next_state(OVER, state, decided.done, stamp(), LIMITS)
    assert next_state(OVER, state, tuple(shuffled), stamp(), LIMITS) == once


@given(frontiers, st.lists(results, min_size=12, max_size=12))
def test_a_superstep_closes_when_every_task_has_left_something(
    frontier: list[Any], left: list[Result | None]
) -> None:
    state = state_of(frontier, left)
    found = list(state.results.values())
    match decide(OVER, state, LIMITS):
        case Failed():
            assert any(isinstance(result, Errored) for result in found)
        case RunTasks(tasks):
            assert {task.id for task in tasks} == {
                task.id for task in plan(state.checkpoint) if task.id not in state.results
            }
        case Paused(questions):
            assert {question.interrupt.id for question in questions} == set(pending(state))
        case Commit(done):
            assert all(isinstance(result, Completed) for result in found)
            assert len(done) == len(plan(state.checkpoint))
        case other:
            raise AssertionError(other)


@given(frontiers, st.lists(results, min_size=12, max_size=12))
def test_answering_every_question_leaves_none_and_keeps_the_rest(
    frontier: list[Any], left: list[Result | None]
) -> None:
    state = state_of(frontier, left)
    waiting = pending(state)
    asking = [task for task, result in state.results.items() if isinstance(result, Interrupted)]
    assume(waiting and len(waiting) == len(asking))  # no two questions have the same id
    answered = deliver(state, bind(state, dict.fromkeys(waiting, "yes")), "")
    assert pending(answered) == {}
    kept = {t: r for t, r in state.results.items() if not isinstance(r, Interrupted)}
    assert answered.results == kept
