"""A graph that cannot be right, and a node that does wrong, get a clear error."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from typing import Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import (
    GraphRecursionError,
    InvalidUpdateError,
)
from distgraph.graph import END, START, StateGraph
from distgraph.types import Command, RetryPolicy, Send, interrupt
from tests.support.chains import CONFIG, State, built, compiled, log

# --- how a graph is built --------------------------------------------------------------------


def passing(state: State) -> Any:
    del state


@pytest.mark.parametrize("schema", [None, 5, "State", {"log": list}, [State]])
def test_a_schema_that_is_no_type_is_refused(schema: Any) -> None:
    with pytest.raises(TypeError, match="A schema must be a TypedDict"):
        StateGraph(schema)
    with pytest.raises(TypeError, match="A schema must be a TypedDict"):
        StateGraph(State).add_node("a", passing, input_schema=schema or 1)


class Unresolved(TypedDict):
    key: "Missing"  # type: ignore[name-defined]  # noqa: F821, UP037


def test_a_schema_whose_annotations_name_nothing_is_named() -> None:
    with pytest.raises(NameError, match="'Missing' is not defined") as raised:
        StateGraph(Unresolved)
    assert raised.value.__notes__ == ["While reading the annotations of the schema Unresolved"]


RESERVED = ["__interrupt__", "__error__", "__pregel_tasks", "__root__", "branch:to:a", "join:a+b:c"]


@pytest.mark.parametrize("name", RESERVED)
def test_a_state_key_with_an_internal_name_is_refused_wherever_it_is_named(name: str) -> None:
    named: Any = TypedDict("named", {name: int, "other": int})  # type: ignore[misc]
    for build in (
        lambda: StateGraph(named),
        lambda: StateGraph(State, input_schema=named),
        lambda: StateGraph(State).add_node("a", passing, input_schema=named),
    ):
        with pytest.raises(ValueError, match=rf"'{re.escape(name)}' of named has a reserved name"):
            build()


@pytest.mark.parametrize("name", ["_private", "branch:a", "joined", "in:terrupt", "a|b", "_"])
def test_other_names_of_state_keys_may_have_any_characters(name: str) -> None:
    schema: Any = TypedDict("schema", {name: int})  # type: ignore[misc]
    builder = StateGraph(schema).add_node("a", lambda state: {name: state[name] + 1})
    graph: Any = builder.add_edge(START, "a").compile(checkpointer=InMemorySaver())
    assert graph.invoke({name: 1}, CONFIG) == {name: 2}
    assert graph.get_state(CONFIG).values == {name: 2}


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        (5, {}, "name of a node must be a string, not int 5"),
        ("", {}, "must not be empty"),
        ("a", {"retry_policy": 5}, "retry_policy must be a distgraph.types.RetryPolicy or"),
        (
            "a",
            {"retry_policy": [5]},
            "retry_policy must be a distgraph.types.RetryPolicy or",
        ),
        ("a", {"retry_policy": RetryPolicy(max_attempts="3")}, "max_attempts of a RetryPolicy"),  # type: ignore[arg-type]
        ("a", {"retry_policy": RetryPolicy(retry_on=5)}, "retry_on must be an Exception class"),  # type: ignore[arg-type]
        ("a", {"retry_policy": RetryPolicy(retry_on=[5])}, "retry_on must be an Exception class"),  # type: ignore[list-item]
        ("a", {"queue": 5}, "queue must be a string, not int 5"),
        ("a", {"priority": "high"}, "priority must be a whole number"),
        ("a", {"priority": 10}, "priority of node 'a'"),
        ("a", {"metadata": "m"}, "metadata must be a dict or None"),
    ],
)
def test_what_cannot_be_said_of_a_node_is_refused(name: Any, options: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        StateGraph(State).add_node(name, passing, **options)


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (5, "a", "start_key must be a string or a list of strings"),
        (None, "a", "start_key must be a string or a list of strings"),
        ([5], "a", "start_key must be a string or a list of strings"),
        ([], "a", "needs at least one start"),
        ("a", ["a"], "end_key must be a string"),
    ],
)
def test_an_edge_between_what_are_no_names_is_refused(start: Any, end: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        built(a=passing).add_edge(start, end)


def test_a_conditional_edge_from_or_to_what_is_no_name_is_refused() -> None:
    source: Any = 5
    with pytest.raises(TypeError, match="source must be a string, not int 5"):
        built(a=passing).add_conditional_edges(source, lambda _: "a")
    with pytest.raises(TypeError, match="path_map must be a dict or a list of strings or None"):
        built(a=passing).add_conditional_edges("a", lambda _: "a", source)


@pytest.mark.parametrize("nodes", [None, 5, [("a",)], [(5, passing)]])
def test_a_sequence_of_something_else_than_nodes_is_refused(nodes: Any) -> None:
    with pytest.raises(TypeError, match="sequence"):
        StateGraph(State).add_sequence(nodes)


@pytest.mark.parametrize("stops", [5, [5]])
def test_breakpoints_that_are_no_names_are_refused(stops: Any) -> None:
    with pytest.raises(TypeError, match="interrupt_before must be a string or a list of strings"):
        built(a=passing).compile(interrupt_before=stops)
    with pytest.raises(TypeError, match="interrupt_after must be a string or a list of strings"):
        compiled(a=passing).invoke({}, CONFIG, interrupt_after=stops)


def test_something_that_is_no_backend_is_refused() -> None:
    with pytest.raises(TypeError, match="backend must carry runs"):
        built(a=passing).compile(name="g", backend=5)


def test_something_that_is_no_connection_is_refused() -> None:
    path: Any = "file.db"
    with pytest.raises(TypeError, match=r"conn must be a sqlite3\.Connection, not str 'file\.db'"):
        SqliteSaver(path)


# --- nodes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("returned", [7, "text", [1, 2], object()])
def test_a_node_that_returns_a_wrong_type_is_named(returned: Any) -> None:
    graph = compiled(a=log("a"), b=lambda _state: returned)
    with pytest.raises(InvalidUpdateError, match="Node 'b' must return a dict"):
        graph.invoke({}, CONFIG)
    assert graph.get_state(CONFIG).values == {"log": ["a"]}


@pytest.mark.parametrize(
    "returned", [Command(goto="nowhere"), Send("nowhere", {}), [Send("nowhere", {})]]
)
def test_a_node_that_goes_to_an_unknown_node_is_named(returned: Any) -> None:
    graph = compiled(a=lambda _state: returned)
    with pytest.raises(InvalidUpdateError, match=r"Node 'a'.*'nowhere'.*nodes are: a"):
        graph.invoke({}, CONFIG)


def test_a_path_to_an_unknown_node_is_refused() -> None:
    builder = built(a=log("a")).add_conditional_edges("a", lambda _state: "nowhere")
    with pytest.raises(InvalidUpdateError, match="unknown node 'nowhere'"):
        builder.compile(checkpointer=InMemorySaver()).invoke({}, CONFIG)


def test_a_path_to_nothing_is_refused() -> None:
    builder = built(a=log("a")).add_conditional_edges("a", lambda _state: None)
    with pytest.raises(ValueError, match="Branch did not return a valid destination"):
        builder.compile().invoke({})


def test_an_edge_to_an_unknown_node_is_refused_at_compile() -> None:
    with pytest.raises(ValueError, match="Found edge ending at unknown node `nowhere`"):
        built(a=log("a")).add_edge("a", "nowhere").compile()
    with pytest.raises(ValueError, match="Found edge starting at unknown node 'nowhere'"):
        built(a=log("a")).add_edge("nowhere", END).compile()


def test_a_graph_without_an_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="must have an entrypoint"):
        StateGraph(State).add_node("a", log("a")).compile()


def test_a_value_that_cannot_be_stored_names_node_and_key() -> None:
    graph = compiled(a=log("a"), b=lambda _state: {"last": lambda: None})
    with pytest.raises(InvalidUpdateError, match=r"Node 'b'.*'last'"):
        graph.invoke({}, CONFIG)
    state = graph.get_state(CONFIG)
    assert (state.values, state.next) == ({"log": ["a"]}, ("b",))


def test_a_question_that_cannot_be_stored_names_its_node() -> None:
    graph = compiled(a=lambda _state: interrupt(lambda: None))
    with pytest.raises(InvalidUpdateError, match=r"Node 'a'.*interrupt\(\)"):
        graph.invoke({}, CONFIG)


def test_a_node_that_raises_can_be_retried() -> None:
    failures = [ZeroDivisionError("once")]

    def flaky(state: State) -> Any:
        if failures:
            raise failures.pop()
        return {"log": ["b"]}

    graph = compiled(a=log("a"), b=flaky)
    with pytest.raises(ZeroDivisionError, match="once") as raised:
        graph.invoke({}, CONFIG)
    assert any("task with name 'b'" in note for note in raised.value.__notes__)
    assert graph.invoke(None, CONFIG) == {"log": ["a", "b"]}


@pytest.mark.parametrize("leave", [sys.exit, lambda: exec("raise GeneratorExit")])
def test_a_node_cannot_end_the_process(leave: Callable[[], Any]) -> None:
    graph = compiled(a=log("a"), b=lambda _state: leave())
    with pytest.raises(RuntimeError, match="Node 'b' raised"):
        graph.invoke({}, CONFIG)
    assert graph.get_state(CONFIG).next == ("b",)


@pytest.mark.parametrize("beside", [False, True])
def test_an_interrupted_process_leaves_the_thread_resumable(beside: bool) -> None:
    presses = [KeyboardInterrupt]

    def slow(state: State) -> Any:
        if presses:
            raise presses.pop()
        return {"log": ["b"]}

    builder = built(a=log("a"), b=slow)
    if beside:
        builder.add_node("c", log("c")).add_edge("a", "c")
    graph = builder.compile(checkpointer=InMemorySaver())
    with pytest.raises(KeyboardInterrupt):
        graph.invoke({}, CONFIG)
    assert "b" in graph.get_state(CONFIG).next
    assert graph.invoke(None, CONFIG) == {"log": ["a", "b", *(["c"] if beside else [])]}


async def test_a_cancelled_call_leaves_the_thread_resumable() -> None:
    started = asyncio.Event()
    patience = [3600.0, 0.0]

    async def slow(state: State) -> Any:
        started.set()
        await asyncio.sleep(patience.pop(0))
        return {"log": ["b"]}

    graph = compiled(a=log("a"), b=slow)
    call = asyncio.create_task(graph.ainvoke({}, CONFIG))
    await started.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await graph.aget_state(CONFIG)).next == ("b",)
    assert await graph.ainvoke(None, CONFIG) == {"log": ["a", "b"]}


def test_an_endless_loop_ends_at_the_recursion_limit() -> None:
    builder = built(a=log("a")).add_edge("a", "a")
    graph = builder.compile(checkpointer=InMemorySaver())
    with pytest.raises(GraphRecursionError, match="Recursion limit of 5 reached"):
        graph.invoke({}, {**CONFIG, "recursion_limit": 5})
    assert graph.get_state(CONFIG).next == ("a",)


def test_swallowing_the_signal_of_a_question_is_an_error() -> None:
    def greedy(state: State) -> Any:
        try:
            interrupt("well?")
        except BaseException:  # noqa: BLE001 the mistake that is meant
            return {"log": ["a"]}

    with pytest.raises(RuntimeError, match="something swallowed the signal"):
        compiled(a=greedy).invoke({}, CONFIG)


def test_a_coroutine_node_needs_the_async_call() -> None:
    async def node(state: State) -> Any:
        return {"log": ["a"]}

    with pytest.raises(TypeError, match='No synchronous function provided to "a"'):
        compiled(a=node).invoke({}, CONFIG)


async def test_a_blocking_call_works_inside_an_event_loop() -> None:
    assert compiled(a=log("a")).invoke({}, CONFIG) == {"log": ["a"]}


def test_the_start_is_no_target() -> None:
    graph = compiled(a=log("a"), b=lambda _: Command(goto=START))
    with pytest.raises(InvalidUpdateError, match="unknown node '__start__'"):
        graph.invoke({}, CONFIG)
    with pytest.raises(InvalidUpdateError, match="unknown node '__start__'"):
        graph.invoke(Command(goto=START), CONFIG)
    assert graph.get_state(CONFIG).next == ("b",)


def test_a_predicate_that_fails_leaves_the_nodes_failure_final() -> None:
    def node(_: State) -> Any:
        raise ConnectionError("lost")

    def predicate(_: Exception) -> bool:
        raise KeyError("no")

    policy = RetryPolicy(retry_on=predicate)
    builder = StateGraph(State).add_node("a", node, retry_policy=policy).add_edge(START, "a")
    with pytest.raises(ConnectionError, match="lost") as raised:
        builder.compile().invoke({})
    assert "retry_on of node 'a' raised KeyError: 'no'" in raised.value.__notes__
