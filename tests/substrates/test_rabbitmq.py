"""What RabbitMQ alone has, on a real one: `pytest tests/substrates/test_rabbitmq.py`."""

from __future__ import annotations

import gc
import operator
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.graph import START, StateGraph
from tests.support.rabbitmq import RabbitMQ, rabbitmq
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.waiting import PATIENCE
from workers import CeleryBackend

# py-amqp leaves it to the garbage collector to close what has failed.
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
    with backend.worker():
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
    with backend.worker(concurrency=1):
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
    with backend.worker():
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
