"""Callbacks of langchain-core see a run of a graph as one tree: its nodes, and what they call."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tracers.base import BaseTracer

from distgraph.graph import START, MessagesState, StateGraph


class Tracer(BaseTracer):
    def __init__(self) -> None:
        super().__init__()
        self.roots: list[Any] = []

    def _persist_run(self, run: Any) -> None:
        self.roots.append(_tree(run))


def _tree(run: Any) -> tuple[Any, ...]:
    return run.name, run.run_type, bool(run.error), [_tree(each) for each in run.child_runs]


def says(state: MessagesState) -> dict[str, Any]:
    model = GenericFakeChatModel(messages=iter([AIMessage(content="yes")]))
    return {"messages": [model.invoke(state["messages"])]}


def graph_of(node: Any, name: str) -> Any:
    return StateGraph(MessagesState).add_node("n", node).add_edge(START, "n").compile(name=name)


MODEL: Any = ("GenericFakeChatModel", "llm", False, [])
ASKED = ("n", "chain", False, [MODEL])
TREE = ("outer", "chain", False, [("n", "chain", False, [("inner", "chain", False, [ASKED])])])


@pytest.mark.parametrize("calls", [False, True], ids=["is", "calls"])
def test_a_graph_inside_stands_in_the_node_that_is_or_calls_it(calls: bool) -> None:
    inner = graph_of(says, "inner")
    graph, tracer = graph_of(inner.invoke if calls else inner, "outer"), Tracer()
    graph.invoke({"messages": [("user", "?")]}, {"callbacks": [tracer]})
    assert tracer.roots == [TREE]


async def test_a_run_on_a_loop_is_seen_as_one_in_threads() -> None:
    graph, tracer = graph_of(graph_of(says, "inner"), "outer"), Tracer()
    await graph.ainvoke({"messages": [("user", "?")]}, {"callbacks": [tracer]})
    assert tracer.roots == [TREE]


def test_messages_may_be_streamed_meanwhile_and_a_name_be_given() -> None:
    graph, tracer = graph_of(says, "outer"), Tracer()
    config: Any = {"callbacks": [tracer], "run_name": "mine"}
    given = {"messages": [("user", "?")]}
    chunks = list(graph.stream(given, config, stream_mode="messages"))
    assert [message.content for message, _ in chunks] == ["yes"]
    assert tracer.roots == [("mine", "chain", False, [ASKED])]


class Count(TypedDict, total=False):
    n: int


def test_a_failure_is_seen_where_it_happened_and_around() -> None:
    def fails(_: Count) -> Count:
        raise ValueError("no")

    graph = StateGraph(Count).add_node("n", fails).add_edge(START, "n").compile()
    tracer = Tracer()
    with pytest.raises(ValueError, match="no"):
        graph.invoke({"n": 1}, {"callbacks": [tracer]})
    assert tracer.roots == [("LangGraph", "chain", True, [("n", "chain", True, [])])]
