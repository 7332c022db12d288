"""What a node or a path function sets in a context variable, nobody else finds there."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterator
from contextvars import ContextVar, copy_context
from typing import Annotated, Any, TypedDict

import pytest

from distgraph._apart import awaited_apart
from distgraph.graph import START, StateGraph
from distgraph.types import RetryPolicy, Send

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")
Engine = Callable[[Any], Any]


class State(TypedDict, total=False):
    seen: Annotated[list[str], operator.add]


def changed(by: str) -> str:
    """Return what the variable holds, and leave it changed."""
    found = tenant.get()
    tenant.set(f"changed by {by}")
    return found


def node(name: str) -> Callable[[State], Any]:
    return lambda _: {"seen": [changed(name)]}


def coroutine(name: str) -> Callable[[State], Any]:
    async def run(_: State) -> Any:
        before = changed(name)
        await asyncio.sleep(0)
        return {"seen": [before, tenant.get()]}

    return run


def ran(graph: Any) -> list[str]:
    seen: list[str] = graph.invoke({})["seen"]
    return seen


def streamed(graph: Any) -> list[str]:
    seen: list[str] = list(graph.stream({}, stream_mode=["custom", "values"]))[-1][1]["seen"]
    return seen


def ran_on_a_loop(graph: Any) -> list[str]:
    seen: list[str] = asyncio.run(graph.ainvoke({}))["seen"]
    return seen


@pytest.fixture(params=[ran, streamed, ran_on_a_loop])
def run(request: Any) -> Iterator[Engine]:
    """Return what runs a graph for a caller who has set the variable, and finds it as it was."""

    def by_a_caller(graph: Any) -> Any:
        tenant.set("caller")
        return request.param(graph), tenant.get()

    def checked(graph: Any) -> Any:
        seen, left = copy_context().run(by_a_caller, graph)
        assert left == "caller"
        return seen

    return checked  # type: ignore[return-value]


def test_nodes_one_after_the_other(run: Engine) -> None:
    builder = StateGraph(State).add_sequence([(name, node(name)) for name in "abc"])
    assert run(builder.add_edge(START, "a").compile()) == ["caller"] * 3


def test_nodes_side_by_side_and_packets(run: Engine) -> None:
    builder = StateGraph(State).add_node("a", node("a")).add_node("b", node("b"))
    packets = [Send("b", n) for n in range(40)]  # more than threads
    builder.add_conditional_edges(START, lambda _: ["a", *packets], ["a", "b"])
    assert run(builder.compile()) == ["caller"] * 41


def test_path_functions_and_their_node(run: Engine) -> None:
    told: list[str] = []

    def path(name: str) -> Callable[[State], str]:
        def choose(_: State) -> str:
            told.append(changed(name))
            return "b"

        choose.__name__ = name
        return choose

    builder = StateGraph(State).add_node("a", node("a")).add_node("b", node("b"))
    builder.add_conditional_edges("a", path("one"), ["b"])
    builder.add_conditional_edges("a", path("two"), ["b"])
    assert run(builder.add_edge(START, "a").compile()) == ["caller"] * 2
    assert told == ["caller"] * 2


def test_attempts_at_a_task(run: Engine) -> None:
    found: list[str] = []

    def fails(_: State) -> Any:
        found.append(changed("an attempt"))
        if len(found) < 3:
            raise ConnectionError
        return {"seen": found}

    policy = RetryPolicy(initial_interval=0.001, jitter=False)
    builder = StateGraph(State).add_node("a", fails, retry_policy=policy)
    assert run(builder.add_edge(START, "a").compile()) == ["caller"] * 3


def test_a_graph_inside_a_node_sees_what_the_node_has_set() -> None:
    inner = StateGraph(State).add_sequence([(name, node(name)) for name in "ab"])
    called = inner.add_edge(START, "a").compile()

    def outer(_: State) -> Any:
        tenant.set("outer")
        return {"seen": [*called.invoke({})["seen"], tenant.get()]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile()
    assert ran(graph) == ["outer"] * 3
    assert tenant.get() == "nobody"


def test_coroutines_keep_theirs_over_what_they_wait_for_and_to_themselves() -> None:
    builder = StateGraph(State)
    builder.add_sequence([(name, coroutine(name)) for name in "ab"])
    builder.add_node("c", coroutine("c")).add_edge(START, "a").add_edge(START, "c")
    assert ran_on_a_loop(builder.compile()) == [
        *("nobody", "changed by a", "nobody", "changed by c"),
        *("nobody", "changed by b"),
    ]


async def test_a_coroutine_that_runs_apart_is_cancelled_caught_and_closed_as_ever() -> None:
    told: list[Any] = []

    async def steps() -> str:
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            told.append(asyncio.current_task())
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
        except TimeoutError:
            told.append("late")
        return "done"

    task = asyncio.create_task(awaited_apart(steps()))
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "done"
    assert told == [task, "late"]


async def test_a_coroutine_that_is_closed_cleans_up() -> None:
    told: list[str] = []

    async def steps() -> None:
        try:
            await asyncio.sleep(3_600)
        finally:
            told.append(tenant.get())

    apart = awaited_apart(steps())
    apart.send(None)
    apart.close()
    assert told == ["nobody"]
