"""Graphs of nodes and channels: how they are built, drawn, copied and named."""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict
from unittest.mock import Mock

import pytest

from distgraph.channels import LastValue, Topic
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import NodeTimeoutError
from distgraph.graph import START, StateGraph
from distgraph.pregel import NodeBuilder, Pregel
from distgraph.types import RetryPolicy


def chain(**options: Any) -> Any:
    one = NodeBuilder().subscribe_only("in").do(lambda x: x + 1).write_to("mid")
    two = NodeBuilder().subscribe_only("mid").do(lambda x: x * 10).write_to("out")
    return Pregel(
        nodes={"one": one, "two": two},
        channels={"in": LastValue(int), "mid": LastValue(int), "out": LastValue(int)},
        input_channels="in",
        output_channels="out",
        **options,
    )


def test_a_picture_has_an_edge_where_one_writes_what_runs_the_other() -> None:
    edges = [(edge.source, edge.target) for edge in chain().get_graph().edges]
    assert edges == [("__start__", "one"), ("one", "two"), ("two", "__end__")]


def test_a_graph_is_told_once_to_print(capsys: pytest.CaptureFixture[str]) -> None:
    assert chain(debug=True, stream_eager=True).invoke(1) == 20
    assert capsys.readouterr().out.splitlines()[-1] == "[values] 20"


def test_a_node_is_copied_with_something_else() -> None:
    node = chain().nodes["one"]
    assert node.copy({}) == node
    assert node.copy({"defer": True}).defer


def test_a_name_may_be_set() -> None:
    graph = chain()
    assert (graph.name, graph.get_name()) == ("LangGraph", "LangGraph")
    graph.name = "tens"
    assert (graph.name, graph.get_name()) == ("tens", "tens")


def test_a_checkpointer_may_be_set() -> None:
    graph, config = chain(), {"configurable": {"thread_id": "t"}}
    with pytest.raises(ValueError, match="No checkpointer"):
        graph.get_state(config)
    graph.checkpointer = InMemorySaver()
    assert graph.invoke(1, config) == 20
    assert graph.get_state(config).values == {"in": 1, "mid": 2, "out": 20}
    with pytest.raises(TypeError, match="Invalid checkpointer"):
        graph.checkpointer = 3
    assert graph.get_state(config).next == ()


def test_a_copy_is_a_graph_of_its_own() -> None:
    graph = chain()
    other = graph.copy({"name": "other"})
    assert (graph.name, other.name, type(other)) == ("LangGraph", "other", Pregel)
    assert other.invoke(1) == graph.invoke(1)
    assert other.copy().name == "other"


def test_what_is_written_to_no_channel_is_told(caplog: pytest.LogCaptureFixture) -> None:
    node = NodeBuilder().subscribe_only("in").write_to("nowhere")
    Pregel(
        nodes={"n": node},
        channels={"in": LastValue(int)},
        input_channels="in",
        output_channels="in",
    )
    assert "'n' writes to unknown channel 'nowhere'" in caplog.text


@pytest.mark.parametrize(
    ("nodes", "channels", "told"),
    [
        pytest.param({"n": len}, {"in": Topic(int)}, "Node 'n' must be a NodeBuilder", id="node"),
        pytest.param({}, {"in": int}, "Channel 'in' must be one such as", id="channel"),
    ],
)
def test_what_is_no_part_of_a_graph_is_refused(nodes: Any, channels: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        Pregel(nodes=nodes, channels=channels, input_channels="in", output_channels="in")


class State(TypedDict, total=False):
    n: int


def test_what_answers_to_every_name_is_called_as_a_function() -> None:
    node = Mock(return_value={"n": 2})
    builder = StateGraph(State).add_node("n", node).add_edge(START, "n")
    assert builder.compile().invoke({"n": 1}) == {"n": 2}
    assert node.call_count == 1
    assert isinstance(builder.compile(), Pregel)


def test_many_inputs_are_run_at_once_and_come_back_in_order() -> None:
    graph = chain(checkpointer=InMemorySaver())
    configs = [{"configurable": {"thread_id": str(n)}} for n in range(3)]
    assert graph.batch([1, 2, 3], configs) == [20, 30, 40]
    assert asyncio.run(graph.abatch([4, 5, 6], configs)) == [50, 60, 70]
    assert [graph.get_state(config).values["in"] for config in configs] == [4, 5, 6]
    assert graph.batch([]) == asyncio.run(graph.abatch([])) == []
    limited = chain().batch([1, 2], {"max_concurrency": 1}, output_keys=["mid"])
    assert limited == [{"mid": 2}, {"mid": 3}]


def test_failures_of_many_runs_are_raised_or_returned() -> None:
    graph = chain()
    found = graph.batch([1, "x", 2], return_exceptions=True)
    assert [type(each) for each in found] == [int, TypeError, int]
    again = asyncio.run(graph.abatch([1, "x", 2], return_exceptions=True))
    assert [type(each) for each in again] == [int, TypeError, int]
    with pytest.raises(TypeError):
        graph.batch([1, "x"])
    with pytest.raises(TypeError):
        asyncio.run(graph.abatch([1, "x"]))
    with pytest.raises(ValueError, match="one config for all inputs or one for each"):
        graph.batch([1, 2], [{}])


def test_a_node_runs_again_as_its_policies_say() -> None:
    attempts: list[int] = []

    def fails_once(given: int) -> int:
        attempts.append(given)
        if len(attempts) == 1:
            raise ConnectionError
        return given

    policy = RetryPolicy(initial_interval=0.0, jitter=False)
    node = NodeBuilder().subscribe_only("in").do(fails_once).write_to("out")
    assert only(node.add_retry_policies(policy)).invoke(1) == 1
    assert attempts == [1, 1]


async def test_a_coroutine_has_its_time_limit() -> None:
    async def hangs(_: int) -> None:
        await asyncio.Event().wait()

    node = NodeBuilder().subscribe_only("in").do(hangs).write_to("out").set_timeout(0.02)
    with pytest.raises(NodeTimeoutError, match="'n' exceeded its run timeout"):
        await only(node).ainvoke(1)


def only(node: NodeBuilder) -> Any:
    """A graph of one node, ``n``."""
    return Pregel(
        nodes={"n": node},
        channels={"in": LastValue(int), "out": LastValue(int)},
        input_channels="in",
        output_channels="out",
    )


def test_a_copy_has_no_attribute_that_a_graph_has_not() -> None:
    with pytest.raises(AttributeError, match="nmae"):
        chain().copy({"nmae": "other"})
