"""On workers, too, limits end what takes longer, and a control stops a run."""

from __future__ import annotations

import asyncio
import operator
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.errors import NodeTimeoutError
from distgraph.graph import START, StateGraph
from distgraph.types import Send
from tests.support.redis_server import RedisServer
from tests.support.site import on
from workers import CeleryBackend

pytestmark = pytest.mark.celery
SHORT = 0.02


class State(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


async def hangs(_: Any) -> None:
    await asyncio.Event().wait()


def sending(name: str, send: Send) -> StateGraph[Any]:
    builder = StateGraph(State).add_node(name, hangs)
    return builder.add_conditional_edges(START, lambda _: [send], [name])


@pytest.fixture(scope="module")
def backend(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    made = CeleryBackend(redis_server.url, namespace=f"l-{uuid.uuid4().hex[:8]}")
    with made.worker():
        yield made


def test_what_is_sent_has_its_own_limit(backend: CeleryBackend) -> None:
    send = Send("hangs", {"xs": []}, timeout=SHORT)
    graph = sending("hangs", send).compile(name="sent", backend=backend)
    with pytest.raises(NodeTimeoutError) as caught:
        graph.invoke({}, on("sent"))
    assert (caught.value.kind, caught.value.run_timeout) == ("run", SHORT)
    assert graph.get_state(on("sent")).next == ("hangs",)


def test_a_superstep_that_takes_longer_than_it_may_ends_the_run(backend: CeleryBackend) -> None:
    graph = sending("hangs", Send("hangs", {})).compile(name="step", backend=backend)
    graph.step_timeout = SHORT
    with pytest.raises(TimeoutError, match="step_timeout"):
        graph.invoke({}, on("step"))
    assert graph.get_state(on("step")).next == ("hangs",)
