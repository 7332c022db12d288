"""On workers an answer goes to the checkpoint that its config names, as far as that is of use."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.errors import NothingToResume
from distgraph.graph import START, StateGraph
from distgraph.types import Command, Send, interrupt
from tests.support.apps.parity_app import plain_backend
from tests.support.redis_server import RedisServer
from tests.support.site import on
from workers import CeleryBackend

pytestmark = pytest.mark.celery


class Log(TypedDict, total=False):
    xs: Annotated[list[str], operator.add]


@pytest.fixture
def backend(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    made = plain_backend(redis_server.url, f"o-{uuid.uuid4().hex[:8]}")
    with made.worker(pool="threads", concurrency=1):
        yield made


def asks(_: Log) -> Log:
    return {"xs": [interrupt("q")]}


def first_stop(graph: Any, config: Any) -> Any:
    """The config of the checkpoint at which the thread was asked first."""
    waited = [one for one in graph.get_state_history(config) if "asks" in one.next]
    return waited[-1].config


def test_what_is_done_there_stays_but_packets_are_sent_anew(
    backend: CeleryBackend, thread_id: str
) -> None:
    ran: list[str] = []

    def plain(_: Log) -> Log:
        ran.append("plain")
        return {"xs": ["plain"]}

    def sends(_: Log) -> Any:
        ran.append("sends")
        return Command(goto=Send("last", {}))

    builder = StateGraph(Log).add_node("asks", asks).add_node("plain", plain)
    builder.add_node("sends", sends, destinations=("last",))
    builder.add_node("last", lambda _: {"xs": ["last"]})
    for name in ("asks", "plain", "sends"):
        builder.add_edge(START, name)
    graph = builder.compile().on(backend, "older-done")
    config = on(thread_id)
    graph.invoke({}, config)
    graph.invoke({"xs": ["new"]}, config)
    ran.clear()
    answered = graph.invoke(Command(resume="yes"), first_stop(graph, config))
    assert answered == {"xs": ["yes", "plain", "last"]}
    assert ran == ["sends"]
    (told,) = [one for one in backend.thread(thread_id).answers() if one.value == "yes"]
    assert told.interrupt.value == "q"


def test_an_answer_to_what_asked_nothing_changes_nothing(
    backend: CeleryBackend, thread_id: str
) -> None:
    builder = StateGraph(Log).add_node("a", lambda _: {"xs": ["a"]}).add_edge(START, "a")
    graph = builder.compile().on(backend, "older-nothing")
    config = on(thread_id)
    graph.invoke({}, config)
    before = [one.config for one in graph.get_state_history(config)]
    with pytest.raises(NothingToResume):
        graph.invoke(Command(resume="yes"), before[1])
    assert [one.config for one in graph.get_state_history(config)] == before
