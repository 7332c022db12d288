"""Brokers but Redis drop connections, or go away: what is stored is never told as failed."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypedDict

import pytest
from celery import Celery

from distgraph.errors import BrokerUnavailable
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt
from tests.support.dropping import BROKER, Broker
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.waiting import PATIENCE
from workers import CeleryBackend

pytestmark = pytest.mark.celery


class State(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


@pytest.fixture
def nothing_left(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """See that nothing had to be sent by the sweeper."""
    yield
    assert "sweeper" not in caplog.text


@pytest.fixture
def broker() -> Iterator[Broker]:
    yield BROKER
    BROKER.takes = True


def made(server: RedisServer, **settings: Any) -> CeleryBackend:
    """Return a backend whose broker may be harmed."""
    name = f"t-{uuid.uuid4().hex[:16]}"
    app = Celery(f"shop-{name}", broker="memory://", set_as_current=False)
    app.conf.broker_transport = "tests.support.dropping:Transport"
    app.conf.broker_transport_options = {"polling_interval": 0.01}
    app.conf.update(task_default_queue=name, broker_connection_retry_on_startup=True)
    return CeleryBackend(server.url, app=app, namespace=name, **settings)


def chain(backend: CeleryBackend, name: str, *nodes: Callable[[State], Any]) -> Any:
    builder = StateGraph(State).add_sequence([(f"n{n}", node) for n, node in enumerate(nodes)])
    return builder.add_edge(START, "n0").compile(name=name, backend=backend)


def one(_: State) -> dict[str, Any]:
    return {"xs": [1]}


def ask(_: State) -> dict[str, Any]:
    return {"xs": [interrupt("?")]}


def drops(_: State) -> dict[str, Any]:
    BROKER.drop()
    return {"xs": [1]}


@pytest.fixture(scope="module")
def served(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    """Return a backend with a worker."""
    backend = made(redis_server, sweep=0.1)
    with backend.worker():
        yield backend


@pytest.mark.usefixtures("nothing_left")
def test_a_connection_that_was_dropped_is_made_anew(served: CeleryBackend, broker: Broker) -> None:
    graph = chain(served, "asks", ask)
    for thread in ("a", "b", "c"):
        broker.drop()
        assert graph.invoke({}, on(thread))["__interrupt__"][0].value == "?"
    broker.drop()
    assert served.thread("a").resume(1).result(timeout=PATIENCE) == {"xs": [1]}
    broker.drop()
    assert graph.invoke(Command(resume=2), on("b")) == {"xs": [2]}


@pytest.mark.usefixtures("nothing_left")
async def test_so_it_is_on_an_event_loop(served: CeleryBackend, broker: Broker) -> None:
    graph = chain(served, "one", one)
    for thread in ("d", "e"):
        broker.drop()
        assert await graph.ainvoke({}, on(thread)) == {"xs": [1]}


@pytest.mark.usefixtures("nothing_left")
def test_a_job_whose_connection_was_dropped_loses_nothing(served: CeleryBackend) -> None:
    graph = chain(served, "drops", drops, drops, one)
    assert graph.invoke({}, on("f")) == {"xs": [1, 1, 1]}


def test_what_was_stored_before_the_broker_went_away_is_carried_when_it_is_back(
    served: CeleryBackend,
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    graph = chain(served, "asks", ask)
    noted: list[Any] = []
    monkeypatch.setattr(served._messenger.dispatched, "note", lambda *what: noted.append(what))
    asked = served._messenger.publisher.reach

    def reach(*, ask: bool = True) -> None:
        """Let the broker go just behind the question whether it is there."""
        asked(ask=ask)
        broker.takes = False

    monkeypatch.setattr(served._messenger.publisher, "reach", reach)
    run = graph.submit({}, on("t"))
    assert run.status == "pending"
    assert "1 hints are left to the sweeper: The broker at memory:" in caplog.text
    broker.takes = True
    assert run.result(timeout=PATIENCE)["__interrupt__"][0].value == "?"
    again = served.thread("t").resume("!")
    assert not broker.takes
    broker.takes = True
    assert again.result(timeout=PATIENCE) == {"xs": ["!"]}
    assert noted == []


def test_a_broker_that_is_away_is_noticed_before_anything_is_stored(
    redis_server: RedisServer, broker: Broker
) -> None:
    backend = made(redis_server)
    graph = chain(backend, "one", one)
    graph.submit({}, on("first"))
    broker.takes = False
    with pytest.raises(BrokerUnavailable, match="cannot be reached"):
        graph.submit({}, on("second"))
    assert [info.id for info in backend.threads()] == ["first"]


def test_what_cannot_be_sent_for_another_reason_is_told_in_the_log(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    backend = made(redis_server)
    backend.app.conf.task_create_missing_queues = False
    builder = StateGraph(State).add_node("one", one, queue="nobody-knows").add_edge(START, "one")
    run = builder.compile(name="chain", backend=backend).submit({}, on("t"))
    assert run.status == "pending"
    assert "could not be sent" in caplog.text
    assert "nobody-knows" in caplog.text
