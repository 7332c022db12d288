"""On workers too a question waits until its answer is what it says."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel

from distgraph.errors import NoSuchInterrupt
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import on
from workers import CeleryBackend

pytestmark = pytest.mark.celery


class Choice(BaseModel):
    yes: bool


class State(TypedDict, total=False):
    got: list[Any]


def ask(_: State) -> State:
    return {"got": [interrupt("sure?", response_schema=Choice).yes]}


def inside() -> Any:
    return StateGraph(State).add_node(ask).add_edge(START, "ask").compile()


def calling(state: State) -> Any:
    return inside().invoke(state)


@pytest.fixture(scope="module")
def backend(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    made = CeleryBackend(redis_server.url, namespace=f"response-{uuid.uuid4().hex[:12]}")
    with made.worker():
        yield made


@pytest.mark.parametrize(
    ("name", "node"),
    [
        pytest.param("plain", ask, id="node"),
        pytest.param("nested", inside(), id="graph"),
        pytest.param("calling", calling, id="called"),
    ],
)
def test_it_asks_again_under_another_id(
    backend: CeleryBackend, name: str, node: Any, caplog: pytest.LogCaptureFixture
) -> None:
    builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
    graph = builder.compile(name=f"response-{name}", backend=backend)
    config = on(name)
    (asked,) = graph.invoke({}, config)["__interrupt__"]
    assert asked.response_schema == Choice.model_json_schema()
    seen = {asked.id}
    for given in ({"yes": "perhaps"}, {}):
        (again,) = graph.invoke(Command(resume=given), config)["__interrupt__"]
        assert (again.value, again.response_schema) == ("sure?", asked.response_schema)
        assert again.id not in seen
        seen.add(again.id)
    assert caplog.text.count("its answer does not fit") == 2
    with pytest.raises(NoSuchInterrupt):
        graph.invoke(Command(resume={asked.id: {"yes": True}}), config)
    assert graph.invoke(Command(resume={"yes": "on"}), config) == {"got": [True]}
