"""Questions that end by themselves, in process: what is refused, kept, answered, raised."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.core.model import Errored
from distgraph.core.retry import retry_delay
from distgraph.errors import InterruptTimeout, NoSuchInterrupt, NothingToResume
from distgraph.graph import START, StateGraph
from distgraph.types import Command, Interrupt, RetryPolicy, interrupt
from tests.support.nested import CONFIG, State, asked, chain, names

OVER = datetime(2020, 1, 1, tzinfo=UTC)
HOUR = 3600
GIVEN: tuple[dict[str, Any] | None, ...] = ({}, None)


def asks(what: str, **until: Any) -> Any:
    return lambda _: {"log": [interrupt(what, **until)]}


def question(found: dict[str, Any]) -> Interrupt:
    (only,) = found["__interrupt__"]
    assert isinstance(only, Interrupt)
    return only


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"deadline": 5}, ValueError, "needs default="),
        ({"deadline": 5, "default": 1, "on_timeout": "fail"}, ValueError, "has no default="),
        ({"deadline": 5, "default": 1, "on_timeout": "stop"}, ValueError, "on_timeout="),
        ({"default": None}, ValueError, "default= of interrupt"),
        ({"on_timeout": "fail"}, ValueError, "on_timeout= of interrupt"),
        ({"deadline": -1, "default": 1}, ValueError, "from 0 seconds"),
        ({"deadline": timedelta(seconds=-1), "default": 1}, ValueError, "from 0 seconds"),
        ({"deadline": float("nan"), "default": 1}, ValueError, "from 0 seconds"),
        ({"deadline": float("inf"), "default": 1}, ValueError, "from 0 seconds"),
        ({"deadline": timedelta.max, "default": 1}, ValueError, "from 0 seconds"),
        ({"deadline": datetime(2030, 1, 1), "default": 1}, ValueError, "no time zone"),  # noqa: DTZ001
        ({"deadline": True, "default": 1}, TypeError, "not bool"),
        ({"deadline": "5", "default": 1}, TypeError, "not str"),
    ],
)
def test_what_does_not_go_together_is_refused_at_the_call(
    given: dict[str, Any], error: type[Exception], told: str
) -> None:
    graph = chain(("ask", asks("well?", **given)), checkpointer=InMemorySaver())
    with pytest.raises(error, match=told):
        graph.invoke({}, CONFIG)


# --- what is told of it -------------------------------------------------------------------------


def test_a_question_tells_until_when_it_waits(saver: BaseCheckpointSaver) -> None:
    at = datetime(2100, 1, 1, 12, tzinfo=UTC)
    graph = chain(("ask", asks("well?", deadline=at, default=0)), checkpointer=saver)
    found = question(graph.invoke({}, CONFIG))
    assert found.deadline == at
    assert "deadline=2100-01-01T12:00:00+00:00" in repr(found)
    assert graph.get_state(CONFIG).interrupts == (found,)
    graph.invoke(Command(resume=1), CONFIG)
    history = [task.interrupts for each in graph.get_state_history(CONFIG) for task in each.tasks]
    assert (found,) in history


def test_seconds_count_from_when_the_question_is_stored(saver: BaseCheckpointSaver) -> None:
    graph = chain(("ask", asks("well?", deadline=HOUR, default=0)), checkpointer=saver)
    before = datetime.now(UTC)
    until = question(graph.invoke({}, CONFIG)).deadline
    assert until is not None
    least = before - timedelta(milliseconds=1)
    assert least <= until - timedelta(seconds=HOUR) <= datetime.now(UTC)


def test_asked_again_at_the_same_place_it_keeps_its_time(saver: BaseCheckpointSaver) -> None:
    waits = iter((HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR))

    def node(_: State) -> State:
        wait = next(waits)
        return {"log": [interrupt(n, deadline=wait, default=n) for n in range(2)]}

    graph = chain(("ask", node), checkpointer=saver)
    first, again = (question(graph.invoke(given, CONFIG)) for given in GIVEN)
    assert again.deadline == first.deadline
    second = question(graph.invoke(Command(resume=0), CONFIG))
    assert first.deadline is not None
    assert second.deadline is not None
    assert second.deadline > first.deadline
    assert question(graph.invoke(None, CONFIG)).deadline == second.deadline


def test_a_failure_in_between_changes_no_time(saver: BaseCheckpointSaver) -> None:
    fails = iter((False, True, False))

    def node(_: State) -> State:
        if next(fails):
            raise LookupError
        return {"log": [interrupt("well?", deadline=HOUR, default=0)]}

    graph = chain(("ask", node), checkpointer=saver)
    first = question(graph.invoke({}, CONFIG))
    with pytest.raises(LookupError):
        graph.invoke(None, CONFIG)
    assert question(graph.invoke(None, CONFIG)).deadline == first.deadline


# --- when it is over ----------------------------------------------------------------------------


def test_what_nobody_answered_is_answered_by_the_default(saver: BaseCheckpointSaver) -> None:
    graph = chain(("ask", asks("well?", deadline=0, default={"a": (1,)})), checkpointer=saver)
    assert asked(graph.invoke({}, CONFIG)) == ["well?"]
    assert graph.get_state(CONFIG).next == ("ask",)
    assert graph.invoke(None, CONFIG)["log"] == [{"a": (1,)}]


def test_so_it_is_on_an_event_loop() -> None:
    saver = InMemorySaver()
    graph = chain(("ask", asks("well?", deadline=0, default=1)), checkpointer=saver)

    async def both() -> Any:
        await graph.ainvoke({}, CONFIG)
        return await graph.ainvoke(None, CONFIG)

    assert asyncio.run(both())["log"] == [1]


def test_an_answer_in_time_counts(saver: BaseCheckpointSaver) -> None:
    graph = chain(("ask", asks("well?", deadline=HOUR, default=0)), checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert graph.invoke(Command(resume=1), CONFIG)["log"] == [1]


def test_an_answer_that_is_late_is_refused_and_changes_nothing(saver: BaseCheckpointSaver) -> None:
    graph = chain(("ask", asks("well?", deadline=OVER, default=0)), checkpointer=saver)
    found = question(graph.invoke({}, CONFIG))
    with pytest.raises(NothingToResume, match="too late"):
        graph.invoke(Command(resume=1), CONFIG)
    with pytest.raises(NoSuchInterrupt, match="deadline is over"):
        graph.invoke(Command(resume={found.id: 1}), CONFIG)
    assert graph.get_state(CONFIG).interrupts == (found,)
    assert graph.invoke(None, CONFIG)["log"] == [0]


def test_a_node_may_catch_that_nobody_answered(saver: BaseCheckpointSaver) -> None:
    def node(_: State) -> State:
        try:
            interrupt("well?", deadline=0, on_timeout="fail")
        except InterruptTimeout as error:
            return {"log": [str(error), interrupt("really not?")]}
        return {}

    graph = chain(("ask", node), checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert asked(graph.invoke(None, CONFIG)) == ["really not?"]
    told, answer = graph.invoke(Command(resume=1), CONFIG)["log"]
    assert "'ask'" in told
    assert answer == 1


def test_not_caught_it_ends_the_run_each_time_it_is_tried(saver: BaseCheckpointSaver) -> None:
    ran: list[int] = []

    def node(_: State) -> State:
        ran.append(1)
        return {"log": [interrupt("well?", deadline=0, on_timeout="fail")]}

    builder = StateGraph(State)
    policy = RetryPolicy(retry_on=Exception, initial_interval=0)
    builder.add_node("ask", node, retry_policy=policy)
    builder.add_edge(START, "ask")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({}, CONFIG)
    for _ in range(2):
        with pytest.raises(InterruptTimeout):
            graph.invoke(None, CONFIG)
    assert len(ran) == 3


@pytest.mark.parametrize(
    ("retry_on", "again"),
    [
        (InterruptTimeout, True),
        ([KeyError, InterruptTimeout], True),
        (lambda _: True, True),
        (lambda _: False, False),
        (Exception, False),
        (TimeoutError, False),
        (RetryPolicy().retry_on, False),
    ],
)
def test_only_a_policy_that_names_it_tries_again(retry_on: Any, again: bool) -> None:
    assert tries(retry_on, InterruptTimeout("late")) is again


def test_so_it_is_in_a_group_of_exceptions() -> None:
    group = ExceptionGroup("several", [KeyError(), InterruptTimeout("late")])
    assert not tries(RetryPolicy().retry_on, group)
    assert not tries(ExceptionGroup, group)
    assert tries(lambda _: True, group)


def tries(retry_on: Any, raised: Exception) -> bool:
    node = chain(("ask", asks("well?"))).graph.nodes["ask"]
    node = replace(node, retry=(RetryPolicy(retry_on=retry_on),))
    return retry_delay(node, Errored("kind", "late", exception=raised), 1, 0.0) is not None


# --- several questions --------------------------------------------------------------------------


def two(**until: Any) -> Any:
    """Return a graph of which "a" ends by itself and "b" does not."""
    builder = StateGraph(State)
    builder.add_node("a", asks("a?", **until))
    builder.add_node("b", asks("b?"))
    builder.add_edge(START, "a")
    builder.add_edge(START, "b")
    return builder


def test_only_what_is_over_goes_on_and_the_others_wait(saver: BaseCheckpointSaver) -> None:
    graph = two(deadline=0, default="late").compile(checkpointer=saver)
    ids = {each.value: each.id for each in graph.invoke({}, CONFIG)["__interrupt__"]}
    found = question(graph.invoke(None, CONFIG))
    assert (found.value, found.id) == ("b?", ids["b?"])
    assert graph.invoke(Command(resume="b"), CONFIG)["log"] == ["late", "b"]


def test_a_bare_answer_is_for_the_one_that_can_be_answered(saver: BaseCheckpointSaver) -> None:
    graph = two(deadline=0, default="late").compile(checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert graph.invoke(Command(resume="b"), CONFIG)["log"] == ["late", "b"]


def test_an_update_that_comes_along_is_kept(saver: BaseCheckpointSaver) -> None:
    graph = chain(("ask", asks("well?", deadline=0, default=0)), checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert graph.invoke(Command(update={"log": ["more"]}), CONFIG)["log"] == ["more", 0]


def test_a_new_input_drops_the_question(saver: BaseCheckpointSaver) -> None:
    graph = chain(("ask", asks("well?", deadline=0, default=0)), checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert asked(graph.invoke({}, CONFIG)) == ["well?"]


def test_what_one_node_asks_side_by_side_ends_one_by_one(saver: BaseCheckpointSaver) -> None:
    async def ask(what: str, **until: Any) -> Any:
        return interrupt(what, **until)

    async def both() -> list[Any]:
        late, timed = ask("a?", deadline=0, default="late"), ask("c?", deadline=HOUR, default=0)
        return list(await asyncio.gather(late, ask("b?"), timed))

    graph = chain(("ask", lambda _: {"log": asyncio.run(both())}), checkpointer=saver)
    first = {each.value: each for each in graph.invoke({}, CONFIG)["__interrupt__"]}
    left = {each.value: each for each in graph.invoke(None, CONFIG)["__interrupt__"]}
    assert left.keys() == {"b?", "c?"}
    assert left["c?"].deadline == first["c?"].deadline
    answers = {left["b?"].id: "b", left["c?"].id: "c"}
    assert graph.invoke(Command(resume=answers), CONFIG)["log"] == ["late", "b", "c"]


# --- graphs inside nodes ------------------------------------------------------------------------


@pytest.mark.parametrize("lasts", [None, True, False])
def test_a_question_of_a_called_graph_ends_as_others_do(
    saver: BaseCheckpointSaver, lasts: Any
) -> None:
    inner = chain(("ask", asks("well?", deadline=OVER, default=0)), checkpointer=lasts)
    graph = chain(("node", chain(("inner", inner), checkpointer=lasts)), checkpointer=saver)
    found = question(graph.invoke({}, CONFIG))
    assert found.deadline == OVER
    assert graph.get_state(CONFIG).interrupts == (found,)
    assert graph.invoke(None, CONFIG)["log"] == [0]
    assert len(names(saver)) == (1 if lasts is False else 3)


def test_asked_again_inside_it_keeps_its_time(saver: BaseCheckpointSaver) -> None:
    inner = chain(("ask", asks("well?", deadline=HOUR, default=0)))
    graph = chain(("node", inner), checkpointer=saver)
    first, again = (question(graph.invoke(given, CONFIG)) for given in GIVEN)
    assert again.deadline == first.deadline
    assert graph.invoke(Command(resume=1), CONFIG)["log"] == [1]


def test_what_ends_by_a_failure_inside_is_raised_inside(saver: BaseCheckpointSaver) -> None:
    def node(_: State) -> State:
        with pytest.raises(InterruptTimeout):
            interrupt("well?", deadline=0, on_timeout="fail")
        return {"log": ["caught"]}

    graph = chain(("node", chain(("ask", node))), checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert graph.invoke(None, CONFIG)["log"] == ["caught"]
