"""The events of a run are LangGraph's: what begins in what, what it streams, how it ends."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, TypedDict
from unittest import mock

import pytest
from langchain_core.callbacks import adispatch_custom_event
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tracers.base import BaseTracer

from distgraph.func import task
from distgraph.graph import START, MessagesState, StateGraph


class Count(TypedDict, total=False):
    n: int


MINE, THEIRS = "distgraph", "langgraph"
GIVEN: dict[str, Any] = {"messages": [("user", "hi")]}
OPTIONS: dict[str, dict[str, Any]] = {
    "as-it-is": {},
    "first-version": {"version": "v1"},
    "values": {"stream_mode": "values", "include_names": ["outer"]},
    "inside": {"stream_mode": ["values", "updates"], "subgraphs": True, "include_names": ["outer"]},
    "models": {"include_types": ["chat_model"]},
    "without-models": {"exclude_types": ["chat_model"]},
}


def model() -> Any:
    return GenericFakeChatModel(messages=iter([AIMessage(content="yes no")]))


def says(state: Any) -> Any:
    return {"messages": [model().invoke(state["messages"])]}


async def says_on_a_loop(state: Any) -> Any:
    await adispatch_custom_event("mine", {"a": 1})
    return {"messages": [await model().ainvoke(state["messages"])]}


def graph_of(package: str) -> Any:
    graph: Any = import_module(f"{package}.graph")

    def chain(name: str, **nodes: Any) -> Any:
        builder, previous = graph.StateGraph(graph.MessagesState), graph.START
        for each, node in nodes.items():
            builder.add_node(each, node).add_edge(previous, each)
            previous = each
        return builder.compile(name=name)

    return chain("outer", first=says_on_a_loop, inside=chain("inner", deep=says))


def plain(value: Any) -> Any:
    """Return a value without ids, which are other ones in each run."""
    match value:
        case dict():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case str() if ":" in value:  # of a namespace
            return value.partition(":")[0]
        case _ if hasattr(value, "content"):
            return type(value).__name__, value.content
        case _:
            return value


async def events(package: str, options: dict[str, Any]) -> list[Any]:
    graph = graph_of(package).with_config(metadata={"mark": 1})
    found, numbers = [], dict[str, int]()
    asked = {"version": "v2", **options}
    async for event in graph.astream_events(GIVEN, {"tags": ["t"]}, **asked):
        about = {
            key: event["metadata"].get(key) for key in ("mark", "langgraph_node", "langgraph_step")
        }
        number = numbers.setdefault(event["run_id"], len(numbers))
        tags = sorted(tag for tag in event["tags"] if not tag.startswith("seq:step"))
        depth = len(event.get("parent_ids", ()))
        data = plain(event["data"])
        found.append((event["event"], event["name"], number, depth, tags, about, data))
    return found


@pytest.mark.filterwarnings("ignore:astream_events version:DeprecationWarning")
@pytest.mark.parametrize("name", OPTIONS)
def test_events_are_langgraphs(name: str) -> None:
    def seen(package: str) -> list[Any]:
        return asyncio.run(events(package, OPTIONS[name]))

    assert seen(MINE) == seen(THEIRS)


async def test_what_a_node_calls_as_a_function_stands_in_it() -> None:
    @task
    async def double(x: int) -> int:
        return x * 2

    async def node(state: Count) -> Count:
        return {"n": await double(state["n"])}

    graph = StateGraph(Count).add_node("n", node).add_edge(START, "n").compile()
    told = [event async for event in graph.astream_events({"n": 2}, exclude_names=[graph.name])]
    seen = [(event["event"].removeprefix("on_chain_"), event["name"]) for event in told]
    begun, ended = [("start", "n"), ("start", "double")], [("stream", "n"), ("end", "n")]
    assert seen == [*begun, ("stream", "double"), ("end", "double"), *ended]


def workflow_of(package: str) -> Any:
    func: Any = import_module(f"{package}.func")

    def adds(n: int, more: int = 2, *others: int, by: int = 3, **named: int) -> int:
        return n

    async def later(n: int, config: RunnableConfig) -> dict[str, int]:
        return {"n": n}

    def fails(n: int) -> None:
        raise ValueError("no")

    adding, failing, waiting = func.task(adds), func.task(fails), func.task(later)

    async def counting(n: int) -> Any:
        with suppress(ValueError):
            await failing(n)
        await waiting(n=n)
        return await adding(n, 5) + await adding(n, 1, 2, 3, by=4, other=5)

    return func.entrypoint()(counting)


class Trees(BaseTracer):
    """Keeps the runs that it was told of, with all that is in them."""

    def _persist_run(self, run: Any) -> None:
        self.found = self._tree(run)

    def _tree(self, run: Any) -> tuple[Any, ...]:
        inner = [self._tree(each) for each in run.child_runs]
        return run.name, run.inputs, run.outputs, run.tags, bool(run.error), inner


def test_a_workflow_and_its_functions_are_told_of_as_langgraphs() -> None:
    def told(package: str) -> Any:
        trees = Trees()
        config: Any = {"callbacks": [trees], "tags": ["mine"]}
        asyncio.run(workflow_of(package).ainvoke(7, config))
        return trees.found

    assert told(MINE) == told(THEIRS)


async def test_a_failure_comes_out_and_the_limit_is_that_of_the_graph() -> None:
    def fails(_: Any) -> Any:
        raise ValueError("no")

    graph = StateGraph(MessagesState).add_node("n", fails).add_edge(START, "n").compile()
    with pytest.raises(ValueError, match="no"):
        [event async for event in graph.astream_events(GIVEN)]
    looped = StateGraph(MessagesState).add_node("n", lambda _: None)
    looped.add_edge(START, "n")
    turns = iter(range(40))
    looped.add_conditional_edges("n", lambda _: "n" if next(turns) < 30 else "__end__")
    told = [event async for event in looped.compile().astream_events(GIVEN)]
    assert told[-1]["event"] == "on_chain_end"
    assert len([1 for event in told if event["event"] == "on_chain_start"]) == 32


def test_what_there_is_no_event_of_is_refused() -> None:
    graph = graph_of(MINE)
    with pytest.raises(NotImplementedError, match=r"not built. stream\(\) and astream\(\) show"):
        graph.astream_events(GIVEN, version="v3")
    with pytest.raises(NotImplementedError, match=r"not built. stream\(\) and astream\(\) show"):
        graph.stream_events(GIVEN, version="v3")
    with pytest.raises(NotImplementedError, match=r"use astream_events\(\) for v1 and v2"):
        graph.stream_events(GIVEN)
    hidden = {"langchain_core.runnables": None, "distgraph.messages.eventing": None}
    with (
        mock.patch.dict(sys.modules, hidden),
        pytest.raises(ImportError, match=r"pip install distgraph\[langchain\]"),
    ):
        graph.astream_events(GIVEN)
