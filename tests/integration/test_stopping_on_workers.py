"""A run on workers stops between supersteps where a control or a node has asked for that."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.errors import GraphDrained
from distgraph.func import entrypoint, task
from distgraph.graph import START, StateGraph
from distgraph.runtime import RunControl, Runtime
from distgraph.types import RetryPolicy
from tests.support.redis_server import RedisServer
from tests.support.site import on
from workers import CeleryBackend
from workers.client.carrier import Carrier

pytestmark = pytest.mark.celery


class State(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


@pytest.fixture(scope="module")
def backend(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    made = CeleryBackend(redis_server.url, namespace=f"d-{uuid.uuid4().hex[:8]}")
    with made.worker():
        yield made


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


@pytest.mark.parametrize("is_node", [True, False], ids=["is", "calls"])
def test_the_last_node_of_a_graph_inside_stops_the_run_around_it(
    backend: CeleryBackend, is_node: bool
) -> None:
    inner = chain(("drains", adds("drains"))).compile(name=f"in-{is_node}", backend=backend)
    node: Any = inner if is_node else lambda state: inner.invoke(state, distributed=True)
    graph = chain(("inner", node), ("c", adds("c"))).compile(name=f"l-{is_node}", backend=backend)
    drained(graph, on(f"last-{is_node}"), "from inside")
    assert graph.get_state(on(f"last-{is_node}")).next == ("c",)
    assert graph.invoke(None, on(f"last-{is_node}"))["xs"] == ["drains", "c"]


def test_a_caller_asks_while_a_graph_inside_runs(backend: CeleryBackend) -> None:
    control = RunControl()
    inner = chain(("a", adds("a", control)), ("b", adds("b"))).compile()
    graph = chain(("inner", inner), ("c", adds("c"))).compile(name="within", backend=backend)
    drained(graph, on("within"), "enough", control=control)
    (waiting,) = graph.get_state(on("within"), subgraphs=True).tasks
    inside: Any = waiting.state
    assert (waiting.name, inside.next) == ("inner", ("b",))
    assert graph.invoke(None, on("within"))["xs"] == ["a", "b", "c"]


def test_an_attempt_that_fails_has_asked_all_the_same(backend: CeleryBackend) -> None:
    def asks(_: State, runtime: Runtime[Any]) -> State:
        assert runtime.control is not None
        if runtime.attempt == 1:
            runtime.control.request_drain("not well")
            msg = "not yet"
            raise ConnectionError(msg)
        return {"xs": [runtime.drain_reason]}

    retry = RetryPolicy(initial_interval=0.0, jitter=False)
    builder = StateGraph(State).add_node("asks", asks, retry_policy=retry).add_node("b", adds("b"))
    builder.add_edge(START, "asks").add_edge("asks", "b")
    graph = builder.compile(name="again", backend=backend)
    drained(graph, on("again"), "not well")
    assert graph.get_state(on("again")).values == {"xs": ["not well"]}
    assert graph.get_state(on("again")).next == ("b",)


def test_a_function_that_is_called_has_asked_for_its_workflow(backend: CeleryBackend) -> None:
    def asks(runtime: Runtime[Any]) -> str:
        assert runtime.control is not None
        runtime.control.request_drain("from a call")
        return "asked"

    called: Any = task(asks)

    @entrypoint()
    def flow(state: State, runtime: Runtime[Any]) -> State:
        del state
        return {"xs": [called().result(), runtime.drain_reason]}

    graph = chain(("flow", flow), ("b", adds("b"))).compile(name="calls", backend=backend)
    drained(graph, on("calls"), "from a call")
    assert graph.get_state(on("calls")).values == {"xs": ["asked", "from a call"]}


async def test_on_a_loop_nothing_blocks_where_a_run_is_to_stop_before_it_begins(
    backend: CeleryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = RunControl()
    control.request_drain("before")
    graph = chain(("a", adds("a")), ("b", adds("b"))).compile(name="loop", backend=backend)
    monkeypatch.setattr(Carrier, "perform", None)
    with pytest.raises(GraphDrained):
        await graph.ainvoke({"xs": []}, on("loop"), control=control)
    monkeypatch.undo()
    assert graph.get_state(on("loop")).next == ("a",)


def test_a_control_forgets_runs_that_are_over(backend: CeleryBackend) -> None:
    control = RunControl()
    graph = chain(("a", adds("a"))).compile(name="many", backend=backend)
    for number in range(8):
        graph.submit({"xs": []}, on(f"many-{number}"), control=control).result()
    assert len(backend._relays.known) == len(control._told) <= 2
