"""Connections that break, brokers that go away, queues that nobody consumes."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from celery import Celery

from checkpoint_redis.keys import Thread
from distgraph.errors import (
    BrokerUnavailable,
    InvalidUpdateError,
    NoSuchInterrupt,
    NothingToResume,
    SerializationError,
    ThreadBusy,
    ThreadNotFound,
)
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import Site, on, put_off
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend
from workers.worker.presence import appear, leave
from workers.worker.sweeper import sweep_once

pytestmark = pytest.mark.celery


class State(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


def graph_of(backend: CeleryBackend, name: str, node: Callable[[State], Any]) -> Any:
    builder = StateGraph(State).add_node("a", node).add_edge(START, "a")
    return builder.compile(name=name, backend=backend)


def one(_: State) -> dict[str, Any]:
    return {"xs": [1]}


def test_one_connection_carries_what_a_process_publishes(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph, admin = graph_of(backend, "g", one), backend.ledger.client

    def publishing() -> set[str]:
        return {c["id"] for c in admin.client_list() if c["cmd"] == "lpush"}

    before = publishing()
    for thread in ("1", "2", "3"):
        graph.submit({}, on(thread))
    (connection,) = publishing() - before
    admin.client_kill_filter(_id=connection)
    graph.submit({}, on("4"))
    with backend.worker():
        wait_until(lambda: len(list(backend.threads(status="idle"))) == 4, "all threads")


def test_a_message_that_is_taken_leaves_no_copy_in_the_broker(
    redis_server: RedisServer, namespace: str
) -> None:
    begun, over = threading.Event(), threading.Event()

    def wait(_: State) -> dict[str, Any]:
        begun.set()
        over.wait(PATIENCE)
        return {"xs": [1]}

    backend = CeleryBackend(redis_server.url, namespace=namespace)
    run = graph_of(backend, "g", wait).submit({}, on("t"))
    with backend.worker():
        assert begun.wait(PATIENCE)
        copies: Any = backend.ledger.client.hvals("unacked")
        assert not any(namespace.encode() in copy for copy in copies)
        over.set()
        assert run.result(timeout=PATIENCE) == {"xs": [1]}


def test_a_run_is_followed_on_after_a_lost_connection(
    redis_server: RedisServer, namespace: str
) -> None:
    cut = threading.Event()

    def wait(_: State) -> dict[str, Any]:
        cut.wait(PATIENCE)
        return {"xs": [1]}

    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph, admin = graph_of(backend, "waits", wait), backend.ledger.client

    def cut_readers() -> bool:
        reading = [c["id"] for c in admin.client_list() if c["cmd"] == "xread"]
        for each in reading:
            admin.client_kill_filter(_id=each)
        return bool(reading)

    def cut_once() -> None:
        wait_until(cut_readers, "a reader")
        cut.set()

    with backend.worker():
        threading.Thread(target=cut_once).start()
        assert graph.invoke({}, on("t")) == {"xs": [1]}


def look_sooner(client: Any, thread: Thread) -> None:
    """Have it looked for lost hints at the next sweep, where it would be within a second."""
    if seen := client.hget(thread.header, "/ov"):
        size, at, pause = (int(part) for part in seen.split())
        client.hset(thread.header, "/ov", f"{size} {at - pause} {pause}")


def test_hints_that_wait_for_a_worker_are_not_sent_again(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace, sweep=600.0)
    graph_of(backend, "served", one)
    client = CeleryBackend(redis_server.url, namespace=namespace)
    redis = client.ledger.client
    with backend.worker():
        graph_of(client, "unserved", one).submit({}, on("t"))
        put_off(redis, namespace)
        for _ in range(3):
            assert sweep_once(backend.office, backend.app).hints == 0
            look_sooner(redis, client.thread_key("t"))
        queues = redis.keys(f"{namespace}.unserved*")
        assert sum(redis.llen(queue) for queue in queues) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"sep": ":", "priority_steps": list(range(10))},
        {"global_keyprefix": "shop:", "priority_steps": [0, 4], "queue_order_strategy": "sorted"},
    ],
    ids=["sep", "prefix"],
)
def test_hints_that_wait_for_a_busy_worker_are_not_sent_again_whatever_the_keys_are(
    redis_server: RedisServer, namespace: str, options: dict[str, Any]
) -> None:
    begun, over = threading.Event(), threading.Event()

    def busy(_: State) -> dict[str, Any]:
        begun.set()
        over.wait(PATIENCE)
        return {"xs": [1]}

    app = Celery(f"shop-{namespace}", broker=redis_server.url, set_as_current=False)
    app.conf.update(task_default_queue=namespace, broker_transport_options=options)
    app.conf.update(worker_prefetch_multiplier=1, broker_connection_retry_on_startup=True)
    backend = CeleryBackend(redis_server.url, app=app, namespace=namespace, sweep=600.0)
    builder = StateGraph(State)
    for name in "abcdef":
        builder.add_node(name, busy).add_edge(START, name)
    graph, redis = builder.compile(name="g", backend=backend), backend.ledger.client
    with backend.worker(concurrency=1):
        run = graph.submit({}, on("t"))
        try:
            assert begun.wait(PATIENCE)
            put_off(redis, namespace)
            for _ in range(3):
                assert sweep_once(backend.office, app).hints == 0
                look_sooner(redis, backend.thread_key("t"))
        finally:
            over.set()
        assert run.result(timeout=PATIENCE) == {"xs": [1] * 6}


def test_a_broker_that_went_away_is_noticed_before_anything_is_stored(
    redis_server: RedisServer, namespace: str, new_redis: Callable[..., RedisServer]
) -> None:
    broker = new_redis()
    backend = CeleryBackend(redis_server.url, broker=broker.url, namespace=namespace)
    graph = graph_of(backend, "g", one)
    graph.submit({}, on("first"))
    broker.process.end()
    with pytest.raises(BrokerUnavailable, match="cannot be reached"):
        graph.submit({}, on("second"))
    assert [info.id for info in backend.threads()] == ["first"]


def test_a_callers_mistake_is_named_whether_or_not_there_is_a_broker(
    redis_server: RedisServer, namespace: str, new_redis: Callable[..., RedisServer]
) -> None:
    broker = new_redis()
    backend = CeleryBackend(redis_server.url, broker=broker.url, namespace=namespace)
    graph = graph_of(backend, "g", one)
    graph.submit({}, on("t"))
    broker.process.end()
    with pytest.raises(InvalidUpdateError, match="The input must be a dict of state keys"):
        graph.submit("text", on("u"))
    with pytest.raises(SerializationError, match="'xs'"):
        graph.submit({"xs": [one]}, on("u"))
    with pytest.raises(NoSuchInterrupt):
        backend.thread("t").resume({"0" * 32: "yes"})
    with pytest.raises(ThreadNotFound):
        backend.thread("u").retry()
    with pytest.raises(BrokerUnavailable):
        graph.submit({}, on("u"))


def test_garbled_messages_on_a_socket_are_counted_and_logged_once(
    tmp_path: Path, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    backend = CeleryBackend.embedded(tmp_path, namespace=namespace)
    graph, redis = graph_of(backend, "g", one), backend.ledger.client
    try:
        with backend.worker():
            redis.lpush(f"{namespace}.g", "rubbish{", "{}", "[1]")
            assert graph.submit({}, on("t")).result(timeout=PATIENCE) == {"xs": [1]}
            dropped = backend.office.dropped
            wait_until(lambda: dropped.counts() == {"garbled": 3}, "the rubbish to be counted")
    finally:
        backend.close()
    assert sum("garbled message" in record.message for record in caplog.records) == 1


def test_a_worker_that_leaves_gives_back_coroutines_alone(
    redis_server: RedisServer, namespace: str
) -> None:
    ran: list[str] = []
    over = threading.Event()

    def blocking(_: State) -> dict[str, Any]:
        ran.append("blocking")
        over.wait(PATIENCE)
        return {"xs": ["blocking"]}

    async def coroutine(_: State) -> dict[str, Any]:
        ran.append("coroutine")
        if ran.count("coroutine") == 1:  # outlasts its worker
            await asyncio.to_thread(over.wait, PATIENCE)
        return {"xs": ["coroutine"]}

    builder = StateGraph(State).add_node("b", blocking).add_node("c", coroutine)
    builder.add_edge(START, "b").add_edge(START, "c")
    first, second = (
        CeleryBackend(redis_server.url, namespace=namespace, grace=0.2) for _ in range(2)
    )
    run = builder.compile(name="g", backend=first).submit({}, on("t"))
    builder.compile(name="g", backend=second)
    with first.worker():
        wait_until(lambda: len(ran) == 2, "both nodes")
    try:
        with second.worker():
            wait_until(lambda: ran.count("coroutine") == 2, "the coroutine to run elsewhere")
            over.set()
            assert run.result(timeout=PATIENCE) == {"xs": ["blocking", "coroutine"]}
    finally:
        over.set()
    assert ran.count("blocking") == 1


def test_two_workers_of_a_host_own_their_tasks_apart(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph, owners = graph_of(backend, "g", one), set[str]()
    for thread in ("1", "2"):
        with backend.worker() as worker:
            assert graph.invoke({}, on(thread)) == {"xs": [1]}
            owners.add(backend.office.owner)
            assert worker.hostname in backend.office.owner
    assert len(owners) == 2


def test_a_worker_tells_what_it_consumes_and_not_what_it_has(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer]
) -> None:
    broker = new_redis()
    site = own_site(broker=broker)
    fan = f"{site.namespace}.fan"
    (label,) = (each for each in site.backend.registry.labels() if each.startswith("fan@"))

    def told(queues: tuple[str, ...], graphs: tuple[str, ...]) -> bool:
        return [(seen.queues, seen.graphs) for seen in site.backend.workers()] == [(queues, graphs)]

    site.start(1, concurrency=1, options=["-Q", fan])
    wait_until(lambda: told((fan,), (label,)), "what it consumes")
    broker.kill()
    wait_until(lambda: told((), ()), "that it consumes nothing")
    broker.start()
    wait_until(lambda: told((fan,), (label,)), "what it consumes again")


def test_threads_of_one_graph_are_found_among_many_of_another(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    many = graph_of(backend, "many", lambda _: {"xs": [interrupt("?")]})
    few = graph_of(backend, "few", lambda _: {"xs": [interrupt("?")]})
    key = backend.thread_key("few").shard
    same = [str(n) for n in range(1_000) if backend.thread_key(str(n)).shard == key]
    with backend.worker():
        many.invoke({}, on(same[0]))
        few.invoke({}, on("few"))
    found = backend.threads(status="interrupted", graph="few", limit=1)
    assert [info.id for info in found] == ["few"]


def test_clients_of_event_loops_that_ended_are_dropped(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph = graph_of(backend, "g", one)
    for _ in range(5):
        asyncio.run(graph.aget_state(on("t")))
    assert not backend._carrier._clients._loops


def test_a_runs_result_is_its_own_after_a_later_run(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph = graph_of(backend, "g", one)
    with backend.worker():
        first = graph.submit({}, on("t"))
        wait_until(lambda: first.status == "success", "the first run")
        assert graph.invoke({}, on("t")) == {"xs": [1, 1]}
        assert first.result() == {"xs": [1]}


def test_a_bare_answer_to_a_thread_that_runs_is_told_that_it_does(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph = graph_of(backend, "g", one)
    run = graph.submit({}, on("t"))
    for answer in (
        lambda: graph.submit(Command(resume="yes"), on("t")),
        lambda: backend.thread("t").resume("yes"),
    ):
        with pytest.raises(ThreadBusy, match="is busy with run"):
            answer()
    assert (backend.thread("t").status, run.status) == ("busy", "pending")


def test_a_worker_that_leaves_while_redis_is_away_says_so_in_a_line(
    tmp_path: Path, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = RedisServer(tmp_path).start()
    backend = CeleryBackend(server.url, namespace=namespace, reach=0.2)
    appear(backend.office, "w", bool)
    server.kill()
    leave(backend.office, "w")
    (line,) = [r for r in caplog.records if "leaves without telling" in r.getMessage()]
    assert line.exc_info is None


def test_an_answer_to_a_cancelled_thread_starts_nothing(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph = graph_of(backend, "g", one)
    graph.submit({}, on("t")).cancel()
    with pytest.raises(NothingToResume, match="it is idle"):
        graph.submit(Command(resume="yes"), on("t"))
    assert backend.thread("t").status == "idle"


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize("error", [Mute(), RuntimeError("x" * 20 * 2**20)])
def test_an_exception_that_cannot_be_told_fails_its_run_at_once(
    redis_server: RedisServer, namespace: str, error: Exception
) -> None:
    def fail(_: State) -> None:
        raise error

    # Nobody else would look at it within the hour.
    backend = CeleryBackend(redis_server.url, namespace=namespace, lease=3_600.0, sweep=3_600.0)
    graph = graph_of(backend, "g", fail)
    with backend.worker():
        run = graph.submit({}, on("t"))
        wait_until(lambda: run.status == "error", "the failure")
