"""An answer to one of many questions costs what that one is, whoever else asks."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest
import redis

from distgraph.errors import NoSuchInterrupt
from distgraph.graph import START, CompiledStateGraph, StateGraph
from distgraph.types import Send, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.waiting import PATIENCE
from workers import CeleryBackend

pytestmark = pytest.mark.celery
WIDTH = 300


class State(TypedDict, total=False):
    """What was answered."""

    said: Annotated[list[str], operator.add]


def asks(number: int) -> State:
    return {"said": [interrupt({"number": number, "text": "x" * 1_000})]}


@pytest.fixture
def graph(redis_server: RedisServer, namespace: str) -> CompiledStateGraph:
    """Return a graph of which 300 tasks ask."""
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    builder = StateGraph(State)
    builder.add_node("ask", asks)
    builder.add_conditional_edges(START, lambda _: [Send("ask", n) for n in range(WIDTH)], ["ask"])
    return builder.compile(name="many", backend=backend)


def sent(client: redis.Redis) -> int:
    info: Any = client.info("stats")
    return int(info["total_net_output_bytes"])


def test_an_answer_by_its_id_reads_no_other_question(
    graph: Any, redis_client: redis.Redis, redis_server: RedisServer, namespace: str
) -> None:
    with graph.backend.worker():
        graph.invoke({}, on("t"))
    questions = graph.backend.thread("t").interrupts
    assert len(questions) == WIDTH
    # An operator has not got the graph.
    for backend in (graph.backend, CeleryBackend(redis_server.url, namespace=namespace)):
        *questions, asked = questions
        handle, before = backend.thread("t"), sent(redis_client)
        handle.resume({asked.id: "yes"})
        assert sent(redis_client) - before < 20_000
        with pytest.raises(NoSuchInterrupt):
            handle.resume({asked.id: "again"})
    left = {question.id for question in graph.backend.thread("t").interrupts}
    assert left == {question.id for question in questions}
    with graph.backend.worker():
        rest = dict.fromkeys([question.id for question in questions], "no")
        graph.backend.thread("t").resume(rest).result(timeout=PATIENCE)
    assert sorted(graph.get_state(on("t")).values["said"]) == ["no"] * (WIDTH - 2) + ["yes"] * 2
