"""What a doctor says of queues."""

from __future__ import annotations

import re
from typing import Any, TypedDict

import pytest
from celery import Celery
from kombu import Queue

from checkpoint_redis.sightings import WorkerSeen
from distgraph.graph import START, StateGraph
from workers import CeleryBackend
from workers.cli.queue_checks import examine_queues


class State(TypedDict, total=False):
    x: int


def graph_on(backend: CeleryBackend) -> CeleryBackend:
    builder = StateGraph(State).add_node("slow", lambda _: {}, queue="gpu")
    builder.add_node("soon", lambda _: {}, queue="gpu", priority=9).add_edge(START, "slow")
    builder.add_edge("slow", "soon").compile(name="g", backend=backend)
    return backend


def brought(**settings: Any) -> CeleryBackend:
    app = Celery("shop", broker="amqp://localhost", set_as_current=False)
    app.conf.update(settings)
    return graph_on(CeleryBackend(app=app, namespace="ns"))


def worker(*queues: str, **more: Any) -> WorkerSeen:
    return WorkerSeen("w@host", 0.0, 0.0, "1", queues, (), **more)


def said(backend: CeleryBackend, *workers: WorkerSeen) -> list[str]:
    found = list(examine_queues(backend, workers))
    assert {check.level for check in found} <= {"warning"}
    return [check.detail for check in found]


@pytest.mark.parametrize("broker", ["redis://localhost", "amqp://localhost"])
def test_nothing_is_said_of_queues_of_ours_that_are_consumed(broker: str) -> None:
    backend = graph_on(CeleryBackend(broker=broker, namespace="ns"))
    assert said(backend, worker("ns.g"), worker("ns.gpu")) == []


def test_a_queue_that_no_worker_consumes_is_named_with_its_graph() -> None:
    backend = graph_on(CeleryBackend(namespace="ns"))
    (detail,) = said(backend, worker("ns.g", "gpu"))
    assert detail.startswith("queue 'ns.gpu' of graph 'g' is consumed by no live worker")


def test_where_nobody_works_that_alone_is_worth_a_word_and_is_said_elsewhere() -> None:
    assert said(graph_on(CeleryBackend(namespace="ns"))) == []


def test_a_meeting_is_told_with_both_names() -> None:
    (detail,) = said(CeleryBackend(namespace="ns"), worker(met=(("gpu", "other"),)))
    assert detail.startswith("w@host meets namespace 'other' in queue 'gpu'")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, r"'soon' .* queue 'gpu' has no x-max-priority: set .*task_queue_max_priority to 9"),
        ({"task_create_missing_queue_type": "quorum"}, "queue 'gpu' is a quorum queue without"),
        ({"task_create_missing_queues": False}, "queue 'gpu' is not in the application's"),
    ],
)
def test_what_keeps_priorities_from_being_kept_is_told(settings: Any, told: str) -> None:
    (detail,) = said(brought(**settings))
    assert re.search(told, detail)


@pytest.mark.parametrize(
    "settings",
    [
        {"task_queue_max_priority": 10},
        {"task_queues": [Queue("gpu", queue_arguments={"x-max-priority": 9})]},
        {"broker_url": "redis://localhost"},
    ],
)
def test_nothing_is_said_of_priorities_that_are_kept(settings: Any) -> None:
    assert said(brought(**settings)) == []
