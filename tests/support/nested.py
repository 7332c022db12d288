"""Small graphs inside graphs, and what a saver has of a thread with them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.graph import START, CompiledStateGraph, StateGraph
from distgraph.types import interrupt

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    """A list that grows, and a value of any kind."""

    log: Annotated[list[Any], operator.add]
    held: Any


def chain(*nodes: tuple[str, Any], **options: Any) -> CompiledStateGraph:
    """Return a graph of ``nodes`` one after the other."""
    builder, before = StateGraph(State), START
    for name, action in nodes:
        builder.add_node(name, action)
        builder.add_edge(before, name)
        before = name
    return builder.compile(**options)


def counts(what: str, ran: list[str]) -> Callable[[State], State]:
    """Return a node that also says in ``ran`` that it ran."""

    def node(_: State) -> State:
        ran.append(what)
        return {"log": [what]}

    return node


def says(what: str) -> Callable[[State], State]:
    return lambda _: {"log": [what]}


def asks(what: str) -> Callable[[State], State]:
    return lambda _: {"log": [interrupt(what)]}


def names(saver: BaseCheckpointSaver) -> list[str]:
    """Return the names of the thread's frames, ids of tasks left out."""
    found = saver.list({"configurable": {"thread_id": "t"}})
    return sorted({_bare(each.config["configurable"]["checkpoint_ns"]) for each in found})


def _bare(ns: str) -> str:
    parts = (part.partition(":") for part in ns.split("|"))
    return "|".join(f"{name}{mark}" for name, mark, _ in parts)


def asked(found: Any) -> list[Any]:
    return [question.value for question in found.get("__interrupt__", ())]
