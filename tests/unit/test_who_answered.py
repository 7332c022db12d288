"""The history tells who answered what, and when, with every saver of this process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.records import pack_answer, pack_result, unpack_answer, unpack_result
from distgraph.core.model import Answer, GivenBy, Interrupted, Question
from distgraph.errors import CorruptRecord
from distgraph.graph import START, StateGraph
from distgraph.types import Command, GivenAnswer, Interrupt, interrupt
from tests.support.chains import State, built

ON: Any = {"configurable": {"thread_id": "t"}}


def given(graph: Any) -> list[GivenAnswer]:
    """Return the answers that a history shows, the newest checkpoint's first."""
    states = graph.get_state_history(ON)
    return [answer for state in states for task in state.tasks for answer in task.answers]


def two(_: State) -> dict[str, Any]:
    return {"last": (interrupt("one?"), interrupt("two?"))}


def test_a_history_tells_who_answered_and_when(saver: BaseCheckpointSaver) -> None:
    graph = built(a=two).compile(checkpointer=saver)
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    (first,) = graph.invoke({}, ON)["__interrupt__"]
    assert given(graph) == []
    (second,) = graph.invoke(Command(resume=1), ON, by="ann")["__interrupt__"]
    assert given(graph) == [GivenAnswer(first.id, 1, "ann")]
    graph.invoke(Command(resume={second.id: 2}), ON, by="bob")
    told = given(graph)
    assert told == [GivenAnswer(first.id, 1, "ann"), GivenAnswer(second.id, 2, "bob")]
    times = [when for each in told for when in (each.asked, each.answered)]
    moments = [before, *(when for when in times if when), datetime.now(UTC)]
    assert len(moments) == 6
    assert moments == sorted(moments)


async def test_who_did_not_say_is_nobody(saver: BaseCheckpointSaver) -> None:
    if not hasattr(saver, "conn"):  # a SqliteSaver blocks
        graph = built(a=lambda _: {"last": interrupt("?")}).compile(checkpointer=saver)
        await graph.ainvoke({}, ON)
        await graph.ainvoke(Command(resume="yes"), ON)
        (told,) = given(graph)
        assert (told.value, told.by, told.expired) == ("yes", "", False)
        assert told.answered is not None


def test_the_default_of_a_question_that_nobody_answered_says_so(saver: BaseCheckpointSaver) -> None:
    def ask(_: State) -> dict[str, Any]:
        answer = interrupt("?", deadline=0, default="no", on_timeout="resume")
        return {"last": answer}

    graph = built(a=ask).compile(checkpointer=saver)
    graph.invoke({}, ON)
    graph.invoke(None, ON, by="ann")
    (told,) = given(graph)
    assert (told.value, told.by, told.expired) == ("no", "", True)


def test_a_called_graph_tells_it_too(saver: BaseCheckpointSaver) -> None:
    inner = built(a=lambda _: {"last": interrupt("?")}).compile()
    outer = StateGraph(State)
    outer.add_node("inner", inner).add_edge(START, "inner")
    graph = outer.compile(checkpointer=saver)
    (asked,) = graph.invoke({}, ON)["__interrupt__"]
    graph.invoke(Command(resume="yes"), ON, by="ann")
    assert given(graph) == [GivenAnswer(asked.id, "yes", "ann")]
    assert given(graph)[0].asked is not None


def test_a_question_with_its_time_is_stored_whole() -> None:
    asked = Interrupted(
        (Question(Interrupt("?", "1"), "", asked=5), Question(Interrupt(1, "2"), ""))
    )
    read: Any = unpack_result(pack_result(asked))
    assert [question.asked for question in read.questions] == [5, 0]
    answer = Answer("1", "", "yes", told=GivenBy(5, 7, "ann"))
    assert unpack_answer(pack_answer(answer)).told == answer.told
    assert unpack_answer(pack_answer(Answer("1", "", "yes"))).told == GivenBy()


@pytest.mark.parametrize("told", [7, [1, 2], [0, 0, ""], [-1, 1, ""], [0, 1, None], [0, True, ""]])
def test_what_is_told_wrongly_is_damaged(told: Any) -> None:
    stored = pack_answer(Answer("1", "", "yes", told=GivenBy(5, 7, "ann")))
    stored[-2] = told
    with pytest.raises(CorruptRecord):
        unpack_answer(stored)


@pytest.mark.parametrize("times", [[1], [1, "2"], [1, -1]])
def test_times_of_questions_that_are_none_are_damaged(times: Any) -> None:
    two = (Question(Interrupt("?", "1"), "", asked=5), Question(Interrupt("!", "2"), ""))
    stored = pack_result(Interrupted(two))
    stored[-1] = times
    with pytest.raises(CorruptRecord):
        unpack_result(stored)
