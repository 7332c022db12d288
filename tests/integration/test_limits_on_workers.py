"""On workers, too, limits end what takes longer, and a control stops a run."""

from __future__ import annotations

import asyncio
import operator
import uuid
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.errors import GraphDrained, NodeTimeoutError
from distgraph.graph import START, StateGraph
from distgraph.runtime import RunControl, Runtime
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


def adds(name: str, control: RunControl | None = None) -> Any:
    def add(_: State, runtime: Runtime[Any]) -> State:
        if control is not None:
            control.request_drain("enough")
        elif name == "drains":
            assert runtime.control is not None
            runtime.control.request_drain("from inside")
        return {"xs": [name]}

    return add


def chain(*nodes: tuple[str, Any]) -> StateGraph[Any]:
    builder = StateGraph(State)
    for name, node in nodes:
        builder.add_node(name, node)
    for before, after in pairwise((START, *(name for name, _ in nodes))):
        builder.add_edge(before, after)
    return builder


def drained(graph: Any, thread: Any, reason: str, **options: Any) -> None:
    """Run until the run stops for `reason`, then go on to the end."""
    with pytest.raises(GraphDrained) as caught:
        graph.invoke({"xs": []}, thread, **options)
    assert caught.value.reason == reason


def test_a_caller_asks_a_run_to_stop(backend: CeleryBackend) -> None:
    control = RunControl()
    builder = chain(("a", adds("a", control)), ("b", adds("b")))
    graph = builder.compile(name="asked", backend=backend)
    drained(graph, on("asked"), "enough", control=control)
    assert graph.get_state(on("asked")).next == ("b",)
    assert graph.get_state(on("asked")).values == {"xs": ["a"]}
    assert graph.invoke(None, on("asked")) == {"xs": ["a", "b"]}


def test_a_run_that_is_to_stop_before_it_begins_stores_its_input(backend: CeleryBackend) -> None:
    control = RunControl()
    control.request_drain("before")
    graph = chain(("a", adds("a")), ("b", adds("b"))).compile(name="before", backend=backend)
    drained(graph, on("before"), "before", control=control)
    assert graph.get_state(on("before")).next == ("a",)
    with pytest.raises(GraphDrained):
        graph.invoke(None, on("before"), control=control)
    assert graph.invoke(None, on("before")) == {"xs": ["a", "b"]}


def test_a_node_asks_its_run_to_stop(backend: CeleryBackend) -> None:
    wide = chain(("drains", adds("drains")), ("b", adds("b")))
    wide.add_node("beside", adds("beside")).add_edge(START, "beside")
    graph = wide.compile(name="inside", backend=backend)
    drained(graph, on("inside"), "from inside")
    assert sorted(graph.invoke(None, on("inside"))["xs"]) == ["b", "beside", "drains"]


def test_a_run_that_is_over_by_then_ends_as_ever(backend: CeleryBackend) -> None:
    graph = chain(("drains", adds("drains"))).compile(name="over", backend=backend)
    assert graph.invoke({"xs": []}, on("over")) == {"xs": ["drains"]}


def test_a_graph_inside_stops_the_run_around_it(backend: CeleryBackend) -> None:
    inner = chain(("drains", adds("drains")), ("b", adds("b"))).compile()
    graph = chain(("inner", inner), ("c", adds("c"))).compile(name="outer", backend=backend)
    drained(graph, on("outer"), "from inside")
    assert graph.get_state(on("outer")).next == ("inner",)
    assert graph.invoke(None, on("outer"))["xs"] == ["drains", "b", "c"]
