"""``task_always_eager``: a call returns when all of its jobs are done, in this process."""

from __future__ import annotations

import asyncio
import inspect
import operator
import threading
from typing import Annotated, Any, TypedDict

import pytest
from celery import Celery

from distgraph.graph import START, StateGraph
from distgraph.types import Command, RetryPolicy, Send, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.waiting import wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.redis
SWEEP = 0.05
QUICKLY = RetryPolicy(initial_interval=0.01, max_attempts=3, jitter=False)
SLOWLY = RetryPolicy(initial_interval=4 * SWEEP, max_attempts=2, jitter=False)


class State(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> CeleryBackend:
    """Return a backend on a project's application, whose broker nobody could reach."""
    app = Celery("shop", broker="amqp://127.0.0.1:9/", set_as_current=False)
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    return CeleryBackend(redis_server.url, app=app, namespace=namespace, sweep=SWEEP)


def one(backend: CeleryBackend, node: Any, **options: Any) -> Any:
    builder = StateGraph(State).add_node("one", node, **options).add_edge(START, "one")
    return builder.compile(name="one", backend=backend)


def test_what_is_submitted_is_done_in_the_thread_of_the_caller(backend: CeleryBackend) -> None:
    graph = one(backend, lambda _: {"xs": [threading.get_ident()]})
    run = graph.submit({}, on("t"))
    assert run.status == "success"
    assert run.result(timeout=0.1) == {"xs": [threading.get_ident()]}


def test_a_question_is_answered_at_once(backend: CeleryBackend) -> None:
    graph = one(backend, lambda _: {"xs": [interrupt("?")]})
    assert graph.submit({}, on("t")).status == "interrupted"
    assert backend.thread("t").resume("!").result(timeout=0.1) == {"xs": ["!"]}
    assert graph.submit({}, on("u")).status == "interrupted"
    assert graph.invoke(Command(resume="?"), on("u")) == {"xs": ["?"]}


def test_a_long_run_gets_no_deeper(backend: CeleryBackend) -> None:
    builder = StateGraph(State).add_node("one", lambda _: {"xs": [len(inspect.stack())]})
    builder.add_edge(START, "one")
    builder.add_conditional_edges("one", lambda s: "one" if len(s["xs"]) < 30 else "__end__")
    graph = builder.compile(name="loop", backend=backend)
    depths = graph.invoke({}, on("t", recursion_limit=40))["xs"]
    assert len(depths) == 30
    assert len(set(depths[1:])) == 1


@pytest.mark.parametrize("policy", [QUICKLY, SLOWLY], ids=["short", "long"])
@pytest.mark.parametrize("coroutine", [False, True], ids=["blocking", "coroutine"])
def test_what_fails_is_tried_again_before_the_call_returns(
    backend: CeleryBackend, policy: RetryPolicy, coroutine: bool
) -> None:
    tries: list[int] = []

    def falter(_: State) -> dict[str, Any]:
        tries.append(1)
        if len(tries) < policy.max_attempts:
            raise ConnectionError("not yet")
        return {"xs": [len(tries)]}

    async def afalter(state: State) -> dict[str, Any]:
        return falter(state)

    graph = one(backend, afalter if coroutine else falter, retry_policy=policy)
    run = graph.submit({}, on("t"))
    assert run.status == "success"
    assert run.result(timeout=0.1) == {"xs": [policy.max_attempts]}


def test_a_failure_is_that_of_the_run(backend: CeleryBackend) -> None:
    graph = one(backend, lambda _: {"xs": [1 // 0]})
    run = graph.submit({}, on("t"))
    assert run.status == "error"
    with pytest.raises(ZeroDivisionError):
        run.result()
    with pytest.raises(ZeroDivisionError):
        graph.invoke({}, on("u"))


def test_coroutines_of_one_superstep_run_side_by_side(backend: CeleryBackend) -> None:
    met = threading.Barrier(3)

    async def meet(number: int) -> dict[str, Any]:
        await asyncio.to_thread(met.wait, 60)
        return {"xs": [number]}

    builder = StateGraph(State).add_node("meet", meet)
    builder.add_conditional_edges(START, lambda _: [Send("meet", n) for n in range(3)], ["meet"])
    graph = builder.compile(name="meeting", backend=backend)
    assert graph.submit({}, on("t")).status == "success"
    assert graph.get_state(on("t")).values == {"xs": [0, 1, 2]}


async def test_an_event_loop_is_served_too(backend: CeleryBackend) -> None:
    async def anode(_: State) -> dict[str, Any]:
        return {"xs": [1]}

    graph = one(backend, anode)
    assert await graph.ainvoke({}, on("t")) == {"xs": [1]}
    assert [chunk async for chunk in graph.astream({}, on("u"))] == [{"one": {"xs": [1]}}]


def test_a_run_that_a_node_starts_is_done_after_it(backend: CeleryBackend) -> None:
    order: list[str] = []
    inner = one(backend, lambda _: order.append("inner"))

    def starts(_: State) -> dict[str, Any]:
        inner.submit({}, on("inner"))
        order.append("outer")
        return {}

    builder = StateGraph(State).add_node("starts", starts).add_edge(START, "starts")
    builder.compile(name="outer", backend=backend).submit({}, on("outer"))
    assert order == ["outer", "inner"]
    assert backend.thread("inner").status == "idle"


def test_what_a_node_left_running_is_still_carried(backend: CeleryBackend) -> None:
    go, left = threading.Event(), []
    inner = one(backend, lambda _: {"xs": [1]})

    async def later() -> None:
        await asyncio.to_thread(go.wait, 60)
        await inner.asubmit({}, on("inner"))

    async def leaves(_: State) -> dict[str, Any]:
        left.append(asyncio.get_running_loop().create_task(later()))
        return {}

    builder = StateGraph(State).add_node("leaves", leaves).add_edge(START, "leaves")
    assert builder.compile(name="outer", backend=backend).submit({}, on("t")).status == "success"
    go.set()
    wait_until(lambda: left[0].done(), "what was left to start its run")
    assert backend.thread("inner").status == "idle"
