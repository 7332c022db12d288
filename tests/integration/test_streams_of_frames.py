"""Streams of runs on workers show graphs inside nodes: those that are nodes, and those called."""

from __future__ import annotations

import logging
import operator
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from checkpoint_redis.events import StreamEvent, decode
from distgraph.errors import RunCancelled
from distgraph.graph import START, StateGraph
from distgraph.types import Command, StreamWriter
from tests.support.apps.served import register
from tests.support.redis_server import RedisServer
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend, Run

pytestmark = pytest.mark.celery
MODES = ["values", "updates", "tasks"]
GRAPHS = ("levels", "descent", "adescent")
LEAVES = ("first", "second", "third")


def submitted(site: Site, graph: str, thread_id: str, given: Any, **options: Any) -> Run:
    options = {"stream_mode": MODES, "subgraphs": True, **options}
    run: Run = site.graphs[graph].submit(given, on(thread_id), **options)
    return run


def updated(chunks: Any) -> list[str]:
    """Return the nodes inside that were shown as done, deeper than ``()``."""
    return [node for place, mode, chunk in chunks if place and mode == "updates" for node in chunk]


def path(graph: str) -> list[str]:
    """Return the nodes of the graphs inside."""
    around = {"levels": ["down", "leaf", "up"], "descent": ["down", "leaf", "up"], "adescent": []}
    return [*LEAVES, *around[graph]]


def inner_events(site: Site, thread_id: str) -> list[StreamEvent]:
    thread = site.backend.thread_key(thread_id)
    with site.store.client() as client:
        found = [decode(entry) for entry in client.xrange(thread.events)]
    return [event for event in found if event.frame]


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_stream_goes_on_behind_any_chunk_of_a_graph_inside(
    shared: Site, thread_id: str, log: Path, graph: str
) -> None:
    run = submitted(shared, graph, thread_id, {"log": str(log)})
    run.result(timeout=PATIENCE)
    whole = list(run.stream(ids=True, subgraphs=True))
    assert [chunk[1:] for chunk in whole] == list(run.stream(subgraphs=True))
    assert len({name for name, *_ in whole}) == len(whole)
    assert set(LEAVES) <= set(updated(chunk[1:] for chunk in whole))
    backend = shared.client()
    register(backend)
    other = backend.run(thread_id, run.id)
    for n, (name, *_) in enumerate(whole):
        assert list(other.stream(after=name, ids=True, subgraphs=True)) == whole[n + 1 :]


@pytest.mark.parametrize("graph", GRAPHS)
def test_only_the_asking_graphs_go_on_in_the_stream_of_an_answer(
    shared: Site, thread_id: str, log: Path, graph: str
) -> None:
    given = {"log": str(log), "asks": "where?"}
    asked = list(submitted(shared, graph, thread_id, given).stream(subgraphs=True))
    questions = [place for place, mode, chunk in asked if "__interrupt__" in chunk]
    levels = {len(place) for place in questions}
    assert levels == set(range(max(levels) + 1))
    assert Counter(questions) == dict.fromkeys(questions, 2)  # its update, and the values with it
    resumed = submitted(shared, graph, thread_id, Command(resume="there"))
    chunks = list(resumed.stream(subgraphs=True))
    deepest = max((place for place, *_ in chunks), key=len)
    first = [(mode, chunk) for place, mode, chunk in chunks if place == deepest]
    assert first[0][0] == "values"
    assert first[0][1]["path"][-2:] == ["first", "second"]
    assert [chunk["name"] for mode, chunk in first if mode == "tasks"] == ["third", "third"]


@pytest.mark.parametrize("graph", GRAPHS)
def test_nothing_of_graphs_inside_is_kept_where_nobody_asks_for_it(
    shared: Site, thread_id: str, log: Path, graph: str
) -> None:
    run = submitted(shared, graph, thread_id, {"log": str(log)}, subgraphs=False)
    run.result(timeout=PATIENCE)
    assert not any(event.blob for event in inner_events(shared, thread_id))
    with pytest.raises(ValueError, match="keeps nothing of graphs inside its nodes"):
        list(run.stream(subgraphs=True))
    told = submitted(shared, graph, f"{thread_id}-told", {"log": str(log)})
    outside = [chunk for place, *chunk in told.stream(subgraphs=True) if place == ()]
    assert [mode for mode, _ in run.stream()] == [mode for mode, _ in outside]
    assert list(told.stream()) == [tuple(chunk) for chunk in outside]


@pytest.mark.parametrize("graph", GRAPHS)
def test_what_a_killed_attempt_inside_has_shown_is_void(
    own_site: Callable[..., Site], thread_id: str, log: Path, graph: str
) -> None:
    site = own_site(lease=4.0)
    site.start(1, concurrency=1)
    run = submitted(site, graph, thread_id, {"log": str(log), "dies": "third"})
    run.result(timeout=PATIENCE)
    chunks = list(run.stream(ids=True, subgraphs=True))
    (at,) = [n for n, (_, _, mode, _) in enumerate(chunks) if mode == "superseded"]
    _, place, _, void = chunks[at]
    # A task of its own inside, or that of the node which called the graph.
    assert void["name"] == ("third" if graph == "levels" else "middle")
    assert (len(place) > 0) == (graph == "levels")
    # Graphs inside go on where they stood; of an attempt that is killed the last chunks are lost.
    shown = Counter(updated(chunk[1:] for chunk in chunks))
    assert shown <= Counter(path(graph))
    assert shown == Counter(path(graph)) or graph != "levels"
    if graph != "levels":
        states = (chunk for _, place, mode, chunk in chunks[at:] if mode == "values")
        assert any(state["path"][-2:] == ["first", "second"] for state in states)


