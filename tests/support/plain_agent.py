"""A program that has no langchain-core: an agent of functions and of distgraph's own messages."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated, Any

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.types import Command, interrupt

sys.modules["langchain_core"] = None  # type: ignore[assignment]  # as if it were not installed

from distgraph.messages import AIMessage, ToolMessage  # noqa: E402 without langchain-core from here on
from distgraph.prebuilt import (  # noqa: E402 as above
    InjectedState,
    ToolNode,
    ToolRuntime,
    create_react_agent,
)


def weather(city: str, days: int = 1) -> str:
    """Tell the weather."""
    return f"{city}, {days} days: sunny"


async def slowly(city: str) -> str:
    """Tell it on a loop."""
    return f"{city}, slowly"


def remember(
    what: str, state: Annotated[dict[str, Any], InjectedState], runtime: ToolRuntime[Any, Any]
) -> Any:
    """Keep something in mind."""
    said = ToolMessage(f"{what}, {len(state['messages'])}", tool_call_id=runtime.tool_call_id or "")
    return Command(update={"messages": [said]})


def approve(what: str) -> str:
    """Ask a person."""
    return f"{what}: {interrupt(what)}"


class Model:
    """A model that has what an agent needs, and nothing else."""

    def __init__(self, *replies: Any) -> None:
        self.replies, self.tools = replies, []  # type: ignore[var-annotated]

    def bind_tools(self, tools: list[Any]) -> Model:
        self.tools = [tool.name for tool in tools]
        return self

    def invoke(self, messages: list[Any], *_: Any) -> Any:
        return self.replies[sum(message.type == "ai" for message in messages)]


def call(name: str, **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "id": f"{name}-1", "type": "tool_call"}


def _shown(state: dict[str, Any]) -> list[str]:
    return [f"{one.type} {type(one).__module__} {one.text}" for one in state["messages"]]


def main() -> dict[str, Any]:
    calls = [call("weather", city="Rome"), call("remember", what="Rome"), call("approve", what="?")]
    wrong = [call("weather", days="two"), call("nothing")]
    model = Model(
        AIMessage("", tool_calls=calls), AIMessage("", tool_calls=wrong), AIMessage("done")
    )
    config: Any = {"configurable": {"thread_id": "1"}}
    tools = [weather, remember, approve]
    agent = create_react_agent(model, tools, checkpointer=InMemorySaver(), prompt="be nice")
    asked = agent.invoke({"messages": "hi"}, config)
    done = agent.invoke(Command(resume="yes"), config)
    last = AIMessage("", tool_calls=[call("weather", city="Oslo"), call("slowly", city="Bern")])
    alone = asyncio.run(ToolNode([weather, slowly]).ainvoke({"messages": [last]}))
    return {
        "tools": model.tools,
        "asked": [one.value for one in asked["__interrupt__"]],
        "done": _shown(done),
        "alone": _shown(alone),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main()))
