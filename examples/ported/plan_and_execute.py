"""Plan and execute: a model plans steps, another does them one by one, the first plans again.

::

    python -m examples.ported.plan_and_execute
"""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, BaseMessage

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import END, START, StateGraph
from examples.ported.scripted import ScriptedModel


def _plan(messages: list[BaseMessage]) -> AIMessage:
    task, *done = messages[-1].text.splitlines()
    steps = [f"look up {task}", f"compare {task}", f"answer {task}"][len(done) :]
    return AIMessage("\n".join(steps) or f"Done: {done[-1]}")


def _work(messages: list[BaseMessage]) -> AIMessage:
    return AIMessage(f"did {messages[-1].text}")


planner, worker = ScriptedModel(script=_plan), ScriptedModel(script=_work)


class Work(TypedDict, total=False):
    """The state: the task, what is planned, what is done, and the answer."""

    task: str
    plan: list[str]
    done: Annotated[list[str], operator.add]
    answer: str


def plan(state: Work) -> Work:
    """Plan what is left to do, by what is done; nothing is left when there is an answer."""
    said = planner.invoke("\n".join([state["task"], *state.get("done", [])])).text
    return {"answer": said} if said.startswith("Done") else {"plan": said.splitlines()}


def execute(state: Work) -> Work:
    """Do the first step."""
    return {"done": [worker.invoke(state["plan"][0]).text]}


def onward(state: Work) -> str:
    """Go on until there is an answer."""
    return END if "answer" in state else "execute"


builder = StateGraph(Work)
builder.add_node("planner", plan).add_node("execute", execute)
builder.add_edge(START, "planner").add_edge("execute", "planner")
builder.add_conditional_edges("planner", onward, ["execute", END])
graph = builder.compile(checkpointer=InMemorySaver())


def main(graph: Any = graph) -> Any:
    """Return what was done, and the answer."""
    state = graph.invoke({"task": "prices"}, {"configurable": {"thread_id": "prices"}})
    return state["done"], state["answer"]


if __name__ == "__main__":
    print(main())
