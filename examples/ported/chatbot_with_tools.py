"""A chatbot with tools: the model asks for them, a node calls them, and the thread remembers.

::

    python -m examples.ported.chatbot_with_tools
"""

from __future__ import annotations

from typing import Any

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, MessagesState, StateGraph
from distgraph.prebuilt import ToolNode, tools_condition
from examples.ported.scripted import calling, in_turn


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return {"Oslo": "snow", "Rome": "sun"}.get(city, "rain")


model = in_turn(
    calling(("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})),
    "Sun in Rome and snow in Oslo.",
    "You asked about Rome and Oslo.",
).bind_tools([weather])


def chat(state: MessagesState) -> dict[str, Any]:
    """Have the model answer, or ask for a tool."""
    return {"messages": [model.invoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node(chat).add_node(ToolNode([weather]))
builder.add_edge(START, "chat")
builder.add_conditional_edges("chat", tools_condition)
builder.add_edge("tools", "chat")
graph = builder.compile(checkpointer=InMemorySaver())


def main(graph: Any = graph) -> Any:
    """Return what is said in two turns of a conversation."""
    config = {"configurable": {"thread_id": "chat"}}
    graph.invoke({"messages": [("user", "Rome or Oslo?")]}, config)
    state = graph.invoke({"messages": [("user", "What did I ask?")]}, config)
    return [message.text for message in state["messages"] if message.text]


if __name__ == "__main__":
    for said in main():
        print(said)
