"""Tests of a graph: its nodes, the whole of it in this process, and on a real worker.

No server has to run: the backend of the tests brings its own Redis::

    pytest examples/graph_tests.py
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import NothingToResume
from distgraph.types import Command
from examples import refunds
from workers import CeleryBackend


@pytest.fixture
def thread() -> dict[str, Any]:
    """Return the config of a thread that no other test uses."""
    return {"configurable": {"thread_id": str(uuid.uuid4())}}


# --- a node is a function ----------------------------------------------------------------------


def test_a_small_refund_needs_no_approval() -> None:
    assert refunds.review({"order": "1", "amount": 20.0})["approved"]


# --- the graph, in this process ------------------------------------------------------------------


def test_a_large_refund_waits(thread: dict[str, Any]) -> None:
    graph = refunds.builder.compile(checkpointer=InMemorySaver())
    asked = graph.invoke({"order": "2", "amount": 120.0}, thread)
    assert asked["__interrupt__"][0].value == {"refund": "2", "amount": 120.0}
    assert graph.get_state(thread).next == ("review",)
    assert graph.invoke(Command(resume=False), thread)["log"][-1] == "declined 2"


def test_the_graph_goes_on_from_any_node(thread: dict[str, Any]) -> None:
    graph = refunds.builder.compile(checkpointer=InMemorySaver())
    graph.update_state(thread, {"order": "3", "amount": 9.0, "approved": True}, as_node="review")
    assert graph.invoke(None, thread)["log"] == ["paid 9.00"]


# --- the graph, on a worker ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CeleryBackend]:
    """Give a backend with a Redis of its own and a worker, once for all tests of this file."""
    folder: Path = tmp_path_factory.mktemp("redis")
    with CeleryBackend.embedded(folder) as backend, backend.worker():
        yield backend


def test_an_answer_counts_once_on_workers(backend: CeleryBackend, thread: dict[str, Any]) -> None:
    graph = refunds.graph.on(backend, "refunds")
    graph.invoke({"order": "4", "amount": 120.0}, thread)
    assert graph.invoke(Command(resume=True), thread)["log"][-1] == "paid 120.00"
    with pytest.raises(NothingToResume):
        graph.invoke(Command(resume=True), thread)
