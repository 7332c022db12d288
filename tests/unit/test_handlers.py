"""Error handlers in one process: the failure is stored, and the handler alone runs again."""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import NodeError
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt

THREAD: Any = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    xs: Annotated[list[str], operator.add]


class Ran:
    """Nodes and handlers that count themselves."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.given: list[BaseException] = []
        self.raised = LookupError("no host")

    def fails(self, _: State) -> None:
        self.count["fails"] += 1
        raise self.raised

    def handles(self, _: State, error: NodeError) -> State:
        self.count["handles"] += 1
        self.given.append(error.error)
        if self.count["handles"] == 1:
            raise ValueError("not yet")
        return {"xs": [error.node]}


def test_a_handler_that_failed_runs_again_without_its_node() -> None:
    ran = Ran()
    builder = StateGraph(State).add_node("bad", ran.fails, error_handler=ran.handles)
    builder.add_edge(START, "bad")
    saver = InMemorySaver()
    with pytest.raises(ValueError, match="not yet"):
        builder.compile(saver).invoke({}, THREAD)
    (task,) = builder.compile(saver).get_state(THREAD).tasks
    assert task.error == "LookupError('no host')"
    assert builder.compile(saver).invoke(None, THREAD) == {"xs": ["bad"]}
    assert ran.count == {"fails": 1, "handles": 2}
    live, again = ran.given
    assert live is ran.raised
    assert repr(again) == repr(live)


async def test_a_handler_may_be_a_coroutine_and_begins_while_siblings_run() -> None:
    began = asyncio.Event()

    async def handles(_: State) -> State:
        began.set()
        return {"xs": ["handled"]}

    async def waits(_: State) -> State:
        await began.wait()
        return {"xs": ["waited"]}

    builder = StateGraph(State).add_node("bad", Ran().fails, error_handler=handles)
    builder.add_node("waits", waits).add_edge(START, "bad").add_edge(START, "waits")
    assert await builder.compile().ainvoke({}) == {"xs": ["handled", "waited"]}


def test_what_a_handler_asks_is_shown_with_the_task_that_failed() -> None:
    def asks(_: State, error: NodeError) -> State:
        return {"xs": [error.node, interrupt("again?")]}

    ran = Ran()
    builder = StateGraph(State).add_node("bad", ran.fails, error_handler=asks)
    graph = builder.add_edge(START, "bad").compile(InMemorySaver())
    graph.invoke({}, THREAD)
    state = graph.get_state(THREAD)
    assert [each.value for each in state.interrupts] == ["again?"]
    assert graph.invoke(Command(resume="no"), THREAD) == {"xs": ["bad", "no"]}
    assert ran.count["fails"] == 1


def test_no_node_has_the_name_of_the_handler_of_all() -> None:
    builder = StateGraph(State).set_node_defaults(error_handler=Ran().handles)
    builder.add_node("__default_error_handler__", Ran().fails)
    builder.add_edge(START, "__default_error_handler__")
    with pytest.raises(ValueError, match="give it another name"):
        builder.compile()


def test_a_handler_is_something_that_can_be_called() -> None:
    with pytest.raises(TypeError, match="must be a function"):
        StateGraph(State).add_node("bad", Ran().fails, error_handler=3)


@pytest.mark.parametrize("say", ["add_node", "set_node_defaults"])
def test_what_cannot_be_called_is_refused_as_a_handler(say: str) -> None:
    builder: Any = StateGraph(State)
    given = ("a", print) if say == "add_node" else ()
    with pytest.raises(TypeError, match=r"^error_handler must be a function"):
        getattr(builder, say)(*given, error_handler="none")
