"""What has to happen next to a frame."""

from __future__ import annotations

from typing import Any

from distgraph.core.decide import decide
from distgraph.core.model import (
    START,
    Commit,
    Completed,
    Errored,
    Escaped,
    Failed,
    Finished,
    Interrupted,
    Left,
    Limits,
    Paused,
    Question,
    Result,
    RunTasks,
    ThreadState,
)
from distgraph.core.plan import plan
from distgraph.types import Command, Interrupt
from tests.support.core_graphs import LIMITS, checkpoint, graph, node

AB = graph(node("a"), node("b"))
ERROR = Errored("builtins.ValueError", "no")
QUESTION = Question(Interrupt("well?", "1" * 32), "")


def state(*results: Result | None, **fields: Any) -> ThreadState:
    """Return a frame that runs a and b, with their results."""
    opened = checkpoint("a", "b")
    named = zip(plan(opened), results, strict=False)
    return ThreadState(opened, {t.id: r for t, r in named if r is not None}, **fields)


def stops(before: str = "", after: str = "", stop: int = 20) -> Limits:
    return Limits(10, stop, before=frozenset(before), after=frozenset(after))


def test_nothing_left_to_run_is_the_end() -> None:
    assert decide(AB, ThreadState(checkpoint()), LIMITS) == Finished()


def test_tasks_without_a_result_are_run() -> None:
    a, b = plan(checkpoint("a", "b"))
    assert decide(AB, state(), LIMITS) == RunTasks((a, b))
    assert decide(AB, state(Completed()), LIMITS) == RunTasks((b,))


def test_a_superstep_whose_tasks_have_completed_is_committed() -> None:
    a, b = plan(checkpoint("a", "b"))
    done = state(Completed(), Completed())
    assert decide(AB, done, LIMITS) == Commit(((a, Completed()), (b, Completed())))


def test_a_failure_comes_before_tasks_that_have_not_run() -> None:
    _, b = plan(checkpoint("a", "b"))
    assert decide(AB, state(None, ERROR), LIMITS) == Failed(ERROR, b)


def test_a_question_waits_for_its_siblings() -> None:
    _, b = plan(checkpoint("a", "b"))
    assert decide(AB, state(Interrupted((QUESTION,))), LIMITS) == RunTasks((b,))
    asked = state(Interrupted((QUESTION,)), Completed())
    assert decide(AB, asked, LIMITS) == Paused((QUESTION,))


def test_a_command_for_the_parent_leaves_the_frame() -> None:
    command: Command[Any] = Command(goto="x")
    assert decide(AB, state(Escaped(command)), LIMITS) == Left(command)


def test_a_breakpoint_before_a_node_stops_the_whole_superstep() -> None:
    assert decide(AB, state(), stops(before="b")) == Paused()


def test_a_breakpoint_after_a_node_stops_behind_it() -> None:
    ran = ThreadState(checkpoint("b", last=("a",)))
    assert decide(AB, ran, stops(after="a")) == Paused()
    assert decide(AB, ThreadState(checkpoint(last=("a",))), stops(after="a")) == Paused()


def test_a_released_breakpoint_stops_no_more() -> None:
    released = state(released="cp-3")
    assert isinstance(decide(AB, released, stops(before="b")), RunTasks)


def test_a_superstep_that_has_begun_is_not_stopped() -> None:
    assert isinstance(decide(AB, state(Completed()), stops(before="b")), RunTasks)


def test_breakpoints_do_not_stop_the_start() -> None:
    begun = ThreadState(checkpoint(START, values={START: {}}))
    assert isinstance(decide(AB, begun, stops(before=START)), RunTasks)


def test_the_step_limit_is_tested_before_the_end() -> None:
    for left in (state(), ThreadState(checkpoint())):
        decided = decide(AB, left, stops(stop=3))
        assert isinstance(decided, Failed)
        assert decided.task is None
        assert decided.error.message.startswith("Recursion limit of 10 reached")
    assert decide(AB, ThreadState(checkpoint()), stops(stop=4)) == Finished()
