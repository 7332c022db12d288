"""LangGraph's own things in a graph of distgraph: each says which import to change."""

from __future__ import annotations

import functools
import importlib
import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict, cast

import langgraph.channels
import langgraph.config
import langgraph.errors
import langgraph.graph
import langgraph.managed
import langgraph.runtime
import langgraph.types as theirs
import pytest
from langgraph.checkpoint.memory import InMemorySaver as TheirSaver
from langgraph.checkpoint.sqlite import SqliteSaver as TheirSqliteSaver

from distgraph._foreign import HERE, foreign
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import InvalidUpdateError
from distgraph.graph import END, START, StateGraph
from distgraph.types import Command, StateUpdate

THREAD = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    last: Any


class TheirMessages(langgraph.graph.MessagesState):
    more: str


class OfTheirs(TheirSaver):
    pass


def graph(node: Callable[..., Any], path: Any = None, path_map: Any = None) -> Any:
    builder = StateGraph(State).add_node("a", node).add_node("b", lambda _: {"log": ["b"]})
    builder.add_edge(START, "a").add_conditional_edges("a", path or (lambda _: END), path_map)
    return builder.compile(InMemorySaver())


@pytest.mark.parametrize("name", sorted(HERE))
def test_what_is_advised_can_be_imported(name: str) -> None:
    assert hasattr(importlib.import_module(HERE[name]), name)


@pytest.mark.parametrize(
    ("output", "name"),
    [
        (theirs.Command(update={"last": 1}), "Command"),
        ([theirs.Command(goto="b")], "Command"),
        (theirs.Send("b", {"last": 1}), "Send"),
        ([theirs.Send("b", {})], "Send"),
        ([Command(update={"last": 1}), theirs.Send("b", {})], "Send"),
        (Command(goto=theirs.Send("b", {})), "Send"),
        (Command(goto=["b", theirs.Send("b", {})]), "Send"),
    ],
)
async def test_what_a_node_returns(output: Any, name: str) -> None:
    advice = f"from distgraph.types import {name}"
    with pytest.raises(InvalidUpdateError, match=advice):
        graph(lambda _: output).invoke({}, THREAD)
    with pytest.raises(InvalidUpdateError, match=advice):
        await graph(lambda _: output).ainvoke({}, THREAD)


def test_a_graph_of_one_bare_type_does_not_take_a_command_for_its_state() -> None:
    schema: Any = Annotated[list[Any], operator.add]
    builder: StateGraph[Any] = StateGraph(schema)
    builder.add_node("a", lambda _: theirs.Command(goto="a")).add_edge(START, "a")
    with pytest.raises(InvalidUpdateError, match=r"from distgraph\.types import Command"):
        builder.compile().invoke([])


@pytest.mark.parametrize("path_map", [None, ["b"], {"b": "b"}])
@pytest.mark.parametrize("chosen", [theirs.Send("b", {"x": 1}), [theirs.Send("b", {"x": 1})]])
def test_what_a_path_returns(chosen: Any, path_map: Any) -> None:
    with pytest.raises(InvalidUpdateError, match=r"from distgraph\.types import Send"):
        graph(lambda _: None, lambda _: chosen, path_map).invoke({}, THREAD)


def test_what_a_caller_gives() -> None:
    compiled = graph(lambda _: None)
    commands: tuple[Any, ...] = (theirs.Command(resume=1), theirs.Command(update={"last": 1}))
    for given in commands:
        with pytest.raises(TypeError, match=r"from distgraph\.types import Command"):
            compiled.invoke(given, THREAD)
    update = theirs.StateUpdate({"last": 1})
    with pytest.raises(TypeError, match=r"from distgraph\.types import StateUpdate"):
        compiled.bulk_update_state(THREAD, [[update]])
    assert not compiled.get_state(THREAD).values
    compiled.bulk_update_state(THREAD, [[StateUpdate({"last": 1}, "a")]])


def asks(_: Any) -> Any:
    return theirs.interrupt("may I?")


async def asks_on_a_loop(_: Any) -> Any:
    return theirs.interrupt("may I?")


