"""A thread waits at a node that the graph as it is now has not, or has in another version."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypedDict

import pytest

from distgraph.errors import NodesMissing, ThreadBusy
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt
from tests.support.jobs import Bench, on
from tests.support.redis_server import RedisServer
from workers.cli import health
from workers.worker import jobs
from workers.worker.presence import appear

pytestmark = pytest.mark.redis


class State(TypedDict, total=False):
    said: str
    after: str


def ask(_: State) -> dict[str, Any]:
    return {"said": interrupt("?")}


@pytest.fixture
def old(redis_server: RedisServer, namespace: str) -> Bench:
    return Bench(redis_server, namespace)


@pytest.fixture
def new(redis_server: RedisServer, namespace: str) -> Bench:
    return Bench(redis_server, namespace)


def asking(bench: Bench, *nodes: str) -> Any:
    """Return a graph whose first node asks."""
    builder = StateGraph(State).add_node(nodes[0], ask).add_edge(START, nodes[0])
    for before, node in pairwise(nodes):
        builder.add_node(node, lambda _: {"after": "done"}).add_edge(before, node)
    return builder.compile(name="g", backend=bench.backend)


def waiting(bench: Bench, *nodes: str) -> None:
    """Have a thread wait for an answer in the graph of these nodes."""
    asking(bench, *nodes).submit({}, on("t"))
    jobs.step(bench.office, bench.hint())
    assert bench.backend.thread("t").status == "interrupted"


@pytest.mark.parametrize("how", ["handle", "submit", "invoke", "reask"])
def test_an_answer_with_the_graph_at_hand_is_told_the_missing_node(
    old: Bench, new: Bench, how: str
) -> None:
    waiting(old, "consent")
    graph, handle = asking(new, "approval"), new.backend.thread("t")
    calls: dict[str, Callable[[], Any]] = {
        "handle": lambda: handle.resume("yes"),
        "submit": lambda: graph.submit(Command(resume="yes"), on("t")),
        "invoke": lambda: graph.invoke(Command(resume="yes"), on("t")),
        "reask": lambda: graph.submit(None, on("t")),
    }
    with pytest.raises(NodesMissing, match=r"Graph 'g' .* has no node 'consent'"):
        calls[how]()
    assert (handle.status, [q.value for q in handle.interrupts]) == ("interrupted", ["?"])
    assert new.sent == []


def test_an_answer_without_the_graph_waits_for_its_version(
    old: Bench, new: Bench, redis_server: RedisServer
) -> None:
    waiting(old, "consent")
    answering = Bench(redis_server, old.backend.namespace)
    handle = answering.backend.thread("t")
    handle.resume("yes")
    hint = answering.hint()
    asking(new, "approval")
    appear(new.office, "new", lambda _: True)
    jobs.step(new.office, hint)
    assert (handle.status, handle.served) == ("busy", False)
    told = health._unserved(new.backend)
    assert told.level == "problem"
    assert "distgraph adopt THREAD" in told.detail
    appear(old.office, "old", lambda _: True)
    assert handle.served
    jobs.step(old.office, hint)
    assert handle.status == "idle"
    assert handle.state.checkpoint.values["said"] == "yes"


def test_a_resting_thread_is_adopted_where_its_next_nodes_exist(old: Bench, new: Bench) -> None:
    waiting(old, "consent")
    asking(new, "consent", "more")
    handle = new.backend.thread("t")
    handle.adopt()
    assert [q.value for q in handle.interrupts] == ["?"]
    handle.resume("yes")
    for _ in range(2):
        jobs.step(new.office, new.hint())
    assert handle.status == "idle"
    assert handle.state.checkpoint.values == {"said": "yes", "after": "done"}


def test_a_thread_whose_next_nodes_are_missing_is_not_adopted(old: Bench, new: Bench) -> None:
    waiting(old, "consent")
    asking(new, "approval")
    with pytest.raises(NodesMissing, match="'consent'"):
        new.backend.thread("t").adopt()


def test_a_thread_is_not_adopted_without_its_graph(old: Bench, redis_server: RedisServer) -> None:
    waiting(old, "consent")
    other = Bench(redis_server, old.backend.namespace)
    with pytest.raises(LookupError, match="Graph 'g' of this thread is not registered"):
        other.backend.thread("t").adopt()


def test_a_busy_thread_is_adopted_with_what_it_does_begun_again(old: Bench, new: Bench) -> None:
    asking(old, "consent").submit({}, on("t"))
    hint = old.hint()
    asking(new, "consent", "more")
    handle = new.backend.thread("t")
    with pytest.raises(ThreadBusy, match="adopt"):
        handle.adopt()
    handle.adopt(restart=True)
    jobs.step(old.office, hint)
    assert handle.status == "busy"
    jobs.step(new.office, new.hint())
    assert handle.status == "interrupted"
