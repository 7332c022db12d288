"""A snapshot tells what a task failed with before it succeeded, as LangGraph's does."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt

CONFIG = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    a: int
    b: int


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_its_error_stands_beside_its_result(kind: str) -> None:
    tries: list[int] = []

    def fails_once(_: State) -> State:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not now")
        return {"a": 1}

    builder = StateGraph(State).add_node("fails", fails_once)
    builder.add_node("asks", lambda _: {"b": interrupt("b?")})
    builder.add_edge(START, "fails").add_edge(START, "asks")
    saver: Any = InMemorySaver() if kind == "memory" else None
    with SqliteSaver.from_conn_string(":memory:") as stored:
        graph = builder.compile(checkpointer=saver or stored)
        with pytest.raises(ValueError, match="not now"):
            graph.invoke({}, CONFIG)
        graph.invoke(None, CONFIG)
        expected = {"asks": (None, None), "fails": ("ValueError('not now')", {"a": 1})}
        assert shown(graph.get_state(CONFIG)) == expected
        graph.invoke(Command(resume=2), CONFIG)
        last, before, _ = graph.get_state_history(CONFIG)
        assert shown(last) == {}
        assert shown(before) == {**expected, "asks": (None, {"b": 2})}


def shown(snapshot: Any) -> dict[str, Any]:
    return {task.name: (task.error, task.result) for task in snapshot.tasks}
