"""Graphs inside tasks that ask or stop, and those whose state is not stored."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import InvalidUpdateError
from distgraph.graph import CompiledStateGraph
from distgraph.types import Command, interrupt
from tests.support.nested import CONFIG, State, asked, asks, chain, counts, names, says


def test_what_a_graph_asks_that_is_not_stored_its_task_asks(saver: BaseCheckpointSaver) -> None:
    ran: list[str] = []
    nodes = (("one", counts("one", ran)), ("ask", asks("first?")), ("then", asks("second?")))
    inner = chain(*nodes, checkpointer=False)
    between = chain(("between", inner), checkpointer=False)

    def node(_: State) -> State:
        before = interrupt("before?")
        return {"log": [before, *between.invoke({})["log"]]}

    graph = chain(("node", node), checkpointer=saver)
    found = [asked(graph.invoke({}, CONFIG))]
    found += [asked(graph.invoke(Command(resume=n), CONFIG)) for n in range(2)]
    assert found == [["before?"], ["first?"], ["second?"]]
    assert graph.invoke(Command(resume=2), CONFIG)["log"] == [0, "one", 1, 2]
    assert names(saver) == [""]
    assert ran == ["one"] * 3


def test_without_a_checkpointer_a_graph_inside_cannot_ask() -> None:
    inner = chain(("ask", asks("well?")))
    with pytest.raises(RuntimeError, match="needs a checkpointer"):
        chain(("node", inner)).invoke({})


@pytest.mark.parametrize("lasts", [None, True])
@pytest.mark.parametrize("called", [False, True])
def test_a_question_three_graphs_deep_is_asked_and_answered(
    saver: BaseCheckpointSaver, lasts: Any, called: bool
) -> None:
    def within(name: str, action: Any, **options: Any) -> CompiledStateGraph:
        held = (lambda _: action.invoke({})) if called else action
        return chain((name, held), **options)

    inner = chain(("ask", asks("well?")), checkpointer=lasts)
    graph = within("outer", within("middle", within("inner", inner)), checkpointer=saver)
    assert asked(graph.invoke({}, CONFIG)) == ["well?"]
    state: Any = graph.get_state(CONFIG, subgraphs=True)
    for _ in range(3):
        (task,) = state.tasks
        state = task.state
        assert [question.value for question in task.interrupts] == ["well?"]
    assert state.next == ("ask",)
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == ["yes"]


@pytest.mark.parametrize("stops", [{"interrupt_before": ["two"]}, {"interrupt_after": ["one"]}])
def test_a_breakpoint_three_graphs_deep_is_released_by_going_on(
    saver: BaseCheckpointSaver, stops: dict[str, Any]
) -> None:
    inner = chain(("one", says("one")), ("two", says("two")), **stops)
    graph = chain(("outer", chain(("middle", chain(("inner", inner))))), checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert graph.get_state(CONFIG).next == ("outer",)
    assert graph.invoke(None, CONFIG)["log"] == ["one", "two"]


def test_one_of_two_graphs_called_at_once_is_answered(saver: BaseCheckpointSaver) -> None:
    one, two = chain(("ask", asks("one?"))), chain(("tell", asks("two?")))

    async def node(_: State) -> State:
        found = await asyncio.gather(one.ainvoke({}), two.ainvoke({}), return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return {"log": [each["log"] for each in found if isinstance(each, dict)]}

    async def scenario() -> None:
        graph = chain(("node", node), checkpointer=saver)
        asked = (await graph.ainvoke({}, CONFIG))["__interrupt__"]
        questions = sorted(asked, key=lambda each: str(each.value))  # who asks first is open
        assert [each.value for each in questions] == ["one?", "two?"]
        first, second = ({each.id: f"yes, {each.value}"} for each in questions)
        left = await graph.ainvoke(Command(resume=second), CONFIG)
        assert left["__interrupt__"] == questions[:1]
        found = await graph.ainvoke(Command(resume=first), CONFIG)
        assert found["log"] == [["yes, one?"], ["yes, two?"]]

    asyncio.run(scenario())


def test_graphs_that_are_finished_do_not_make_a_question_larger(
    saver: BaseCheckpointSaver,
) -> None:
    large = chain(("large", lambda _: {"held": b"x" * 9_000_000}))

    def node(_: State) -> State:
        sizes = [len(large.invoke({})["held"]) for _ in range(2)]
        return {"log": [*sizes, interrupt("go on?")]}

    graph = chain(("node", node), checkpointer=saver)
    graph.invoke({}, CONFIG)
    found = saver.get_tuple(CONFIG)
    assert found is not None
    assert len(repr(found.pending_writes)) < 1_000
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == [9_000_000, 9_000_000, "yes"]


@dataclass
class Cursor:
    """A value that a saver with a serializer of its own does not know."""

    row: int


def sets(value: Callable[[], Any]) -> tuple[str, Any]:
    return ("open", lambda _: {"held": value()})


@pytest.mark.parametrize("value", [threading.Lock, lambda: Cursor(1)], ids=["lock", "class"])
def test_a_state_that_cannot_be_stored_goes_on_in_memory(
    value: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    inner = chain(sets(value), ("after", says("after")), ("last", says("last")))

    def node(_: State) -> State:
        return {"log": inner.invoke({})["log"]}

    with (
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn,
        caplog.at_level(logging.WARNING),
    ):
        graph = chain(("node", node), checkpointer=SqliteSaver(conn))
        assert graph.invoke({}, CONFIG)["log"] == ["after", "last"]
    (line,) = caplog.records
    assert "node 'node'" in line.getMessage()
    assert "'held'" in line.getMessage()


@pytest.mark.parametrize(
    ("last", "stops"),
    [(("ask", asks("well?")), {}), (("last", says("last")), {"interrupt_before": ["last"]})],
    ids=["question", "breakpoint"],
)
def test_a_state_that_cannot_be_stored_cannot_wait(
    saver: BaseCheckpointSaver, last: Any, stops: Any
) -> None:
    inner = chain(sets(threading.Lock), ("after", says("after")), last, **stops)
    graph = chain(("node", lambda _: {"log": inner.invoke({})["log"]}), checkpointer=saver)
    with pytest.raises((InvalidUpdateError, TypeError), match=r"cannot wait.*'held'"):
        graph.invoke({}, CONFIG)
