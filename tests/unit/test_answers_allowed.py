"""What an answer is made to be by its response_schema can be stored, wherever the question is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from distgraph.checkpoint.serde.schema import classes_of
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.func import entrypoint
from distgraph.graph import START, StateGraph
from distgraph.graph.subgraphs import schemas_of
from distgraph.types import Command, interrupt


@dataclass
class Verdict:
    ok: bool


@dataclass
class Other:
    ok: bool


class State(TypedDict):
    answer: Any


def _asks(state: State) -> State:
    return {"answer": interrupt("well?", response_schema=Verdict)}


def _by_a_helper(state: State) -> State:
    return _asks(state)


def _by_a_variable(schema: Any) -> Callable[[State], State]:
    def node(state: State) -> State:
        return {"answer": interrupt("well?", response_schema=schema)}

    return node


async def _on_the_loop(state: State) -> State:
    return {"answer": interrupt("well?", response_schema=Verdict)}


class Reviewer:
    def __init__(self) -> None:
        self.schema: Any = Verdict

    def node(self, _: State) -> State:
        return {"answer": interrupt("well?", response_schema=self.schema)}


def _names_it_alone(state: State) -> State:
    return {"answer": Other(ok=bool(state))}


@pytest.mark.parametrize(
    "node",
    [_asks, _by_a_helper, _by_a_variable(Verdict), _on_the_loop, Reviewer().node],
    ids=["itself", "helper", "variable", "coroutine", "attribute"],
)
def test_a_graph_allows_what_its_questions_name(node: Any) -> None:
    graph = StateGraph(State).add_node("node", node).add_edge(START, "node").compile()
    around = StateGraph(State).add_node("graph", graph).add_edge(START, "graph").compile()
    assert Verdict in classes_of(*schemas_of(graph.graph))
    assert Verdict in classes_of(*schemas_of(around.graph))


def test_what_is_asked_by_no_question_is_not_allowed() -> None:
    graph = StateGraph(State).add_node("node", _names_it_alone).add_edge(START, "node").compile()
    assert Other not in classes_of(*schemas_of(graph.graph))


def test_a_workflow_stores_such_an_answer() -> None:
    with SqliteSaver.from_conn_string(":memory:") as saver:

        @entrypoint(checkpointer=saver)
        def flow(given: int) -> Any:
            return interrupt("well?", response_schema=Verdict)

        config = {"configurable": {"thread_id": "1"}}
        flow.invoke(1, config)
        assert flow.invoke(Command(resume={"ok": True}), config) == Verdict(ok=True)
        assert flow.get_state(config).values == Verdict(ok=True)
