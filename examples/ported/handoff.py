"""Handoff: agents that are graphs pass a customer on to one another, by tools.

::

    python -m examples.ported.handoff
"""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, MessagesState, StateGraph
from distgraph.prebuilt import InjectedState, create_react_agent
from distgraph.types import Command
from examples.ported.scripted import calling, in_turn


def handing_to(agent: str) -> Any:
    """Return the tool that passes the conversation on to ``agent``."""

    @tool(f"to_{agent}", description=f"Pass on to {agent}.")
    def hand_over(
        state: Annotated[dict[str, Any], InjectedState], call: Annotated[str, InjectedToolCallId]
    ) -> Any:
        said = ToolMessage(f"passed on to {agent}", tool_call_id=call)
        update = {"messages": [*state["messages"], said]}
        return Command(goto=agent, update=update, graph=Command.PARENT)

    return hand_over


def find_rooms(city: str) -> str:
    """Find rooms."""
    return f"two rooms in {city}"


reception = create_react_agent(
    in_turn(calling(("to_booking", {}))), [handing_to("booking")], name="reception"
)
booking = create_react_agent(
    in_turn("?", calling(("find_rooms", {"city": "Rome"})), "There are two rooms in Rome."),
    [find_rooms, handing_to("reception")],
    name="booking",
)
builder = StateGraph(MessagesState)
builder.add_node("reception", reception, destinations=("booking",))
builder.add_node("booking", booking, destinations=("reception",))
builder.add_edge(START, "reception")
graph = builder.compile(checkpointer=InMemorySaver())


def main(graph: Any = graph) -> Any:
    """Return who says what."""
    config = {"configurable": {"thread_id": "hotel"}}
    state = graph.invoke({"messages": [("user", "A room in Rome?")]}, config)
    return [(message.name, message.text) for message in state["messages"] if message.text]


if __name__ == "__main__":
    for name, said in main():
        print(name, said)
