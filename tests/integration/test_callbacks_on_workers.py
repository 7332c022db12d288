"""A graph's own callbacks hear what runs on workers, those of a call no more than its caller."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler

from distgraph.graph import START, StateGraph
from tests.support.apps.parity_app import plain_backend
from tests.support.redis_server import RedisServer
from tests.support.site import on
from workers import CeleryBackend

pytestmark = pytest.mark.celery


class Count(TypedDict, total=False):
    n: int


class Hears(BaseCallbackHandler):
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[Any] = []

    def on_chain_start(self, *_: Any, name: str = "", **__: Any) -> None:
        self.begun.append(name)

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        self.ended.append(outputs)


@pytest.fixture
def backend(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    made = plain_backend(redis_server.url, f"h-{uuid.uuid4().hex[:8]}")
    with made.worker(pool="threads", concurrency=1):
        yield made


def add(state: Count) -> Count:
    return {"n": state["n"] + 1}


def test_each_handler_hears_what_runs_where_it_is(
    backend: CeleryBackend, thread_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    own, called = Hears(), Hears()
    inner = StateGraph(Count).add_node("deep", add).add_edge(START, "deep").compile()
    builder = StateGraph(Count).add_node("add", add).add_node("inner", inner)
    builder.add_edge(START, "add").add_edge("add", "inner")
    graph = builder.compile().with_config(callbacks=[own]).on(backend, "heard")
    for _ in range(2):
        assert graph.invoke({"n": 0}, {**on(thread_id), "callbacks": [called]}) == {"n": 2}
    assert set(own.begun) == {"heard", "add", "inner", inner.name, "deep"}
    assert called.begun == ["heard", "heard"]
    assert called.ended == [{"n": 2}, {"n": 2}]
    warned = [each.message for each in caplog.records if "This is said once" in each.message]
    assert len(warned) == 1
    assert warned[0].startswith("The callbacks ['Hears'] of a run of graph 'heard' hear")
