"""What tasks wrote that stands in a list is stored there alone, however many and large they are."""

from __future__ import annotations

import operator
import uuid
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.graph import START, StateGraph
from distgraph.types import Send
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.redis
BESIDE = 400
"""So many bytes a task may take beside what it wrote."""


class State(TypedDict):
    width: int
    size: int
    items: Annotated[list[str], operator.add]
    last: Annotated[list[list[str]], operator.add]


def upper(left: list[str], right: list[str]) -> list[str]:
    return [*left, *(each.upper() for each in right)]


class Loud(TypedDict):
    items: Annotated[list[str], upper]


def text(number: int, size: int) -> str:
    return f"{number:06}".ljust(size, "x")


def split(state: State) -> list[Send]:
    return [Send("write", (number, state["size"])) for number in range(state["width"])]


def write(given: tuple[int, int]) -> dict[str, Any]:
    number, size = given
    return {"items": [text(number, size)], "last": [[text(number, size)]]}


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> CeleryBackend:
    return CeleryBackend(redis_server.url, namespace=namespace)


def taken(client: Any, backend: CeleryBackend, thread_id: str) -> int:
    """Return the bytes of memory that a thread takes, but for its events."""
    thread = backend.thread_key(thread_id)
    keys = [key for key in client.keys(f"{thread.prefix}*") if key.decode() != thread.events]
    return sum(client.memory_usage(key, samples=0) or 0 for key in keys)


@pytest.mark.parametrize(
    ("width", "size"), [(2, 4_000), (64, 2_000), (100, 2_000), (1_000, 2_000), (1, 2_000_000)]
)
def test_it_is_stored_once(
    redis_client: Any, backend: CeleryBackend, width: int, size: int
) -> None:
    builder = StateGraph(State).add_node("write", write)
    graph = builder.add_conditional_edges(START, split, ["write"]).compile(
        name="once", backend=backend
    )
    thread_id = str(uuid.uuid4())
    config: Any = {"configurable": {"thread_id": thread_id}}
    with backend.worker():
        graph.invoke({"width": width, "size": size, "items": [], "last": []}, config)
        most = width * (2 * size + BESIDE) * 1.05 + 20_000
        wait_until(lambda: taken(redis_client, backend, thread_id) <= most, "results to give way")
    newest, first, *_ = graph.get_state_history(config)
    assert newest.values["items"] == [text(number, size) for number in range(width)]
    assert [task.result for task in first.tasks] == [
        write((number, size)) for number in range(width)
    ]


def test_what_a_reducer_made_of_it_may_be_something_else(backend: CeleryBackend) -> None:
    long = "x" * 1_000
    builder = StateGraph(Loud).add_node("a", lambda _: {"items": [long]})
    builder.add_node("b", lambda _: {"items": [long]})
    builder.add_edge(START, "a")
    graph = builder.add_edge(START, "b").compile(name="loud", backend=backend)
    config: Any = {"configurable": {"thread_id": str(uuid.uuid4())}}
    with backend.worker():
        graph.invoke({"items": []}, config)
    newest, first, *_ = graph.get_state_history(config)
    assert newest.values == {"items": [long.upper(), long.upper()]}
    assert [task.result for task in first.tasks] == [{"items": [long]}, {"items": [long]}]
