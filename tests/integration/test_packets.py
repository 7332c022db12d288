"""What a fan-out stores and moves: each packet once, and to the one task that it is for."""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.graph import START, StateGraph
from distgraph.types import Send

KB = 1_000
SIZE = 10 * KB
WIDE = 5_000


class State(TypedDict, total=False):
    width: int
    lengths: Annotated[list[int], operator.add]


def packet(n: int) -> str:
    """Return a text of 10,000 characters that no other packet has."""
    return f"{n:010d}" * (SIZE // 10)


def split(state: State) -> list[Send]:
    return [Send("measure", packet(n)) for n in range(state["width"])]


def measure(given: str) -> State:
    assert given == packet(int(given[:10]))
    return {"lengths": [len(given)]}


def from_the_start() -> StateGraph[State]:
    """Return a fan-out by the path function of the input."""
    builder = StateGraph(State).add_node("measure", measure)
    return builder.add_conditional_edges(START, split, ["measure"])


def from_a_node() -> StateGraph[State]:
    """Return a fan-out by the path function of a node."""
    builder = StateGraph(State).add_node("measure", measure).add_node("split", lambda _: {})
    builder.add_edge(START, "split")
    return builder.add_conditional_edges("split", split, ["measure"])


SAVERS: dict[str, Callable[[], BaseCheckpointSaver]] = {
    "memory": InMemorySaver,
    "sqlite": lambda: SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False)),
}


@pytest.mark.parametrize("build", [from_the_start, from_a_node])
@pytest.mark.parametrize("saver", SAVERS)
def test_packets_are_too_large_each_by_itself_in_this_process(
    saver: str, build: Callable[[], StateGraph[State]], thread_id: str
) -> None:
    graph = build().compile(checkpointer=SAVERS[saver]())
    config: Any = {"configurable": {"thread_id": thread_id}}
    assert graph.invoke({"width": WIDE}, config)["lengths"] == [SIZE] * WIDE
    assert len(list(graph.get_state_history(config))) == 3 + (build is from_a_node)
