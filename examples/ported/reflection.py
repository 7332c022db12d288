"""Reflection: one model writes, another criticises, until it has nothing to say, or for so long.

::

    python -m examples.ported.reflection
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import END, START, MessagesState, StateGraph
from examples.ported.scripted import in_turn

ROUNDS = 3
writer = in_turn("A poem.", "A short poem about rain.", "Rain, and then the sun.")
critic = in_turn("Say what it is about.", "Less of the word poem.", "Good.")


def write(state: MessagesState) -> dict[str, Any]:
    """Write, or write again."""
    return {"messages": [writer.invoke(state["messages"])]}


def criticise(state: MessagesState) -> dict[str, Any]:
    """Have the critic see the conversation from the other side."""
    sides = {"human": AIMessage, "ai": HumanMessage}
    asked, *said = state["messages"]
    seen = [asked, *(sides[one.type](one.text) for one in said)]
    return {"messages": [HumanMessage(critic.invoke(seen).text)]}


def onward(state: MessagesState) -> str:
    """End once the critic is content."""
    rounds = sum(message.type == "ai" for message in state["messages"])
    is_content = state["messages"][-1].text == "Good."
    return END if is_content or rounds >= ROUNDS else "write"


builder = StateGraph(MessagesState)
builder.add_node(write).add_node(criticise)
builder.add_edge(START, "write").add_edge("write", "criticise")
builder.add_conditional_edges("criticise", onward, ["write", END])
graph = builder.compile(checkpointer=InMemorySaver())


def main(graph: Any = graph) -> Any:
    """Return all that is said."""
    config = {"configurable": {"thread_id": "poem"}}
    state = graph.invoke({"messages": [("user", "Write a poem about rain.")]}, config)
    return [message.text for message in state["messages"][1:]]


if __name__ == "__main__":
    for said in main():
        print(said)