@pytest.mark.parametrize("graph", ["levels", "descent"])
def test_a_listener_sees_graphs_inside_while_they_run(
    shared: Site, thread_id: str, log: Path, tmp_path: Path, graph: str
) -> None:
    gate = tmp_path / "gate"
    run = submitted(shared, graph, thread_id, {"log": str(log), "gate": str(gate)})
    stream = run.stream(subgraphs=True)
    seen: list[Any] = []
    while "first" not in updated(seen):
        seen.append(next(stream))
    gate.touch()
    assert updated([*seen, *stream]).count("third") == 1


def test_a_cancelled_run_has_shown_what_was_done_inside(
    shared: Site, thread_id: str, log: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run = submitted(shared, "levels", thread_id, {"log": str(log), "gate": str(gate)})
    wait_until(lambda: "second" in lines(log), "the graph inside to run")
    assert run.cancel()
    seen: list[Any] = []
    with pytest.raises(RunCancelled):
        seen.extend(run.stream(subgraphs=True))
    gate.touch()


def test_a_gap_stands_for_what_is_lost_of_all_levels(
    shared: Site, thread_id: str, log: Path
) -> None:
    run = submitted(shared, "levels", thread_id, {"log": str(log)})
    run.result(timeout=PATIENCE)
    with shared.store.client() as client:
        client.xtrim(shared.backend.thread_key(thread_id).events, maxlen=4, approximate=False)
    (place, mode, chunk), *_ = run.stream(subgraphs=True)
    assert (place, mode, chunk["status"]) == ((), "gap", "success")


# --- what workers of this process run -------------------------------------------------------------


@dataclass(frozen=True)
class Own:
    """A class that no state outside of a function names."""

    word: str


class Inner(TypedDict, total=False):
    """The state of a graph inside; `thing` may be what nobody can store."""

    xs: Annotated[list[str], operator.add]
    thing: Any


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> Iterator[CeleryBackend]:
    """A backend with a worker inside this process."""
    made = CeleryBackend(redis_server.url, namespace=namespace)
    with made.worker(pool="threads", concurrency=2):
        yield made


def tell(state: Inner, writer: StreamWriter) -> Inner:
    writer("told")
    return {"xs": ["i"]}


def around(backend: CeleryBackend, node: Any) -> Any:
    """Return a graph with one node, on the backend."""
    return (
        StateGraph(Inner)
        .add_node("sub", node)
        .add_edge(START, "sub")
        .compile()
        .on(backend, "around")
    )


def streamed(graph: Any, thread_id: str, *modes: str) -> list[Any]:
    """Return what a stream shows, with the names of nodes in the place of namespaces."""
    chunks = graph.stream({}, on(thread_id), stream_mode=list(modes), subgraphs=True)
    names = [([part.partition(":")[0] for part in place], *rest) for place, *rest in chunks]
    return [("|".join(names), *rest) for names, *rest in names]


def test_a_graph_that_keeps_nothing_is_shown(backend: CeleryBackend, thread_id: str) -> None:
    inner = StateGraph(Inner).add_node("i", tell).add_edge(START, "i").compile(checkpointer=False)
    for node in (inner, lambda _: inner.invoke({})):
        shown = streamed(around(backend, node), thread_id, "custom", "updates")
        assert shown == [
            ("sub", "custom", "told"),
            ("sub", "updates", {"i": {"xs": ["i"]}}),
            ("", "updates", {"sub": {"xs": ["i"]}}),
        ]


def test_custom_chunks_of_graphs_inside_come_also_where_nothing_else_does(
    backend: CeleryBackend, thread_id: str
) -> None:
    inner = StateGraph(Inner).add_node("i", tell).add_edge(START, "i").compile()
    for node in (inner, lambda _: inner.invoke({})):
        graph = around(backend, node)
        assert list(graph.stream({}, on(thread_id), stream_mode="custom")) == ["told"]
        run = graph.submit({}, on(thread_id), stream_mode=["custom"], subgraphs=True)
        assert list(run.stream()) == [("custom", "told")]
        ((place, *chunk),) = run.stream(subgraphs=True)
        assert (len(place), chunk) == (1, ["custom", "told"])


def test_what_cannot_be_stored_is_not_shown_and_harms_nothing(
    backend: CeleryBackend, thread_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    def made(_: Inner) -> Inner:
        return {"xs": ["i"], "thing": threading.Lock()}

    builder = StateGraph(Inner).add_node("i", made).add_node("j", lambda _: {"xs": ["j"]})
    inner = builder.add_edge(START, "i").add_edge("i", "j").compile(checkpointer=False)
    shown = streamed(
        around(backend, lambda _: {"xs": inner.invoke({})["xs"]}), thread_id, "updates"
    )
    assert shown == [
        ("sub", "updates", {"j": {"xs": ["j"]}}),
        ("", "updates", {"sub": {"xs": ["i", "j"]}}),
    ]
    assert "cannot be streamed" in caplog.text


def test_a_class_that_a_client_does_not_know_is_left_out(
    backend: CeleryBackend, thread_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Hidden(TypedDict, total=False):
        own: Own

    def node(_: Inner) -> Inner:
        builder = StateGraph(Hidden).add_node("i", lambda _: {"own": Own("w")})
        builder.add_node("j", lambda _: {})
        inner: Any = builder.add_edge(START, "i").add_edge("i", "j").compile()
        return {"xs": [inner.invoke({})["own"].word]}

    with caplog.at_level(logging.WARNING):
        shown = streamed(around(backend, node), thread_id, "updates")
    assert shown == [("sub", "updates", {"j": None}), ("", "updates", {"sub": {"xs": ["w"]}})]
    assert "cannot be read here" in caplog.text
