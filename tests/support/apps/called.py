"""Graphs that call graphs, told by their input what becomes of an attempt inside."""

from __future__ import annotations

import operator
import os
import signal
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from distgraph.graph import START, StateGraph
from distgraph.types import interrupt
from tests.support.apps.programs import hold, note, noted, take

Builder = StateGraph[Any]


class Trip(TypedDict, total=False):
    """`log` gets the name of every node that runs; `dies`: what kills its process the first time.

    `gate` holds the node "second" of the leaf, `asks` is a question of the node "third". `pause`:
    how many seconds a node takes.
    """

    log: str
    dies: str
    gate: str
    asks: str
    pause: float
    path: Annotated[list[str], operator.add]


def visit(name: str) -> Callable[[Trip], dict[str, Any]]:
    def node(state: Trip) -> dict[str, Any]:
        note(state["log"], name)
        if state.get("dies") == name and noted(state["log"]).count(name) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        take(state.get("pause", 0.0))
        if name == "second":
            hold(state.get("gate", ""))
        if name == "third" and state.get("asks"):
            return {"path": [interrupt(state["asks"])]}
        return {"path": [name]}

    return node


def line(*names: str, **held: Any) -> Builder:
    """Return a line of nodes; `held` are graphs that nodes of their names call."""
    builder = StateGraph(Trip)
    builder.add_sequence([(name, held.get(name) or visit(name)) for name in names])
    return builder.add_edge(START, names[0])


def calling(graph: Any) -> Callable[[Trip], dict[str, Any]]:
    def node(state: Trip) -> dict[str, Any]:
        return {"path": graph.invoke({**state, "path": []})["path"]}

    return node


def descent() -> Builder:
    """Three levels: a function calls a graph with a node that is a graph."""
    leaf = line("first", "second", "third").compile()
    middle = line("down", "leaf", "up", leaf=leaf).compile()
    return line("begin", "middle", "end", middle=calling(middle))


def adescent() -> Builder:
    """The same with coroutines that call."""
    leaf = line("first", "second", "third").compile()

    async def down(state: Trip) -> dict[str, Any]:
        return {"path": (await leaf.ainvoke({**state, "path": []}))["path"]}

    return line("begin", "middle", "end", middle=down)


def diary() -> Builder:
    """The called graph keeps its state from run to run."""
    pages = StateGraph(Trip).add_node("page", lambda state: {"path": [state["log"]]})
    kept = pages.add_edge(START, "page").compile(checkpointer=True)

    def write(state: Trip) -> dict[str, Any]:
        return {"path": kept.invoke({"log": state["log"]})["path"]}

    return StateGraph(Trip).add_node("write", write).add_edge(START, "write")


def gated() -> Builder:
    """The called graph stops before its second node; its caller may die of that, once."""
    inner = line("first", "second").compile(interrupt_before=["second"])

    def call(state: Trip) -> dict[str, Any]:
        note(state["log"], "call")
        try:
            return {"path": inner.invoke({**state, "path": []})["path"]}
        except BaseException:
            if state.get("dies") == "call" and noted(state["log"]).count("call") == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            raise

    return StateGraph(Trip).add_node("call", call).add_edge(START, "call")


CALLED: dict[str, Callable[[], Builder]] = {
    "descent": descent,
    "adescent": adescent,
    "diary": diary,
    "gated": gated,
}
