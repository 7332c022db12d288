"""An answer that comes too late counts as little as one that comes a second time."""

from __future__ import annotations

import operator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypedDict

import pytest

from checkpoint_redis.saver import RedisSaver
from distgraph.errors import NoSuchInterrupt, NothingToResume
from distgraph.graph import START, StateGraph
from distgraph.types import Command, Interrupt, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import QUICK, Site, on
from tests.support.waiting import wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.celery
NEVER = {**QUICK, "sweep": 3600.0}


class State(TypedDict, total=False):
    """What was answered."""

    said: Annotated[list[Any], operator.add]


def builder() -> StateGraph[Any]:
    made = StateGraph(State)
    made.add_node("ask", lambda _: {"said": [interrupt("?", deadline=0, default="nobody")]})
    return made.add_edge(START, "ask")


def asking(backend: CeleryBackend) -> Any:
    return builder().compile(name="asking", backend=backend)


def question(found: dict[str, Any]) -> Interrupt:
    (only,) = found["__interrupt__"]
    assert isinstance(only, Interrupt)
    return only


def test_though_everything_was_stopped_it_ends_and_no_answer_counts_any_more(
    redis_server: RedisServer, namespace: str, thread_id: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace, **NEVER)
    graph = asking(backend)
    with backend.worker():
        asked = question(graph.invoke({}, on(thread_id)))
    for late in ("yes", {asked.id: "yes"}):
        with pytest.raises((NoSuchInterrupt, NothingToResume)):
            graph.submit(Command(resume=late), on(thread_id))
    assert backend.thread(thread_id).interrupts == (asked,)
    backend = CeleryBackend(redis_server.url, namespace=namespace, **QUICK)
    graph = asking(backend)
    with backend.worker():
        wait_until(lambda: backend.thread(thread_id).status == "idle", "the default")
        assert graph.get_state(on(thread_id)).values["said"] == ["nobody"]


def test_of_answers_that_come_about_the_deadline_each_counts_or_is_refused(
    shared: Site, thread_id: str
) -> None:
    graph = shared.graphs["expiring"]
    names = [f"{thread_id}-{n}" for n in range(30)]
    runs = [graph.submit({"within": 2.0}, on(name)) for name in names]
    asked = {name: question(run.result()) for name, run in zip(names, runs, strict=True)}
    first = min(each.deadline for each in asked.values() if each.deadline)
    wait_until(lambda: first - datetime.now(UTC) < timedelta(seconds=0.1), "the first deadline")
    said = dict.fromkeys(names, "nobody")
    for name in names:
        try:
            graph.submit(Command(resume={asked[name].id: "somebody"}), on(name))
        except (NoSuchInterrupt, NothingToResume):
            continue
        said[name] = "somebody"
    for name in names:
        wait_until(lambda name=name: shared.settle(name) == "idle", "the end")  # type: ignore[misc]
        state = graph.get_state(on(name)).values
        assert (state["answer"], state["path"]) == (said[name], ["prepare", "expire", "publish"])


def test_a_saver_that_goes_on_with_what_workers_asked_knows_that_it_is_over(
    redis_server: RedisServer, namespace: str, thread_id: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace, **NEVER)
    with backend.worker():
        asked = question(asking(backend).invoke({}, on(thread_id)))
    with RedisSaver.from_conn_string(redis_server.url, namespace=namespace) as saver:
        here: Any = builder().compile(name="asking", checkpointer=saver)
        assert here.get_state(on(thread_id)).interrupts == (asked,)
        assert here.invoke(None, on(thread_id))["said"] == ["nobody"]