def raises_a_signal(_: Any) -> Any:
    raise langgraph.errors.GraphInterrupt


def writes(_: Any) -> Any:
    langgraph.config.get_stream_writer()("chunk")


@pytest.mark.parametrize(
    ("node", "advice"),
    [
        (asks, "from distgraph.types import interrupt"),
        (asks_on_a_loop, "from distgraph.types import interrupt"),
        (raises_a_signal, "from distgraph.types import interrupt"),
        (writes, "from distgraph.config import get_stream_writer"),
    ],
)
async def test_a_call_that_finds_no_run_of_theirs(node: Any, advice: str) -> None:
    with pytest.raises(RuntimeError, match=advice) as raised:
        await graph(node).ainvoke({}, THREAD)
    assert "Node 'a'" in str(raised.value)
    assert raised.value.__cause__ is not None


def test_a_graph_of_theirs_inside_a_node_fails_in_its_own_words() -> None:
    inner: Any = langgraph.graph.StateGraph(State)
    inner.add_node("ask", asks).add_edge(langgraph.graph.START, "ask")
    called = inner.compile()
    with pytest.raises(RuntimeError, match="without checkpointer") as raised:
        graph(lambda _: called.invoke(theirs.Command(resume=1))).invoke({}, THREAD)
    assert "import" not in str(raised.value)


@pytest.mark.parametrize("saver", [TheirSaver(), OfTheirs(), TheirSaver, TheirSqliteSaver])
def test_a_saver(saver: Any) -> None:
    with pytest.raises(TypeError, match=r"from distgraph\.checkpoint\.\w+ import \w+Saver"):
        StateGraph(State).add_node("a", asks).add_edge(START, "a").compile(saver)


@pytest.mark.parametrize(
    ("rule", "advice"),
    [
        (langgraph.graph.add_messages, "from distgraph.graph import add_messages"),
        (
            functools.partial(cast("Any", langgraph.graph.add_messages), format="langchain-openai"),
            "from distgraph.graph import add_messages",
        ),
        (langgraph.channels.Topic, "from distgraph.channels import Topic"),
        (langgraph.channels.EphemeralValue(list), "from distgraph.channels import EphemeralValue"),
        (langgraph.channels.DeltaChannel, "distgraph has nothing of that name"),
        (langgraph.managed.is_last_step.IsLastStepManager, "from distgraph.managed import"),
    ],
)
def test_the_rule_of_a_state_key(rule: Any, advice: str) -> None:
    schema: Any = TypedDict("schema", {"items": Annotated[list[Any], rule]})
    with pytest.raises(TypeError, match=f"'items'.*{advice}"):
        StateGraph(schema)


def test_a_schema() -> None:
    with pytest.raises(TypeError, match=r"from distgraph\.graph import MessagesState"):
        StateGraph(langgraph.graph.MessagesState)
    with pytest.raises(TypeError, match=r"'messages'.*from distgraph\.graph import add_messages"):
        StateGraph(TheirMessages)


def test_what_a_node_is_given() -> None:
    def node(_: Any, here: langgraph.runtime.Runtime[Any]) -> None:
        del here

    add_node: Any = StateGraph(State).add_node
    with pytest.raises(TypeError, match=r"'here'.*from distgraph\.runtime import Runtime"):
        add_node("a", node)
    with pytest.raises(TypeError, match=r"from distgraph\.types import RetryPolicy"):
        add_node("a", asks, retry_policy=theirs.RetryPolicy())


def test_an_overwrite() -> None:
    with pytest.raises(TypeError) as raised:
        graph(lambda _: {"log": theirs.Overwrite([])}).invoke({"log": [1]}, THREAD)
    assert any("from distgraph.types import Overwrite" in note for note in raised.value.__notes__)


@pytest.mark.parametrize("given", [None, 1, "a", {}, [], (), [1], State, Command(), len, object()])
def test_nothing_is_said_of_anything_else(given: Any) -> None:
    assert foreign(given) == foreign(functools.partial(print, given)) == ""
