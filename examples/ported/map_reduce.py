"""Map and reduce: a model lists what to write about, a task writes of each, and one line is chosen.

::

    python -m examples.ported.map_reduce
"""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, BaseMessage

from distgraph.graph import END, START, StateGraph
from distgraph.types import Send
from examples.ported.scripted import ScriptedModel


def _speak(messages: list[BaseMessage]) -> AIMessage:
    task, _, subject = messages[-1].text.partition(": ")
    listed = ", ".join(f"{subject} {where}" for where in ("at sea", "in the mountains", "at home"))
    return AIMessage(listed if task == "List" else f"All about {subject}.")


model = ScriptedModel(script=_speak)


class Story(TypedDict, total=False):
    """The state: what it is about, the parts of that, a line of each, and the best of them."""

    topic: str
    parts: list[str]
    lines: Annotated[list[str], operator.add]
    best: str


class Part(TypedDict):
    """What one task is sent."""

    part: str


def plan(state: Story) -> Story:
    """Have the model take the topic apart."""
    return {"parts": model.invoke(f"List: {state['topic']}").text.split(", ")}


def each(state: Story) -> list[Send]:
    """Send every part to a task of its own."""
    return [Send("write", {"part": part}) for part in state["parts"]]


def write(sent: Part) -> Story:
    """Write of one part; the lines stand in the order of the parts, whoever is first."""
    return {"lines": [model.invoke(f"Write: {sent['part']}").text]}


def choose(state: Story) -> Story:
    """Take the longest line."""
    return {"best": max(state["lines"], key=len)}


builder = StateGraph(Story)
builder.add_node(plan).add_node(write).add_node(choose)
builder.add_edge(START, "plan").add_conditional_edges("plan", each, ["write"])
builder.add_edge("write", "choose").add_edge("choose", END)
graph = builder.compile()


def main(graph: Any = graph) -> Any:
    """Return the state at the end."""
    return graph.invoke({"topic": "winter"}, {"configurable": {"thread_id": "story"}})


if __name__ == "__main__":
    print(main())
