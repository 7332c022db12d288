"""Streaming of tokens: what a model says in a node is shown piece by piece, with the node's name.

::

    python -m examples.ported.token_streaming
"""

from __future__ import annotations

from typing import Any

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, MessagesState, StateGraph
from examples.ported.scripted import in_turn

joker, judge = in_turn("Knock knock, who is there?"), in_turn("?", "Not bad at all.")


def joke(state: MessagesState) -> dict[str, Any]:
    """Tell a joke."""
    return {"messages": [joker.invoke(state["messages"])]}


def judgement(state: MessagesState) -> dict[str, Any]:
    """Tell what to think of it."""
    return {"messages": [judge.invoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_sequence([joke, judgement]).add_edge(START, "joke")
graph = builder.compile(checkpointer=InMemorySaver())


def main(graph: Any = graph) -> Any:
    """Return the pieces with their nodes, as they come."""
    config = {"configurable": {"thread_id": "joke"}}
    given = {"messages": [("user", "A joke!")]}
    return [
        (about["langgraph_node"], piece.content)
        for piece, about in graph.stream(given, config, stream_mode="messages")
        if piece.content
    ]


if __name__ == "__main__":
    for node, piece in main():
        print(f"{node}: {piece}")
