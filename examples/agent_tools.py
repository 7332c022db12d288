"""An agent whose tool calls are reviewed by a person: approve, edit or refuse each of them.

The model is a stand-in that asks for one transfer. Swap `model` for a call of any chat model::

    python -m examples.agent_tools
"""

from __future__ import annotations

from typing import Any, Literal

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, MessagesState, StateGraph
from distgraph.types import Command, interrupt


def model(messages: list[Any]) -> dict[str, Any]:
    """Answer as a chat model would: ask for a tool first, then sum up what it said."""
    if messages[-1].type == "tool":
        return {"role": "assistant", "content": f"Done: {messages[-1].text}"}
    call = {"id": "call-1", "name": "transfer", "args": {"to": "bob", "amount": 500}}
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def transfer(to: str, amount: int) -> str:
    """Be the tool."""
    return f"{amount} to {to}"


def think(state: MessagesState) -> Command[Literal["review", "__end__"]]:
    """Ask the model; go to the review when it wants a tool."""
    reply = model(state["messages"])
    goto: Literal["review", "__end__"] = "review" if reply.get("tool_calls") else "__end__"
    return Command(update={"messages": [reply]}, goto=goto)


def review(state: MessagesState) -> Command[Literal["act", "think"]]:
    """Show the call to a person, whose answer is {"action": ..., "args" or "reason": ...}."""
    message = state["messages"][-1]
    call = message.tool_calls[0]
    answer = interrupt({"tool": call["name"], "args": call["args"]})
    match answer["action"]:
        case "approve":
            return Command(goto="act")
        case "edit":
            calls = [{**call, "args": answer["args"]}]
            edited = {"role": "assistant", "content": "", "id": message.id, "tool_calls": calls}
            return Command(update={"messages": [edited]}, goto="act")
        case _:
            said = f"refused, because {answer['reason']}"
            told = {"role": "tool", "content": said, "tool_call_id": call["id"]}
            return Command(update={"messages": [told]}, goto="think")


def act(state: MessagesState) -> MessagesState:
    """Call the tool as it was approved."""
    call = state["messages"][-1].tool_calls[0]
    told = {"role": "tool", "content": transfer(**call["args"]), "tool_call_id": call["id"]}
    return {"messages": [told]}


builder = StateGraph(MessagesState)
builder.add_node(think).add_node(review).add_node(act)
builder.add_edge(START, "think").add_edge("act", "think")
graph = builder.compile(checkpointer=InMemorySaver())


def main(answer: dict[str, Any], thread_id: str) -> str:
    """Ask the agent for a transfer, answer its question, return its last words."""
    config = {"configurable": {"thread_id": thread_id}}
    paused = graph.invoke({"messages": ["Send bob 500."]}, config)
    print("to be reviewed:", paused["__interrupt__"][0].value)
    done = graph.invoke(Command(resume=answer), config)
    said = str(done["messages"][-1].text)
    print(said)
    return said


if __name__ == "__main__":
    main({"action": "approve"}, "one")
    main({"action": "edit", "args": {"to": "bob", "amount": 5}}, "two")
    main({"action": "refuse", "reason": "bob was paid already"}, "three")
