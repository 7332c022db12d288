"""A worker inside the test's own process, and jobs added to an application that exists already."""

from __future__ import annotations

import importlib
import itertools
import operator
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from celery import Celery
from pydantic import create_model

from distgraph.errors import DistGraphError
from distgraph.graph import START, StateGraph
from distgraph.types import Command, Send, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend
from workers.broker.settings import RECOMMENDED
from workers.broker.transport import Transport

pytestmark = pytest.mark.celery


class State(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


class Hidden(TypedDict, total=False):
    hidden: int


def closures(seen: list[str]) -> StateGraph[Any]:
    """Return a graph of functions that no other process could import."""

    def ask(state: State) -> dict[str, Any]:
        seen.append("ask")
        return {"xs": [interrupt("?")]}

    builder = StateGraph(State)
    builder.add_node("one", lambda packet: {"xs": [packet]})
    builder.add_node("ask", ask)
    builder.add_conditional_edges(START, lambda _: [Send("one", n) for n in range(5)], ["one"])
    return builder.add_edge("one", "ask")


def check(graph: Any, seen: list[str]) -> None:
    assert graph.invoke({}, on("t"))["__interrupt__"][0].value == "?"
    assert graph.invoke(Command(resume="!"), on("t"))["xs"] == [0, 1, 2, 3, 4, "!"]
    assert seen == ["ask", "ask"]


def test_a_worker_in_this_process_runs_closures(redis_server: RedisServer, namespace: str) -> None:
    seen: list[str] = []
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph = closures(seen).compile(name="closures", backend=backend)
    with backend.worker():
        check(graph, seen)
    assert "distgraph-sweeper" not in [thread.name for thread in threading.enumerate()]


def test_context_variables_of_a_node_are_not_those_of_the_next_task_of_its_thread(
    redis_server: RedisServer, namespace: str
) -> None:
    tenant: ContextVar[str] = ContextVar("tenant", default="nobody")

    def changed(_: State) -> dict[str, Any]:
        seen = tenant.get()
        tenant.set("changed by a node")
        return {"xs": [seen]}

    async def changed_on_the_loop(state: State) -> dict[str, Any]:
        return changed(state)

    builder = StateGraph(State).add_sequence(
        [("a", changed), ("b", changed_on_the_loop), ("c", changed), ("d", changed_on_the_loop)]
    )
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph = builder.add_edge(START, "a").compile(name="tenants", backend=backend)
    with backend.worker(concurrency=1):
        for thread in "12":
            assert graph.invoke({}, on(thread)) == {"xs": ["nobody"] * 4}


def test_a_second_worker_in_one_process_is_refused(
    redis_server: RedisServer, namespace: str
) -> None:
    seen: list[str] = []
    one, other = (CeleryBackend(redis_server.url, namespace=f"{namespace}{n}") for n in "ab")
    graph = closures(seen).compile(name="closures", backend=one)
    with one.worker():
        with pytest.raises(RuntimeError, match="inside this process already"), other.worker():
            pass
        check(graph, seen)
    with other.worker():
        seen.clear()
        check(closures(seen).compile(name="closures", backend=other), seen)


def test_a_graph_that_is_compiled_between_two_workers_is_served(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    with backend.worker():
        pass
    seen: list[str] = []
    graph = closures(seen).compile(name="late", backend=backend)
    with backend.worker():
        check(graph, seen)
        served = {backend.registry.labels()[0]}
        wait_until(lambda: served == {g for w in backend.workers() for g in w.graphs}, "presence")


def test_a_graph_that_is_compiled_beside_a_worker_does_not_wait_for_its_read_of_other_queues(
    new_redis: Callable[..., RedisServer], namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transport, "brpop_timeout", 3_600)
    server = new_redis()
    backend = CeleryBackend(server.url, namespace=namespace)
    with backend.worker(), server.client() as client:
        for name in ("one", "two"):
            wait_until(lambda: reads(client), "a read that would go on for an hour")
            graph = closures([]).compile(name=name, backend=backend)
            assert graph.invoke({}, on(name))["__interrupt__"][0].value == "?"


def test_a_broker_that_tells_nobody_its_number_carries_graphs_all_the_same(
    new_redis: Callable[..., RedisServer], namespace: str
) -> None:
    server = new_redis()
    with server.client() as client:
        allowed = ("~*", "&*", "+@all", "-client")
        client.execute_command("ACL", "SETUSER", "narrow", "on", ">secret", *allowed)
    broker = server.url.replace("redis://", "redis://narrow:secret@")
    backend = CeleryBackend(server.url, broker=broker, namespace=namespace)
    with backend.worker():
        seen: list[str] = []
        check(closures(seen).compile(name="closures", backend=backend), seen)


def reads(client: Any) -> bool:
    """Whether somebody waits for messages."""
    return any(each["cmd"] == "brpop" for each in client.client_list())


def test_jobs_join_an_application_that_exists(redis_server: RedisServer, namespace: str) -> None:
    seen: list[str] = []
    app = Celery(f"shop-{uuid.uuid4().hex}", broker=redis_server.url, set_as_current=False)
    app.conf.task_default_queue = f"{namespace}-shop"
    app.conf.broker_connection_retry_on_startup = True
    names = (*RECOMMENDED, "broker_transport", "broker_transport_options", "task_queues")
    before = {name: app.conf.get(name) for name in names}
    backend = CeleryBackend(redis_server.url, app=app, namespace=namespace)
    graph = closures(seen).compile(name="closures", backend=backend)
    with backend.worker():
        check(graph, seen)
    assert f"{namespace}.step" in app.tasks
    assert {name: app.conf.get(name) for name in names} == before


def test_the_embedded_redis_carries_a_graph(tmp_path: Path) -> None:
    seen: list[str] = []
    with CeleryBackend.embedded(tmp_path / "data") as backend:
        graph = closures(seen).compile(name="closures", backend=backend)
        with backend.worker():
            check(graph, seen)
    assert not (tmp_path / "data" / "redis.sock").exists()


APP = """
import os
from dataclasses import dataclass
from typing import TypedDict

from distgraph.graph import START, StateGraph
from workers import CeleryBackend


@dataclass
class Parcel:
    weight: int


class Lost(Exception): pass


class State(TypedDict, total=False):
    parcel: Parcel


def weigh(state):
    if state["parcel"].weight > 9:
        raise Lost("too heavy")
    return {"parcel": Parcel(state["parcel"].weight + 1)}


backend = CeleryBackend(os.environ["URL"], namespace=os.environ["NAMESPACE"])
builder = StateGraph(State).add_node(weigh).add_edge(START, "weigh")
graph = builder.compile(name="parcels", backend=backend)

if __name__ == "__main__":
    config = {"configurable": {"thread_id": "1"}}
    assert graph.invoke({"parcel": Parcel(4)}, config) == {"parcel": Parcel(5)}
    assert graph.get_state(config).values == {"parcel": Parcel(5)}
    try:
        graph.invoke({"parcel": Parcel(10)}, config)
    except Lost as lost:
        print(lost)
"""


def test_a_client_that_runs_as_a_script_shares_its_classes_with_workers_that_import_it(
    redis_server: RedisServer, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"app_{uuid.uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(APP)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("URL", redis_server.url)
    monkeypatch.setenv("NAMESPACE", namespace)
    with importlib.import_module(name).backend.worker():
        command = [sys.executable, str(tmp_path / f"{name}.py")]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == "too heavy\n"


def test_graphs_of_one_worker_may_have_classes_of_one_name(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    made = {}
    for name in ("bills", "letters"):
        item: Any = create_model("Item", text=(str, name), __module__="shared")
        schema: Any = TypedDict("schema", {"item": item}, total=False)
        builder = StateGraph(schema).add_node(
            "ask", lambda _, item=item: {"item": interrupt(item())}
        )
        made[builder.add_edge(START, "ask").compile(name=name, backend=backend)] = item
    with backend.worker():
        for graph, item in made.items():
            (asked,) = graph.invoke({}, on(graph.name))["__interrupt__"]
            thread, reply = backend.thread(graph.name), item(text="answered")
            (listed,) = backend.threads(graph=graph.name)
            questions = (asked, *thread.interrupts, *listed.interrupts)
            assert [type(question.value) for question in questions] == [item] * 3
            run = thread.resume({asked.id: reply} if graph.name == "bills" else reply)
            assert run.result(PATIENCE) == {"item": reply}
            states = [thread.state, *thread.history(1)]
            assert [type(state.checkpoint.values["item"]) for state in states] == [item] * 2
            assert [type(answer.value) for answer in thread.answers()] == [item]


def test_a_submitted_run_streams_what_the_graph_streams(
    redis_server: RedisServer, namespace: str
) -> None:
    class Shown(TypedDict, total=False):
        xs: list[Any]

    backend = CeleryBackend(redis_server.url, namespace=namespace)
    builder = StateGraph(State, output_schema=Shown)
    builder.add_node("a", lambda _: {"xs": [1], "hidden": 2}, input_schema=Hidden)
    graph = builder.add_edge(START, "a").compile(name="shown", backend=backend)
    modes: Any = ["values", "updates"]
    with backend.worker():
        streamed = list(graph.stream({}, on("1"), stream_mode=modes))
        run = graph.submit({}, on("2"), stream_mode=modes)
        assert list(run.stream()) == streamed
    assert streamed[-1] == ("values", {"xs": [1], "hidden": 2})


def test_a_run_is_not_waited_for_inside_a_node(redis_server: RedisServer, namespace: str) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    inner = closures([]).compile(name="inner", backend=backend)
    builder = StateGraph(State)

    def waits(state: State) -> dict[str, Any]:
        return {"xs": [inner.submit({}, on("inner")).result()]}

    builder.add_node("waits", waits).add_edge(START, "waits")
    outer = builder.compile(name="outer", backend=backend)
    with backend.worker(), pytest.raises(RuntimeError, match="inside a node"):
        outer.invoke({}, on("outer"))


def test_a_cell_of_a_notebook_that_is_run_again_replaces_its_graph(
    redis_server: RedisServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
    backend = CeleryBackend(redis_server.url, namespace=namespace)

    def cell(*names: str, queue: str = "") -> Any:
        """Compile a graph whose last node asks."""
        builder = StateGraph(State).add_edge(START, names[0])
        for name in names:
            asks = name == names[-1]
            node = lambda _, n=name, asks=asks: {"xs": [n, interrupt("?")] if asks else [n]}  # noqa: E731
            builder.add_node(name, node, queue=queue)
        for before, after in itertools.pairwise(names):
            builder.add_edge(before, after)
        return builder.compile(name="cell", backend=backend)

    first = cell("a", "b")
    with backend.worker():
        assert "__interrupt__" in first.invoke({}, on("t"))
        again = cell("a", "more", "b", queue="other")
        assert "__interrupt__" in again.invoke({}, on("u"))
        # A thread of the cell before goes on with the one of now.
        for thread, before in (("t", ["a"]), ("u", ["a", "more"])):
            assert again.invoke(Command(resume="!"), on(thread)) == {"xs": [*before, "b", "!"]}
        with pytest.raises(LookupError, match="'cell' was compiled again"):
            first.invoke({}, on("v"))


def test_two_graphs_of_one_name_are_refused(redis_server: RedisServer, namespace: str) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    closures([]).compile(name="same", backend=backend)
    other = StateGraph(State).add_node("x", lambda _: {}).add_edge(START, "x")
    with pytest.raises(ValueError, match="same"):
        other.compile(name="same", backend=backend)
    with pytest.raises((ValueError, DistGraphError), match="name"):
        other.compile(backend=backend)
