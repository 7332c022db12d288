"""Context and callbacks: what a run is told beside its state, and who hears what its models do.

::

    python -m examples.ported.context_and_callbacks
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, MessagesState, StateGraph
from distgraph.runtime import Runtime
from examples.ported.scripted import ScriptedModel


@dataclass
class Context:
    """Who is served, and in what language."""

    user: str
    language: str = "en"


class Meter(BaseCallbackHandler):
    """Counts what models are asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **about: Any) -> None:
        """Take note of the last message."""
        del serialized, about
        self.asked.append(messages[0][-1].text)


def _speak(messages: list[BaseMessage]) -> AIMessage:
    language, _, name = messages[0].text.partition(" ")
    return AIMessage({"en": f"Hello {name}", "it": f"Ciao {name}"}[language])


meter = Meter()
model = ScriptedModel(script=_speak, callbacks=[meter])


def greet(state: MessagesState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Greet whoever the context names; the meter hears of it."""
    who = ("system", f"{runtime.context.language} {runtime.context.user}")
    return {"messages": [model.invoke([who, *state["messages"]])]}


builder = StateGraph(MessagesState, context_schema=Context)
builder.add_node(greet).add_edge(START, "greet")
graph = builder.compile(checkpointer=InMemorySaver())


def main(graph: Any = graph) -> Any:
    """Return two greetings, and what the meter heard."""
    meter.asked.clear()
    said = [
        graph.invoke(
            {"messages": [("user", f"hi from {context.user}")]},
            {"configurable": {"thread_id": context.user}},
            context=context,
        )["messages"][-1].text
        for context in (Context("ada"), Context("bob", language="it"))
    ]
    return said, list(meter.asked)


if __name__ == "__main__":
    print(main())
