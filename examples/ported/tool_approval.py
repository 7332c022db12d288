"""Approval of a tool: it asks a person before it acts, and goes on with the answer.

::

    python -m examples.ported.tool_approval
"""

from __future__ import annotations

from typing import Any

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.prebuilt import create_react_agent
from distgraph.types import Command, interrupt
from examples.ported.scripted import calling, in_turn


def transfer(to: str, amount: int) -> str:
    """Send somebody money."""
    answer = interrupt({"to": to, "amount": amount})
    if answer["action"] == "refuse":
        return f"refused: {answer['reason']}"
    return f"{answer.get('amount', amount)} sent to {to}"


model = in_turn(
    calling(("transfer", {"to": "ada", "amount": 20}), ("transfer", {"to": "bob", "amount": 900})),
    "That is all.",
)
graph = create_react_agent(model, [transfer], checkpointer=InMemorySaver())


def main(graph: Any = graph) -> Any:
    """Return what is asked, and what the tools say once it is answered."""
    config = {"configurable": {"thread_id": "transfers"}}
    asked = graph.invoke({"messages": [("user", "Pay what I owe.")]}, config)["__interrupt__"]
    answers = {
        one.id: {"action": "approve"}
        if one.value["amount"] < 100
        else {"action": "refuse", "reason": "too much"}
        for one in asked
    }
    state = graph.invoke(Command(resume=answers), config)
    told = [message.text for message in state["messages"] if message.type == "tool"]
    return sorted(one.value["amount"] for one in asked), told


if __name__ == "__main__":
    print(main())
