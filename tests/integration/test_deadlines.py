"""Workers end questions that nobody answers: with the default, or an error at the call."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.errors import InterruptTimeout
from distgraph.graph import START, CompiledStateGraph, StateGraph
from distgraph.types import Command, Interrupt, RetryPolicy, Send, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import QUICK, on
from tests.support.waiting import wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.celery
HOUR = 3600


class State(TypedDict, total=False):
    """What was answered, and until when that was possible, in seconds."""

    within: float
    said: Annotated[list[Any], operator.add]


def resumes(state: State) -> State:
    return {"said": [interrupt("well?", deadline=state.get("within", 0), default={"a": (1,)})]}


def fails(state: State) -> State:
    return {"said": [interrupt("well?", deadline=state.get("within", 0), on_timeout="fail")]}


def catches(state: State) -> State:
    try:
        return fails(state)
    except InterruptTimeout as error:
        return {"said": [type(error).__name__, interrupt("really not?")]}


def graphs(backend: CeleryBackend) -> dict[str, CompiledStateGraph]:
    """Return a graph for each node above, and others around them."""
    made = {}
    for node in (resumes, fails, catches):
        builder = StateGraph(State)
        policy = RetryPolicy(retry_on=Exception, initial_interval=0)
        builder.add_node(node.__name__, node, retry_policy=policy)
        builder.add_edge(START, node.__name__)
        made[node.__name__] = builder.compile(name=node.__name__, backend=backend)
        outer = StateGraph(State)
        outer.add_node("inner", builder.compile())
        outer.add_edge(START, "inner")
        made[f"inside {node.__name__}"] = outer.compile(name=f"in-{node.__name__}", backend=backend)
    wide = StateGraph(State)
    wide.add_node("one", lambda n: {"said": [interrupt(n, deadline=0, default=n)]})
    wide.add_conditional_edges(START, lambda _: [Send("one", n) for n in range(200)], ["one"])
    made["wide"] = wide.compile(name="wide", backend=backend)
    return made


@pytest.fixture(scope="module")
def served(redis_server: RedisServer) -> Iterator[dict[str, CompiledStateGraph]]:
    """Give the graphs, with a worker in this process that sweeps often."""
    backend = CeleryBackend(redis_server.url, namespace="deadlines", **QUICK)
    made = graphs(backend)
    with backend.worker():
        yield made


def question(found: dict[str, Any]) -> Interrupt:
    (only,) = found["__interrupt__"]
    assert isinstance(only, Interrupt)
    return only


def settled(graph: Any, thread_id: str, status: str = "idle") -> Any:
    handle = graph.backend.thread(thread_id)
    wait_until(lambda: handle.status == status, f"thread {thread_id} to be {status}")
    return graph.get_state(on(thread_id)).values.get("said")


@pytest.mark.parametrize("where", ["", "inside "])
def test_what_nobody_answers_goes_on_with_its_default(
    served: dict[str, Any], thread_id: str, where: str
) -> None:
    graph = served[f"{where}resumes"]
    asked = question(graph.invoke({}, on(thread_id)))
    assert settled(graph, thread_id) == [{"a": (1,)}]
    (answered,) = graph.backend.thread(thread_id).answers()
    assert (answered.interrupt, answered.value) == (asked, {"a": (1,)})
    assert (answered.expired, answered.by) == (True, "")
    assert asked.deadline is not None
    assert answered.asked <= asked.deadline <= answered.answered
    history = [
        task.interrupts for each in graph.get_state_history(on(thread_id)) for task in each.tasks
    ]
    assert (asked,) in history


@pytest.mark.parametrize("where", ["", "inside "])
def test_a_node_may_catch_that_nobody_answered(
    served: dict[str, Any], thread_id: str, where: str
) -> None:
    graph = served[f"{where}catches"]
    graph.invoke({}, on(thread_id))
    handle = graph.backend.thread(thread_id)
    wait_until(lambda: [q.value for q in handle.interrupts] == ["really not?"], "the next question")
    assert graph.invoke(Command(resume=1), on(thread_id))["said"] == ["InterruptTimeout", 1]


@pytest.mark.parametrize("where", ["", "inside "])
def test_not_caught_it_ends_the_run_and_is_not_tried_again(
    served: dict[str, Any], thread_id: str, where: str
) -> None:
    graph = served[f"{where}fails"]
    graph.invoke({}, on(thread_id))
    settled(graph, thread_id, "error")
    handle = graph.backend.thread(thread_id)
    with pytest.raises(InterruptTimeout, match="'fails'"):
        graph.backend.run(thread_id, handle.runs()[0].id).result()
    assert [run.kind for run in handle.runs()] == ["resume", "start"]


def test_a_question_tells_until_when_it_waits_and_keeps_its_time(
    served: dict[str, Any], thread_id: str
) -> None:
    graph, config = served["resumes"], on(thread_id)
    asked = question(graph.invoke({"within": HOUR}, config))
    left = asked.deadline - datetime.now(UTC)  # type: ignore[operator]
    assert timedelta(seconds=HOUR - 120) < left < timedelta(seconds=HOUR + 120)
    assert graph.get_state(config).interrupts == (asked,)
    assert graph.backend.thread(thread_id).interrupts == (asked,)
    streamed = list(graph.stream(None, config, stream_mode="updates"))
    (again,) = streamed[-1]["__interrupt__"]
    assert (again.value, again.deadline) == (asked.value, asked.deadline)
    assert again.id != asked.id
    assert graph.invoke(Command(resume=1), config)["said"] == [1]


def test_many_end_together(served: dict[str, Any], thread_id: str) -> None:
    graph = served["wide"]
    graph.invoke({}, on(thread_id))
    assert settled(graph, thread_id) == list(range(200))
