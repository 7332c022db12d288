"""Handlers of graphs are there without langchain-core too, and workers have those of a graph."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any, TypedDict
from unittest import mock

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager

from distgraph.callbacks import GraphCallbackHandler, GraphInterruptEvent
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, StateGraph
from distgraph.graph.configs import inherited, merge_configs
from distgraph.types import interrupt
from tests.support.without_langchain import without_langchain


class Count(TypedDict, total=False):
    n: int


def ask(_: Count) -> Count:
    return {"n": interrupt("?")}


def asking() -> Any:
    builder = StateGraph(Count).add_node("ask", ask).add_edge(START, "ask")
    return builder.compile(checkpointer=InMemorySaver())


def on(*handlers: Any) -> Any:
    return {"configurable": {"thread_id": "t"}, "callbacks": list(handlers)}


class Hears(GraphCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[str] = []

    async def on_interrupt(self, event: GraphInterruptEvent) -> None:
        async with asyncio.TaskGroup() as others:
            for each in event.interrupts:
                others.create_task(self._note(each.value))

    async def _note(self, value: str) -> None:
        self.heard.append(value)


async def test_what_is_to_be_awaited_is_so_on_a_loop_and_without_one() -> None:
    hears = Hears()
    await asking().ainvoke({"n": 0}, on(hears))
    asking().invoke({"n": 0}, on(hears))
    assert hears.heard == ["?", "?"]


def test_a_failure_is_logged_with_the_name_of_the_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Fails(GraphCallbackHandler):
        def on_interrupt(self, event: GraphInterruptEvent) -> None:
            raise ValueError(len(event.interrupts))

    assert "__interrupt__" in asking().invoke({"n": 0}, on(Fails()))
    assert "The callback Fails.on_interrupt failed: ValueError(1)" in caplog.text


def test_handlers_are_there_without_langchain() -> None:
    with mock.patch.dict(sys.modules), without_langchain():
        del sys.modules["distgraph.callbacks"]
        with mock.patch.dict(sys.modules, {"langchain_core.callbacks": None}):
            plain = importlib.import_module("distgraph.callbacks").GraphCallbackHandler
    assert not any(each.__module__.startswith("langchain_core") for each in plain.__mro__)
    assert plain().raise_error is False


class Other(BaseCallbackHandler):
    pass


def handlers(callbacks: Any) -> list[Any]:
    return list(getattr(callbacks, "handlers", callbacks))


@pytest.mark.parametrize("first", [list, CallbackManager], ids=["list", "manager"])
@pytest.mark.parametrize("second", [list, CallbackManager], ids=["list", "manager"])
def test_callbacks_of_a_graph_and_of_a_call_are_both_there(first: Any, second: Any) -> None:
    one, two = Other(), Other()
    given: Any = first([one])
    merged = merge_configs({"callbacks": given}, {"callbacks": second([two])}, None)
    assert set(handlers(merged["callbacks"])) == {one, two}
    assert handlers(given) == [one]


def test_callbacks_of_a_call_in_a_node_stand_for_those_around() -> None:
    one, two = Other(), Other()
    assert inherited({"callbacks": [one]}, {"callbacks": [two]})["callbacks"] == [two]
    assert inherited({"callbacks": [one]}, {})["callbacks"] == [one]
