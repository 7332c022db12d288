"""Long-term memory: what a user said on one thread is known on another, by a store.

::

    python -m examples.ported.long_term_memory
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, MessagesState, StateGraph
from distgraph.runtime import Runtime
from distgraph.store.memory import InMemoryStore
from examples.ported.scripted import ScriptedModel


def _speak(messages: list[BaseMessage]) -> AIMessage:
    known = messages[0].text or "nothing"
    return AIMessage(f"I know of you: {known}.")


model = ScriptedModel(script=_speak)


@dataclass
class Who:
    """The context of a run."""

    user: str


def remember(state: MessagesState, runtime: Runtime[Who]) -> dict[str, Any]:
    """Keep, for the user and beyond the thread, what is to be remembered."""
    said, store = state["messages"][-1].text, runtime.store
    assert store is not None
    if said.startswith("Remember: "):
        fact = said.removeprefix("Remember: ")
        store.put((runtime.context.user, "facts"), fact, {"fact": fact})
    return {}


def answer(state: MessagesState, runtime: Runtime[Who]) -> dict[str, Any]:
    """Tell the model what is known of the user."""
    assert runtime.store is not None
    found = runtime.store.search((runtime.context.user, "facts"))
    known = "; ".join(sorted(item.value["fact"] for item in found))
    return {"messages": [model.invoke([SystemMessage(known), *state["messages"]])]}


builder = StateGraph(MessagesState, context_schema=Who)
builder.add_sequence([remember, answer]).add_edge(START, "remember")
graph = builder.compile(checkpointer=InMemorySaver(), store=InMemoryStore())


def main(graph: Any = graph) -> Any:
    """Return what is answered: to Ada, to Ada on another thread, and to Bob."""
    talks = (
        ("ada-1", "ada", "Remember: I like tea"),
        ("ada-2", "ada", "What do you know?"),
        ("bob-1", "bob", "What do you know?"),
    )
    return [
        graph.invoke(
            {"messages": [("user", said)]},
            {"configurable": {"thread_id": thread_id}},
            context=Who(user),
        )["messages"][-1].text
        for thread_id, user, said in talks
    ]


if __name__ == "__main__":
    for line in main():
        print(line)
