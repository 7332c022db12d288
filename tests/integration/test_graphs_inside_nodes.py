"""A graph that is called inside a node of a worker runs right there."""

from __future__ import annotations

import asyncio
import operator
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.config import get_stream_writer
from distgraph.graph import START, StateGraph
from distgraph.types import RetryPolicy
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE
from workers import CeleryBackend


class State(TypedDict, total=False):
    """A list that grows."""

    xs: Annotated[list[str], operator.add]


def _config(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> Iterator[CeleryBackend]:
    """A backend with a worker inside this process, with one slot alone."""
    made = CeleryBackend(redis_server.url, namespace=namespace)
    with made.worker(pool="threads", concurrency=1):
        yield made


def test_one_with_a_thread_of_its_own_does_not_wait_for_another_worker(
    backend: CeleryBackend,
) -> None:
    inner = (
        StateGraph(State)
        .add_node("leaf", lambda _: {"xs": ["leaf"]})
        .add_edge(START, "leaf")
        .compile(name="inner", backend=backend)
    )
    own = f"own-{uuid.uuid4()}"
    outer = (
        StateGraph(State)
        .add_node("call", lambda _: {"xs": inner.invoke({"xs": ["in"]}, _config(own))["xs"]})
        .add_edge(START, "call")
        .compile(name="outer", backend=backend)
    )
    run = outer.submit({"xs": []}, _config(f"outer-{uuid.uuid4()}"))
    assert run.result(timeout=PATIENCE) == {"xs": ["in", "leaf"]}
    assert inner.get_state(_config(own)).values == {"xs": ["in", "leaf"]}


def test_its_own_chunks_reach_the_client(backend: CeleryBackend) -> None:
    def leaf(_: State) -> State:
        get_stream_writer()("from the leaf")
        return {"xs": ["leaf"]}

    inner = StateGraph(State).add_node("leaf", leaf).add_edge(START, "leaf").compile()
    outer = (
        StateGraph(State)
        .add_node("call", lambda state: inner.invoke(state))
        .add_edge(START, "call")
        .compile(name="chunks", backend=backend)
    )
    config = _config(f"chunks-{uuid.uuid4()}")
    assert list(outer.stream({"xs": []}, config, stream_mode="custom")) == ["from the leaf"]


async def _leaf(_: State) -> State:
    asyncio.get_running_loop()
    return {"xs": ["on a loop"]}


def _around(graph: Any) -> StateGraph[Any, Any, Any, Any]:
    return StateGraph(State).add_node("in", graph).add_edge(START, "in")


@pytest.mark.parametrize("levels", [1, 3])
def test_coroutines_inside_graphs_that_are_nodes_run_on_the_loop(
    backend: CeleryBackend, levels: int
) -> None:
    builder = StateGraph(State).add_node("leaf", _leaf).add_node("blocking", lambda _: None)
    builder.add_edge(START, "leaf").add_edge("leaf", "blocking")
    for _ in range(levels):
        builder = _around(builder.compile())
    graph: Any = builder.compile(name=f"coroutines-{levels}", backend=backend)
    assert graph.invoke({}, _config("blocking")) == {"xs": ["on a loop"]}
    assert asyncio.run(graph.ainvoke({}, _config("asyncio"))) == {"xs": ["on a loop"]}


@pytest.mark.parametrize("stops", [{"interrupt_before": ["two"]}, {"interrupt_after": ["one"]}])
def test_a_breakpoint_two_graphs_deep_is_released_by_going_on(
    backend: CeleryBackend, stops: dict[str, Any]
) -> None:
    steps = [("one", lambda _: {"xs": ["one"]}), ("two", lambda _: {"xs": ["two"]})]
    inner: Any = StateGraph(State).add_sequence(steps).add_edge(START, "one").compile(**stops)
    middle: Any = StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile()
    graph = (
        StateGraph(State)
        .add_node("middle", middle)
        .add_edge(START, "middle")
        .compile(name="stops", backend=backend)
    )
    config = _config(f"stops-{uuid.uuid4()}")
    graph.invoke({}, config)
    assert [thread.status for thread in backend.threads()] == ["interrupted"]
    assert (graph.get_state(config).next, graph.get_state(config).interrupts) == (("middle",), ())
    assert graph.invoke(None, config) == {"xs": ["one", "two"]}


def test_a_short_back_off_does_not_wait_for_the_sweeper(
    redis_server: RedisServer, namespace: str
) -> None:
    tried: list[int] = []

    def flaky(_: State) -> State:
        tried.append(1)
        if len(tried) < 4:
            raise ConnectionError
        return {"xs": ["done"]}

    slow = CeleryBackend(redis_server.url, namespace=namespace, sweep=3600.0)
    policy = RetryPolicy(initial_interval=0.01, max_attempts=5, jitter=False)
    graph = (
        StateGraph(State)
        .add_node("flaky", flaky, retry_policy=policy)
        .add_edge(START, "flaky")
        .compile(name="flaky", backend=slow)
    )
    with slow.worker(pool="threads", concurrency=1):
        run = graph.submit({"xs": []}, _config(f"flaky-{uuid.uuid4()}"))
        assert run.result(timeout=PATIENCE) == {"xs": ["done"]}
