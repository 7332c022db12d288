"""A graph is piped, mapped and wrapped as any Runnable, and does there what LangGraph's does."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any
from unittest.mock import Mock

import pytest
from langchain_core.runnables import RunnableLambda, RunnablePassthrough, RunnablePick
from typing_extensions import TypedDict

from tests.parity.observe import kind

MINE, THEIRS = "distgraph", "langgraph"


class Count(TypedDict, total=False):
    n: int
    told: Any


def more(state: Count) -> Any:
    return {"n": state["n"] + 1}


def wrapped(n: int) -> Any:
    return {"n": n}


def graph_of(package: str, action: Any = more, name: str = "step") -> Any:
    graph: Any = import_module(f"{package}.graph")
    builder = graph.StateGraph(Count).add_node(name, action).add_edge(graph.START, name)
    return builder.compile(name="counting")


def workflow_of(package: str) -> Any:
    def doubling(n: int) -> int:
        return n * 2

    return import_module(f"{package}.func").entrypoint()(doubling)


async def awaited(graph: Any) -> Any:
    chain = RunnableLambda(wrapped) | graph
    streamed = [chunk async for chunk in chain.astream(1)]
    return [await chain.ainvoke(1), streamed]


async def logged(graph: Any) -> Any:
    patches = [patch async for patch in graph.astream_log({"n": 1})]
    return [[op["path"] for op in patch.ops] for patch in patches]


def as_tool(graph: Any) -> Any:
    made = graph.as_tool(name="count", description="Counts.")
    return made.name, made.description, made.args, made.invoke({"n": 1, "told": "x"})


WAYS: dict[str, Callable[[Any], Any]] = {
    "before-a-runnable": lambda graph: (graph | RunnablePassthrough()).invoke({"n": 1}),
    "after-a-runnable": lambda graph: (RunnableLambda(wrapped) | graph).invoke(1),
    "after-a-function": lambda graph: (wrapped | graph).invoke(1),
    "after-a-dict": lambda graph: ({"n": lambda n: n + 5} | graph).invoke(1),
    "streamed": lambda graph: list((RunnableLambda(wrapped) | graph).stream(1)),
    "with-asyncio": lambda graph: asyncio.run(awaited(graph)),
    "piped": lambda graph: graph.pipe(lambda state: state["n"], str).invoke({"n": 1}),
    "mapped": lambda graph: graph.map().invoke([{"n": 1}, {"n": 5}]),
    "bound": lambda graph: graph.bind(stream_mode="updates").invoke({"n": 1}),
    "tried-again": lambda graph: graph.with_retry().invoke({"n": 1}),
    "with-fallbacks": lambda graph: graph.with_fallbacks([RunnableLambda(more)]).invoke({}),
    "as-a-tool": as_tool,
    "logged": lambda graph: asyncio.run(logged(graph)),
    "returned-by-a-function": lambda graph: RunnableLambda(lambda _: graph).invoke({"n": 1}),
    "named": lambda graph: [
        graph.get_name(), graph.get_name("input"), graph.get_name("x", name="Other")
    ],
    "nodes-in-order": lambda graph: list(graph.nodes),
}  # fmt: skip


def outcome(way: Callable[[Any], Any], graph: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of it is in beta, or old
        return kind(lambda: way(graph))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_graph_is_a_runnable(way: Callable[[Any], Any]) -> None:
    assert outcome(way, graph_of(MINE)) == outcome(way, graph_of(THEIRS))


def test_so_is_a_workflow() -> None:
    def way(workflow: Any) -> Any:
        chain = workflow | str
        return chain.invoke(2), list(chain.stream(2))

    assert outcome(way, workflow_of(MINE)) == outcome(way, workflow_of(THEIRS))


def test_what_is_neither_is_refused() -> None:
    def way(graph: Any) -> Any:
        return graph | 3

    assert outcome(way, graph_of(MINE)) == outcome(way, graph_of(THEIRS)) == {"error": "TypeError"}


ACTIONS: dict[str, Callable[[Any], Any]] = {
    "a-dict": lambda _: {"n": RunnablePick("n") | (lambda n: n * 10), "told": lambda s: s["n"]},
    "a-mock": lambda _: Mock(side_effect=more),
    "a-sequence-with-a-graph": lambda graph: RunnableLambda(more) | graph,
    "a-dict-with-a-graph": lambda graph: {"told": graph},
    "a-graph-for-each": lambda graph: (
        RunnableLambda(lambda s: [s, s]) | graph.map() | (lambda all_: {"told": all_})
    ),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_what_is_made_of_runnables_is_a_node(action: Callable[[Any], Any]) -> None:
    def run(package: str) -> Any:
        node = action(graph_of(package))
        graph = graph_of(package, node, "outer")
        modes = ["updates", "values"]
        return graph.invoke({"n": 1}), list(graph.stream({"n": 1}, stream_mode=modes))

    assert run(MINE) == run(THEIRS)


def test_a_builder_shows_what_its_nodes_do() -> None:
    async def later(state: Count) -> Any:
        return more(state)

    step = RunnableLambda(more)

    def shown(package: str) -> Any:
        builder: Any = import_module(f"{package}.graph").StateGraph(Count)
        builder.add_node("now", more).add_node("later", later).add_node("step", step)
        runnables = {name: node.runnable for name, node in builder.nodes.items()}
        functions = runnables["now"].func, runnables["later"].func, runnables["later"].afunc
        return functions, runnables["step"] is step

    assert shown(MINE) == shown(THEIRS)
