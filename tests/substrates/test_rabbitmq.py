"""What RabbitMQ alone has, on a real one: `pytest tests/substrates/test_rabbitmq.py`."""

from __future__ import annotations

import gc
import operator
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.graph import START, StateGraph
from tests.support.rabbitmq import RabbitMQ, rabbitmq
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.waiting import PATIENCE
from workers import CeleryBackend

# py-amqp leaves it to the garbage collector to close what nobody uses any more.
pytestmark = [pytest.mark.celery, pytest.mark.filterwarnings("ignore::ResourceWarning")]


class State(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as made:
        yield made


@pytest.fixture(autouse=True)
def _sockets_are_closed_here() -> Iterator[None]:
    yield
    gc.collect()


def one(_: State) -> dict[str, Any]:
    return {"xs": [1]}


def queues(broker: RabbitMQ, namespace: str) -> dict[str, str]:
    """Return the arguments that the queues of a namespace were declared with."""
    rows = (
        line.split("\t") for line in broker.control("list_queues", "name", "arguments").splitlines()
    )
    return {row[0]: row[1] for row in rows if row[0].startswith(namespace)}


def test_a_worker_and_a_client_outlast_a_restart(
    broker: RabbitMQ, redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, broker=broker.url, namespace=namespace)
    graph = StateGraph(State).add_node("a", one).add_edge(START, "a")
    compiled = graph.compile(name="g", backend=backend)
    with backend.worker():
        assert compiled.invoke({}, on("t")) == {"xs": [1]}
        broker.restart()
        assert compiled.submit({}, on("u")).result(timeout=PATIENCE) == {"xs": [1]}
        assert set(queues(broker, namespace)) == {f"{namespace}.default", f"{namespace}.g"}
