"""What RabbitMQ alone has, on a real one: `pytest tests/substrates/test_rabbitmq.py`."""

from __future__ import annotations

import gc
import operator
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from celery import Celery
from kombu import Connection, Queue

from distgraph.graph import START, StateGraph
from tests.support.command import running
from tests.support.rabbitmq import RabbitMQ, rabbitmq
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

# Workers are solo: threads would acknowledge on a channel that py-amqp has for one thread alone.
# It leaves it to the garbage collector to close what has failed.
pytestmark = [pytest.mark.celery, pytest.mark.filterwarnings("ignore::ResourceWarning")]


class State(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as made:
        yield made


@pytest.fixture(autouse=True)
def _what_failed_is_closed_here() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def make(
    broker: RabbitMQ, redis_server: RedisServer, namespace: str
) -> Iterator[Callable[[], CeleryBackend]]:
    """Give a function that makes backends, whose connections end with the test."""
    made: list[CeleryBackend] = []

    def new() -> CeleryBackend:
        made.append(CeleryBackend(redis_server.url, broker=broker.url, namespace=namespace))
        return made[-1]

    yield new
    for backend in made:
        publisher: Any = backend._messenger.publisher
        for spare in publisher._spare.values():
            for producer in spare:
                producer.connection.release()


def one(_: State) -> dict[str, Any]:
    return {"xs": [1]}


def graph_of(backend: CeleryBackend, **nodes: dict[str, Any]) -> Any:
    """Return a graph whose nodes run beside each other, each added with what it is given."""
    builder = StateGraph(State)
    for name, options in nodes.items():
        builder.add_node(name, options.pop("node", one), **options).add_edge(START, name)
    return builder.compile(name="g", backend=backend)


def queues(broker: RabbitMQ, namespace: str) -> dict[str, str]:
    """Return the queues of a namespace, with the arguments that they were declared with."""
    listed = broker.control("list_queues", "name", "arguments", "--no-table-headers")
    rows = (line.split("\t") for line in listed.splitlines())
    return {row[0]: row[1] for row in rows if row[0].startswith(namespace)}


def test_a_worker_and_a_client_outlast_a_restart(
    broker: RabbitMQ, make: Callable[[], CeleryBackend]
) -> None:
    backend = make()
    graph = graph_of(backend, a={})
    with backend.worker(pool="solo"):
        assert graph.invoke({}, on("t")) == {"xs": [1]}
        broker.restart()
        assert graph.submit({}, on("u")).result(timeout=PATIENCE) == {"xs": [1]}


def test_what_is_urgent_is_done_first(
    broker: RabbitMQ, make: Callable[[], CeleryBackend], namespace: str
) -> None:
    ran: list[int] = []

    def noting(priority: int) -> Any:
        return lambda _: ran.append(priority)

    backend = make()
    nodes = {f"p{n}": {"node": noting(n), "priority": n, "queue": "gpu"} for n in range(10)}
    run = graph_of(backend, **nodes).submit({}, on("t"))
    with backend.worker(pool="solo"):
        run.result(timeout=PATIENCE)
    assert ran == sorted(ran, reverse=True)
    assert set(queues(broker, namespace)) == {
        f"{namespace}.{name}" for name in ("default", "g", "gpu")
    }
    assert all('"x-max-priority",9' in each for each in queues(broker, namespace).values())


def test_queues_are_of_the_type_that_the_settings_name(
    broker: RabbitMQ, make: Callable[[], CeleryBackend], namespace: str
) -> None:
    backend = make()
    backend.app.conf.task_default_queue_type = "quorum"
    graph = graph_of(backend, a={"queue": "gpu", "priority": 9})
    with backend.worker(pool="solo"):
        assert graph.invoke({}, on("t")) == {"xs": [1]}
    for arguments in queues(broker, namespace).values():
        assert '"x-queue-type","quorum"' in arguments
        assert "x-max-priority" not in arguments


def test_a_queue_that_was_declared_otherwise_is_told(
    make: Callable[[], CeleryBackend], caplog: pytest.LogCaptureFixture
) -> None:
    older, newer = make(), make()
    older.app.conf.task_queue_max_priority = None
    graph_of(older, a={}).submit({}, on("t"))
    graph_of(newer, a={}).submit({}, on("u"))
    assert re.search("left to the sweeper: .*another form.*x-max-priority", caplog.text)


def test_a_worker_that_may_not_consume_ends_with_an_error(
    broker: RabbitMQ, redis_server: RedisServer, namespace: str, tmp_path: Path
) -> None:
    with Connection(broker.url) as connection:
        Queue(f"{namespace}.default")(connection.default_channel).queue_declare()
    env = {"DISTGRAPH_REDIS": redis_server.url, "DISTGRAPH_BROKER": broker.url}
    told = {**env, "DISTGRAPH_NAMESPACE": namespace}
    words = ("worker", "tests.support.apps.errands:graph", "--pool", "solo")
    with running(*words, log=tmp_path / "worker.log", env=told) as worker:
        wait_until(lambda: not worker.alive, "the worker to end")
        assert "inequivalent arg 'x-max-priority'" in worker.output
        assert worker.returncode == 1


def brought(broker: RabbitMQ, redis_server: RedisServer, namespace: str, queue: str) -> Any:
    """Return a backend on an application of a user's, and a graph on its queue."""
    app = Celery(f"shop-{namespace}", broker=broker.url, set_as_current=False)
    app.conf.update(task_default_queue=queue, broker_connection_retry_on_startup=True)
    backend = CeleryBackend(redis_server.url, app=app, namespace=namespace, sweep=600.0)
    return backend, graph_of(backend, a={})


def test_a_job_of_another_namespace_is_back_in_the_queue_when_its_worker_comes(
    broker: RabbitMQ, redis_server: RedisServer, namespace: str
) -> None:
    backend, graph = brought(broker, redis_server, namespace, f"{namespace}-shared")
    other, _ = brought(broker, redis_server, f"{namespace}-other", f"{namespace}-shared")
    run = graph.submit({}, on("t"))
    with other.worker(pool="solo"):
        wait_until(other.office.meetings.of_late, "the job to be fetched")
    with backend.worker(pool="solo"):
        assert run.result(timeout=PATIENCE) == {"xs": [1]}
        assert backend.office.meetings.of_late() == ((f"{namespace}-shared", f"{namespace}-other"),)
