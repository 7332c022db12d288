"""What a node is told of its run, and how a run is asked to stop between supersteps."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import GraphDrained
from distgraph.graph import START, StateGraph
from distgraph.runtime import DEFAULT_RUNTIME, ExecutionInfo, RunControl, Runtime, ServerInfo
from distgraph.types import RetryPolicy

THREAD: Any = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    xs: Annotated[list[str], operator.add]


def told_with(configurable: dict[str, Any]) -> Runtime[Any]:
    """The runtime of a node that is called with this configurable."""
    seen: list[Runtime[Any]] = []

    def node(_: State, runtime: Runtime[Any]) -> None:
        seen.append(runtime)

    graph = StateGraph(State).add_node(node).add_edge(START, "node").compile()
    graph.invoke({}, {"configurable": configurable})
    return seen[0]


def test_what_another_runtime_has_comes_on_top_of_this_one() -> None:
    control, server = RunControl(), ServerInfo("a", "g")
    runtime: Runtime[Any] = Runtime(context={"who": 1}, control=control, server_info=server)
    assert runtime.merge(Runtime()) == runtime
    assert runtime.merge(Runtime(context={})).context == {"who": 1}
    merged = runtime.merge(Runtime(context={"who": 2}, previous=3))
    assert (merged.context, merged.previous, merged.control) == ({"who": 2}, 3, control)
    assert runtime.override(previous=4).previous == 4


def test_an_execution_is_told_otherwise_in_a_copy() -> None:
    info = ExecutionInfo("c", "ns", "t")
    runtime: Runtime[Any] = Runtime(execution_info=info)
    patched = runtime.patch_execution_info(node_attempt=3)
    assert patched.attempt == 3
    assert info.patch(task_id="u").task_id == "u"
    assert runtime.attempt == info.node_attempt == 1
    with pytest.raises(RuntimeError, match="before it has been set"):
        DEFAULT_RUNTIME.patch_execution_info(node_attempt=2)


def test_outside_of_an_attempt_a_heartbeat_and_a_chunk_go_nowhere() -> None:
    DEFAULT_RUNTIME.heartbeat()
    DEFAULT_RUNTIME.stream_writer("chunk")
    assert (DEFAULT_RUNTIME.idempotency_key, DEFAULT_RUNTIME.attempt) == ("", 1)
    assert (DEFAULT_RUNTIME.drain_requested, DEFAULT_RUNTIME.drain_reason) == (False, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"langgraph_auth_user": "u"}, None),
        ({"assistant_id": "a"}, ServerInfo("a", "")),
        (
            {"assistant_id": "a", "graph_id": "g", "langgraph_auth_user": "u"},
            ServerInfo("a", "g", "u"),
        ),
    ],
    ids=["nothing", "user-alone", "assistant", "all"],
)
def test_the_configurable_says_who_serves(given: dict[str, Any], expected: Any) -> None:
    assert told_with(given).server_info == expected


def test_all_attempts_know_when_the_first_began() -> None:
    seen: list[tuple[int, Any]] = []

    def node(_: State, runtime: Runtime[Any]) -> None:
        info = runtime.execution_info
        assert info is not None
        seen.append((info.node_attempt, info.node_first_attempt_time))
        if info.node_attempt == 1:
            raise KeyError

    retry = RetryPolicy(initial_interval=0.0, jitter=False, retry_on=KeyError)
    StateGraph(State).add_node(node, retry_policy=retry).add_edge(START, "node").compile().invoke(
        {}
    )
    (first, began), (second, same) = seen
    assert (first, second, same) == (1, 2, began)
    assert isinstance(began, float)


def drains(_: State, runtime: Runtime[Any]) -> State:
    assert runtime.control is not None
    runtime.control.request_drain("enough")
    assert (runtime.drain_requested, runtime.drain_reason) == (True, "enough")
    return {"xs": ["drains"]}


def adds(name: str) -> Any:
    return lambda _: {"xs": [name]}


def test_a_run_that_is_to_stop_does_so_before_the_next_superstep() -> None:
    builder = StateGraph(State).add_node("a", drains).add_node("b", adds("b"))
    builder.add_edge(START, "a").add_edge("a", "b")
    graph = builder.compile(InMemorySaver())
    with pytest.raises(GraphDrained, match="Graph drained: enough") as raised:
        graph.invoke({}, THREAD)
    assert raised.value.reason == "enough"
    assert graph.get_state(THREAD).next == ("b",)
    assert graph.invoke(None, THREAD) == {"xs": ["drains", "b"]}


async def test_with_asyncio_it_stops_as_well() -> None:
    builder = StateGraph(State).add_node("a", drains).add_node("b", adds("b"))
    builder.add_edge(START, "a").add_edge("a", "b")
    with pytest.raises(GraphDrained):
        await builder.compile().ainvoke({})


def test_one_that_was_to_stop_before_it_began_runs_nothing() -> None:
    control = RunControl()
    control.request_drain()
    graph = StateGraph(State).add_node("a", adds("a")).add_edge(START, "a").compile(InMemorySaver())
    with pytest.raises(GraphDrained, match="shutdown"):
        graph.invoke({"xs": ["in"]}, THREAD, control=control)
    assert graph.get_state(THREAD).values == {"xs": ["in"]}
    assert graph.invoke(None, THREAD) == {"xs": ["in", "a"]}


def test_one_that_is_over_or_waits_by_then_ends_as_ever() -> None:
    builder = StateGraph(State).add_node("a", drains).add_node("b", adds("b"))
    assert builder.add_edge(START, "a").compile().invoke({}) == {"xs": ["drains"]}
    builder.add_edge("a", "b")
    graph = builder.compile(InMemorySaver(), interrupt_before=["b"])
    assert graph.invoke({}, THREAD) == {"xs": ["drains"]}
    assert graph.get_state(THREAD).next == ("b",)


async def streamed(graph: Any, chunks: list[Any], *, is_async: bool) -> None:
    if is_async:
        async for chunk in graph.astream({}, THREAD):
            chunks += [chunk]
    else:
        for chunk in graph.stream({}, THREAD):
            chunks += [chunk]


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
async def test_a_graph_inside_stops_too_and_goes_on_where_it_was(is_async: bool) -> None:
    inside = StateGraph(State).add_node("i", drains).add_node("j", adds("j"))
    inner = inside.add_edge(START, "i").add_edge("i", "j").compile()
    retry = RetryPolicy(initial_interval=0.0, jitter=False, retry_on=Exception)
    builder = StateGraph(State).add_node("inner", inner, retry_policy=retry)
    builder.add_node("beside", adds("beside")).add_node("end", adds("end"))
    builder.add_edge(START, "inner").add_edge(START, "beside").add_edge("inner", "end")
    graph = builder.compile(InMemorySaver())
    chunks: list[Any] = []
    with pytest.raises(GraphDrained):
        await streamed(graph, chunks, is_async=is_async)
    assert chunks == [{"beside": {"xs": ["beside"]}}]
    state = graph.get_state(THREAD)
    assert state.next == ("inner",)
    assert [task.error for task in state.tasks] == [None, None]
    assert graph.invoke(None, THREAD) == {"xs": ["beside", "drains", "j", "end"]}
