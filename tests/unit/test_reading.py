"""How a client reads what is stored of a thread."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.graph import START, StateGraph
from distgraph.types import StateUpdate
from tests.support.redis_server import RedisServer
from workers import CeleryBackend

pytestmark = pytest.mark.redis
ON: dict[str, Any] = {"configurable": {"thread_id": "t"}}
CHECKPOINTS = 120


class State(TypedDict):
    xs: Annotated[list[int], operator.add]
    name: str


@pytest.fixture
def graph(redis_server: RedisServer, namespace: str) -> Any:
    """Return a graph with a thread of many checkpoints."""
    builder = StateGraph(State)
    builder.add_node("a", lambda _: {"xs": [1]})
    builder.add_edge(START, "a")
    made = builder.compile(name="g", backend=CeleryBackend(redis_server.url, namespace=namespace))
    made.update_state(ON, {"name": "same"}, as_node="a")
    made.bulk_update_state(ON, [[StateUpdate({"xs": [n]}, "a")] for n in range(CHECKPOINTS - 1)])
    return made


@pytest.fixture
def calls(graph: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that every round trip to Redis is noted in."""
    ledger, noted = graph.backend.ledger, []
    execute = ledger._execute

    def note(*words: Any) -> Any:
        noted.append(words[0])
        return execute(*words)

    monkeypatch.setattr(ledger, "_execute", note)
    return noted


def test_a_history_takes_few_round_trips(graph: Any, calls: list[Any]) -> None:
    history = list(graph.get_state_history(ON))
    assert [len(state.values["xs"]) for state in history] == list(reversed(range(CHECKPOINTS)))
    assert {state.values["name"] for state in history} == {"same"}
    assert len(calls) < CHECKPOINTS / 5


def test_a_limited_history_reads_no_more(graph: Any, calls: list[Any]) -> None:
    assert len(list(graph.get_state_history(ON, limit=3))) == 3
    assert len(list(graph.get_state_history(ON, limit=60))) == 60
    assert list(graph.get_state_history(ON, limit=0)) == []
    assert len(calls) < 20


def test_a_page_of_a_history_costs_what_the_page_holds(
    graph: Any, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, received = graph.backend.ledger, []
    execute = ledger._execute

    def note(*words: Any) -> Any:
        reply = execute(*words)
        received.append(len(repr(reply)))
        return reply

    def cost() -> tuple[int, int]:
        calls.clear()
        received.clear()
        assert len(list(graph.get_state_history(ON, limit=1))) == 1
        return len(calls), sum(received)

    monkeypatch.setattr(ledger, "_execute", note)
    cost()  # the scripts are known from then on
    few = cost()
    updates = [[StateUpdate({"name": f"{n:04}"}, "a")] for n in range(3 * CHECKPOINTS)]
    graph.bulk_update_state(ON, updates)
    many = cost()
    assert many[0] == few[0]
    assert many[1] < 1.1 * few[1]


def test_a_filtered_history_is_looked_for_everywhere(graph: Any) -> None:
    (oldest,) = graph.get_state_history(ON, filter={"step": 0}, limit=1)
    assert oldest.values["name"] == "same"


def test_a_list_of_threads_takes_few_round_trips(graph: Any, calls: list[Any]) -> None:
    for number in range(30):
        graph.update_state({"configurable": {"thread_id": str(number)}}, {"xs": [1]}, as_node="a")
    for _ in range(2):  # Redis may not have the scripts yet
        calls.clear()
        assert len(graph.backend.threads()) == 31
        assert graph.backend.threads("interrupted") == []
    # How often SCAN is sent depends on all that the server holds.
    assert len([call for call in calls if call != "SCAN"]) < 10
