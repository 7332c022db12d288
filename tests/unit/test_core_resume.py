"""Starts, continuations and answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from distgraph.core.begin import again, begin, last_step, replay
from distgraph.core.model import (
    ROUND,
    START,
    Answer,
    Completed,
    Errored,
    Interrupted,
    Question,
    Source,
    Stamp,
    ThreadState,
)
from distgraph.core.references import INITIAL
from distgraph.core.resume import (
    How,
    Reply,
    add_caller_write,
    bind,
    deliver,
    how_to_go_on,
    is_by_id,
    nested_replies,
    pending,
    rejoin,
)
from distgraph.errors import AmbiguousResume, NoSuchInterrupt, NothingToResume
from distgraph.types import Interrupt
from tests.support.core_graphs import LIMITS, checkpoint, graph, stamp

ONE, TWO = "1" * 32, "2" * 32


def asks(iid: str, ns: str = "") -> Interrupted:
    return Interrupted((Question(Interrupt("well?", iid), ns),))


def waiting(**results: Any) -> ThreadState:
    return ThreadState(checkpoint("a", "b"), results)


# --- a new input ------------------------------------------------------------------------------


def test_the_first_input_comes_with_the_start_values_of_reducers() -> None:
    state = begin(graph(), None, {"log": ["in"]}, Stamp("cp", "now"), LIMITS)
    first = state.checkpoint
    assert (first.step, first.source, first.parent_id, first.frontier) == (
        -1,
        "input",
        None,
        (START,),
    )
    assert first.values == {"log": [], START: {"log": ["in"]}}
    assert first.versions == {"log": INITIAL, START: "cp"}
    assert first.changed == {"log", START}


def test_a_further_input_keeps_the_state_and_drops_what_was_to_run() -> None:
    before = checkpoint("a", values={"log": ["x"]}, versions={"log": "0.x"}, last=("z",))
    state = begin(graph(), before, {}, stamp(), LIMITS)
    assert (state.checkpoint.step, state.checkpoint.parent_id) == (4, "cp-3")
    assert state.checkpoint.values == {"log": ["x"], START: {}}
    assert state.checkpoint.versions["log"] == "0.x"
    assert state.checkpoint.last == ("z",)


def test_the_step_limit_counts_from_where_the_run_starts() -> None:
    assert last_step(None, 5) == 5
    assert last_step(checkpoint(), 5) == 10


# --- going on -----------------------------------------------------------------------------------


def test_going_on_runs_again_what_failed_or_asked() -> None:
    state = waiting(a=Completed(), b=Errored("E", "no"), c=asks(ONE))
    going = again(state)
    assert going.results == {"a": Completed()}
    assert going.released == "cp-3"


def test_replaying_forks_the_checkpoint_and_uses_nothing_stored_with_it() -> None:
    old = replace(waiting(a=Completed()), released="x")
    state, is_new = replay(old, stamp(), LIMITS)
    assert is_new
    assert (state.checkpoint.source, state.checkpoint.step) == ("fork", 4)
    assert (state.checkpoint.parent_id, state.results) == ("cp-3", {})


@pytest.mark.parametrize("source", ["update", "fork"])
def test_a_checkpoint_made_by_hand_is_replayed_as_it_is(source: Any) -> None:
    made = replace(checkpoint("a"), source=source)
    assert replay(ThreadState(made), stamp(), LIMITS) == (ThreadState(made, released="cp-3"), False)


# --- answers -----------------------------------------------------------------------------------


def test_pending_questions_are_known_by_id() -> None:
    assert set(pending(waiting(a=asks(ONE), b=asks(TWO), c=Completed()))) == {ONE, TWO}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({ONE: 1}, True),
        ({ONE: 1, TWO: 2}, True),
        ({ONE: 1, "x": 2}, False),
        ({}, False),
        ("1" * 32, False),
        ({ONE.upper().replace("1", "A"): 1}, False),
    ],
)
def test_only_a_table_of_ids_answers_by_id(value: Any, expected: bool) -> None:
    assert is_by_id(value) is expected


def test_a_bare_answer_is_bound_to_the_one_pending_question() -> None:
    assert bind(waiting(a=asks(ONE, "in")), "yes") == (Reply("a", Answer(ONE, "in", "yes")),)


def test_answers_by_id_go_where_they_belong() -> None:
    replies = bind(waiting(a=asks(ONE), b=asks(TWO)), {TWO: None})
    assert replies == (Reply("b", Answer(TWO, "", None)),)


def test_a_bare_answer_to_several_questions_is_refused() -> None:
    with pytest.raises(AmbiguousResume, match=f"{ONE}, {TWO}"):
        bind(waiting(a=asks(ONE), b=asks(TWO)), "yes")


def test_an_unknown_id_is_refused_with_all_its_answers() -> None:
    with pytest.raises(NoSuchInterrupt):
        bind(waiting(a=asks(ONE)), {ONE: "yes", TWO: "no"})


@pytest.mark.parametrize("state", [waiting(a=Completed()), waiting(a=Errored("E", "no"))])
def test_an_answer_needs_a_question(state: ThreadState) -> None:
    with pytest.raises(NothingToResume):
        bind(state, "yes")


@pytest.mark.parametrize("state", [waiting(), waiting(a=Interrupted(()), b=Completed())])
def test_an_answer_at_a_breakpoint_only_releases_it(state: ThreadState) -> None:
    assert bind(state, "yes") == ()


def test_an_answered_task_runs_again_with_all_its_answers() -> None:
    first, second = Answer("0" * 32, "", "first"), Answer(ONE, "", "second")
    state = replace(waiting(a=asks(ONE), b=Completed()), answers={"a": (first,)})
    answered = deliver(state, (Reply("a", second),), "")
    assert answered.answers == {"a": (first, second)}
    assert answered.results == {"b": Completed()}


def test_a_graph_inside_a_task_gets_the_answers_to_its_own_questions() -> None:
    inner = waiting(a=asks(ONE, "in"), b=Errored("E", "no"))
    given = (Answer(TWO, "elsewhere", 2), Answer(ONE, "in", 1))
    replies = nested_replies(inner, given)
    assert replies == (Reply("a", Answer(ONE, "in", 1)),)
    answered = rejoin(inner, replies)
    assert answered.answers == {"a": (Answer(ONE, "in", 1),)}
    assert answered.results == {}


def test_a_graph_inside_a_task_goes_on_past_breakpoints_and_waits_for_what_it_asks() -> None:
    stopped = waiting(a=Interrupted(()), b=asks(TWO, "in"), c=Completed())
    going = rejoin(stopped, ())
    assert going.results == {"b": asks(TWO, "in"), "c": Completed()}
    assert going.released == stopped.checkpoint.id


def test_what_waits_inside_asks_again_in_a_run_without_an_answer_for_it() -> None:
    state = waiting(a=asks(ONE, "in"), b=asks(TWO, "in"), c=Completed())
    assert rejoin(state, (), asks_again=True).results == {"c": Completed()}
    replies = nested_replies(state, (Answer(ONE, "in", 1),))
    assert rejoin(state, replies, asks_again=True).results.keys() == {"b", "c"}


@pytest.mark.parametrize(
    ("source", "round_", "released"),
    [("loop", "one", False), ("loop", "two", True), ("loop", "", True), ("fork", "one", True)],
)
def test_an_attempt_releases_no_breakpoint_that_its_own_round_came_to(
    source: Source, round_: str, released: bool
) -> None:
    state = waiting()
    at = replace(state.checkpoint, source=source, metadata={ROUND: "one"})
    going = rejoin(replace(state, checkpoint=at), (), round_)
    assert (going.released == at.id) is released


def test_a_callers_update_is_added_to_the_open_superstep() -> None:
    caller_write = Completed((("last", 1),))
    assert add_caller_write(waiting(), caller_write).caller_writes == (caller_write,)
    assert add_caller_write(waiting(), None) == waiting()


# --- how a thread goes on ---------------------------------------------------------------------

FAILED, DONE, BREAKPOINT = Errored("E", "no"), Completed(), Interrupted(())


@pytest.mark.parametrize(
    ("results", "how"),
    [
        ((), "continue"),
        ((asks(ONE),), "reask"),
        ((asks(ONE), asks(TWO)), "reask"),
        ((DONE, asks(ONE)), "reask"),
        ((DONE, BREAKPOINT), "reask"),
        ((FAILED,), "retry"),
        ((DONE, FAILED), "retry"),
        ((FAILED, asks(ONE)), "retry"),
        ((asks(ONE), FAILED), "retry"),
        ((DONE,), "retry"),
        ((DONE, DONE), "retry"),
    ],
    ids=repr,
)
def test_what_is_there_says_how_a_thread_goes_on(results: tuple[Any, ...], how: How) -> None:
    state = waiting(**{f"task-{n}": result for n, result in enumerate(results)})
    assert how_to_go_on(state, ()) == how


@pytest.mark.parametrize("others", [{}, {"done": DONE}, {"failed": FAILED}])
def test_a_reply_resumes_whatever_else_is_there(others: Any) -> None:
    state = waiting(asking=asks(ONE), **others)
    assert how_to_go_on(state, (Reply("asking", Answer(ONE, "", 1)),)) == "resume"
