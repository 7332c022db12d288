"""What a broker is told of queues: it follows the settings of the application."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest
from amqp.exceptions import PreconditionFailed
from celery import Celery

from distgraph.errors import BrokerUnavailable
from distgraph.graph import START, StateGraph
from workers import CeleryBackend
from workers.broker.publisher import reaching


class State(TypedDict, total=False):
    x: int


def graph_on(backend: CeleryBackend, name: str = "g", queue: str = "gpu") -> None:
    builder = StateGraph(State).add_node("a", lambda _: {}, queue=queue).add_edge(START, "a")
    builder.compile(name=name, backend=backend)


def declared(app: Celery) -> dict[str, dict[str, Any] | None]:
    """Return the queues that a worker consumes, with the arguments that it declares them with."""
    return {name: queue.queue_arguments for name, queue in app.amqp.queues.consume_from.items()}


def alike(arguments: dict[str, Any] | None) -> dict[str, dict[str, Any] | None]:
    return dict.fromkeys(("ns.default", "ns.g", "ns.gpu"), arguments)


def backend() -> CeleryBackend:
    return CeleryBackend(broker="amqp://localhost", namespace="ns")


def test_queues_of_ours_know_ten_priorities() -> None:
    made = backend()
    graph_on(made)
    assert declared(made.app) == alike({"x-max-priority": 9})
    assert made.app.amqp.queues["ns.of-another-graph"].queue_arguments == {"x-max-priority": 9}


@pytest.mark.parametrize(("maximum", "arguments"), [(4, {"x-max-priority": 4}), (None, None)])
def test_a_maximum_that_is_set_counts(maximum: int | None, arguments: Any) -> None:
    made = backend()
    graph_on(made)
    made.app.conf.task_queue_max_priority = maximum
    assert declared(made.app) == alike(arguments)


def test_quorum_queues_have_no_maximum_of_themselves() -> None:
    made = backend()
    made.app.conf.task_default_queue_type = "quorum"
    graph_on(made)
    quorum = {"x-queue-type": "quorum"}
    assert declared(made.app) == alike(quorum)
    assert made.app.amqp.queues["ns.of-another-graph"].queue_arguments == quorum
    # A worker that runs comes to know the queue of a graph that is compiled beside it.
    queues: Any = made.app.amqp.queues
    queues.select_add("ns.later", exchange="ns.later", routing_key="ns.later")
    assert declared(made.app)["ns.later"] == quorum


def test_a_maximum_that_is_set_counts_for_quorum_queues_too() -> None:
    made = backend()
    made.app.conf.update(task_default_queue_type="quorum", task_queue_max_priority=9)
    graph_on(made)
    assert declared(made.app) == alike({"x-queue-type": "quorum", "x-max-priority": 9})


def test_they_are_bound_to_an_exchange_of_the_applications_type() -> None:
    made = backend()
    graph_on(made)
    made.app.conf.update(task_default_exchange="graphs", task_default_exchange_type="topic")
    exchanges = {queue.exchange for queue in made.app.amqp.queues.values()}
    assert {(each.name, each.type) for each in exchanges} == {("graphs", "topic")}


def test_on_an_application_that_is_brought_its_settings_alone_count() -> None:
    app = Celery("shop", broker="amqp://localhost", set_as_current=False)
    app.conf.task_default_queue_type = "quorum"
    graph_on(CeleryBackend(app=app, namespace="ns"))
    assert declared(app) == {"celery": {"x-queue-type": "quorum"}}
    assert app.amqp.queues["gpu"].queue_arguments is None


def test_a_queue_that_is_there_in_another_form_is_told_as_that() -> None:
    refused = PreconditionFailed("inequivalent arg 'x-max-priority' for queue 'ns.g'")
    with (
        pytest.raises(BrokerUnavailable, match=r"another form.*'ns\.g'.*task_queue_max_priority"),
        reaching(backend().app),
    ):
        raise refused


def test_workers_are_told_of_queues_with_or_without_their_namespace() -> None:
    made = backend()
    graph_on(made)
    graph_on(made, "second", "ns.gpu")
    assert made.registry.queues() == ("ns.g", "ns.gpu", "ns.second")
    made.app.amqp.queues.select(["gpu", "ns.second", "default"])
    assert set(declared(made.app)) == {"ns.gpu", "ns.second", "ns.default"}


def test_a_graph_that_is_called_like_a_queue_is_not_taken_for_it() -> None:
    made = backend()
    graph_on(made, "g", "gpu")
    graph_on(made, "ns.g", "gpu")
    made.app.amqp.queues.select(["ns.g"])
    assert set(declared(made.app)) == {"ns.g"}
