"""What of a caller's config is seen in the metadata of checkpoints and messages."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, CompiledStateGraph, MessagesState, StateGraph

SECRETS = ("api_key", "OPENAI_API_KEY", "access_token", "clientSecret", "Password", "Authorization")
OURS = {
    "langgraph_step",
    "langgraph_node",
    "langgraph_triggers",
    "langgraph_path",
    "langgraph_checkpoint_ns",
    "ls_integration",
}


@pytest.fixture
def graph() -> CompiledStateGraph:
    builder = StateGraph(MessagesState).add_node("say", lambda _: {"messages": [AIMessage("hi")]})
    return builder.add_edge(START, "say").compile(checkpointer=InMemorySaver())


def seen(graph: CompiledStateGraph, config: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the metadata of the message and of the last checkpoint, without what is not given."""
    ((_, message),) = graph.stream({"messages": []}, config, stream_mode="messages")
    assert message.keys() >= OURS | {"thread_id"}
    checkpoint = graph.get_state(config).metadata or {}
    return (
        {key: value for key, value in message.items() if key not in OURS | {"thread_id"}},
        {k: v for k, v in checkpoint.items() if k not in ("source", "step", "parents")},
    )


def test_secrets_are_in_no_metadata(graph: CompiledStateGraph) -> None:
    given = dict.fromkeys(SECRETS, "4711") | {"thread_id": "t", "plan": "gold", "__own": "4711"}
    message, checkpoint = seen(graph, {"configurable": given})
    assert (message, checkpoint) == ({}, {"plan": "gold"})


def test_what_is_put_into_metadata_is_seen_and_goes_before_configurables(
    graph: CompiledStateGraph,
) -> None:
    config: dict[str, Any] = {
        "configurable": {"thread_id": "t", "who": "configurable", "number": 1.5, "list": [1]},
        "metadata": {"who": "metadata", "routing_key": "a", "flag": True, "none": None},
    }
    message, checkpoint = seen(graph, config)
    assert message == {"who": "metadata", "routing_key": "a", "flag": True}
    assert checkpoint == {**message, "number": 1.5}


def test_a_node_gets_all_of_its_config() -> None:
    got: list[Any] = []

    def node(_: MessagesState, config: dict[str, Any]) -> None:
        got.append(config["configurable"]["api_key"])

    builder = StateGraph(MessagesState).add_node("node", node).add_edge(START, "node")
    builder.compile().invoke({"messages": []}, {"configurable": {"api_key": "4711"}})
    assert got == ["4711"]
