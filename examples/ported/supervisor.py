"""A supervisor: a model decides which worker is next, and ends when it has what it needs.

::

    python -m examples.ported.supervisor
"""

from __future__ import annotations

from typing import Any, Literal

from langchain_core.messages import AIMessage

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import END, START, MessagesState, StateGraph
from distgraph.prebuilt import create_react_agent
from distgraph.types import Command
from examples.ported.scripted import calling, in_turn


def search(what: str) -> str:
    """Search for facts."""
    return f"{what} has 5 bridges"


def multiply(a: int, b: int) -> int:
    """Multiply."""
    return a * b


researcher = create_react_agent(
    in_turn(calling(("search", {"what": "the town"})), "5 bridges"), [search], name="researcher"
)
mathematician = create_react_agent(
    in_turn(calling(("multiply", {"a": 5, "b": 12})), "60 lamps"), [multiply], name="mathematician"
)
chooser = in_turn("researcher", "mathematician", "END")


def supervise(
    state: MessagesState,
) -> Command[Literal["research", "calculate", "__end__"]]:
    """Ask the model who is next."""
    done = [AIMessage(one.text) for one in state["messages"] if one.name]
    word = chooser.invoke([state["messages"][0], *done]).text
    nodes: dict[str, Any] = {"researcher": "research", "mathematician": "calculate"}
    return Command(goto=nodes.get(word, END))


def research(state: MessagesState) -> dict[str, Any]:
    """Have the researcher work on the question, and keep the last word alone."""
    return {"messages": researcher.invoke({"messages": state["messages"][:1]})["messages"][-1:]}


def calculate(state: MessagesState) -> dict[str, Any]:
    """Have the mathematician do the same."""
    return {"messages": mathematician.invoke({"messages": state["messages"][:1]})["messages"][-1:]}


builder = StateGraph(MessagesState)
builder.add_node(supervise).add_node(research).add_node(calculate)
builder.add_edge(START, "supervise")
builder.add_edge("research", "supervise").add_edge("calculate", "supervise")
graph = builder.compile(checkpointer=InMemorySaver())


def main(graph: Any = graph) -> Any:
    """Return who says what."""
    config = {"configurable": {"thread_id": "town"}}
    question = "How many lamps, with 12 on each bridge?"
    state = graph.invoke({"messages": [("user", question)]}, config)
    return [(message.name, message.text) for message in state["messages"][1:]]


if __name__ == "__main__":
    print(main())
