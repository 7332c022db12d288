"""A ReAct agent: a model that calls tools until it can answer, and says its answer in a form.

::

    python -m examples.ported.react_agent
"""

from __future__ import annotations

from typing import Annotated, Any

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.prebuilt import InjectedState, create_react_agent
from distgraph.prebuilt.chat_agent_executor import AgentState
from examples.ported.scripted import calling, in_turn


class Shopping(AgentState):
    """The state of the agent: besides its messages the customer's budget."""

    budget: int


def price(of: str) -> int:
    """Tell a price."""
    return {"chair": 80, "table": 200}[of]


def affordable(cost: int, budget: Annotated[int, InjectedState("budget")]) -> str:
    """Tell whether the customer can pay; no model is told the budget."""
    return "yes" if cost <= budget else "no"


model = in_turn(
    calling(("price", {"of": "table"}), ("price", {"of": "chair"})),
    calling(("affordable", {"cost": 280}), ("affordable", {"cost": "80 euros"})),
    calling(("affordable", {"cost": 80})),
    "Take the chair.",
)
graph = create_react_agent(
    model,
    [price, affordable],
    prompt="You sell furniture.",
    state_schema=Shopping,
    checkpointer=InMemorySaver(),
)


def main(graph: Any = graph) -> Any:
    """Return what the tools say (an error where the model was wrong), and the answer."""
    config = {"configurable": {"thread_id": "furniture"}}
    given = {"messages": [("user", "A table and a chair?")], "budget": 100}
    messages = graph.invoke(given, config)["messages"]
    told = [one.text if one.status == "success" else "error" for one in messages if _is_tool(one)]
    return told, messages[-1].text


def _is_tool(message: Any) -> bool:
    return bool(message.type == "tool")


if __name__ == "__main__":
    print(main())
