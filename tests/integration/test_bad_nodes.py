"""Nodes that misbehave: a clear error for their run, and nothing for anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distgraph.errors import (
    DistGraphError,
    GraphRecursionError,
    InvalidUpdateError,
    NodeExited,
    RemoteNodeError,
    WorkerLost,
)
from distgraph.graph import START, StateGraph
from tests.support.apps import naughty
from tests.support.apps.programs import Steps
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.celery


def fails(
    site: Site, thread_id: str, how: str, name: str = "naughty", log: str = "", **config: Any
) -> Exception:
    """Return what `invoke` raises for a node that misbehaves so; others run on unharmed."""
    graph = site.graphs[name]
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one it is, the caller looks at
        graph.invoke({"how": how, "log": log}, on(thread_id, **config))
    assert graph.invoke({"how": "nothing"}, on(f"{thread_id}-after"))["out"] == "fine"
    return raised.value


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("wrong type", ["42", "misbehave"]),
        ("wrong text", ["str of 4", "misbehave"]),
        ("unknown send", ["nowhere"]),
        ("unknown goto", ["nowhere"]),
        ("unstorable", ["misbehave", "out", "lock"]),
        ("unstorable send", ["misbehave", "lock"]),
    ],
)
def test_what_a_node_may_not_return_is_named(
    shared: Site, thread_id: str, how: str, words: list[str]
) -> None:
    error = fails(shared, thread_id, how)
    assert isinstance(error, DistGraphError), repr(error)
    assert all(word in str(error) for word in words), str(error)
    state = shared.graphs["naughty"].get_state(on(thread_id))
    assert state.next == ("misbehave",)
    assert "out" not in state.values


@pytest.fixture(params=["naughty", "naughty-coroutine"])
def name(request: pytest.FixtureRequest) -> str:
    """Name the graph whose node misbehaves: a function, or a coroutine."""
    return str(request.param)


RAISED = [
    ("raise", ValueError, "out of cheese"),
    ("memory error", MemoryError, "made up"),
    ("deep recursion", RecursionError, "recursion"),
    ("hidden class", RemoteNodeError, "nobody can import me"),
    ("unpicklable", Exception, ""),
    ("base exception", DistGraphError, "Node 'misbehave' raised"),
    ("sys.exit", DistGraphError, "Node 'misbehave' raised"),
    ("keyboard interrupt", DistGraphError, "Node 'misbehave' raised"),
    ("generator exit", DistGraphError, "Node 'misbehave' raised"),
    ("text raises", RemoteNodeError, "TextRaisesError whose text raised ValueError"),
    ("text exits", RemoteNodeError, "TextExitsError whose text raised SystemExit"),
    ("reduce raises", Exception, "4711"),
    ("frozen", naughty.FrozenError, "4711"),
    ("undecodable", UnicodeDecodeError, "byte 0xff in position 4"),
    ("group", ExceptionGroup, "two (2 sub-exceptions)"),
    ("notes taken", naughty.NotesTakenError, "4711"),
    ("arguments raise", naughty.ArgumentsRaiseError, "4711"),
    ("shy argument", ValueError, "ValueError whose text raised"),
    ("rude text", NodeExited, "RudeTextError whose text raised SystemExit"),
    ("reducer exits", NodeExited, "raised SystemExit(4711)"),
]


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: raised[0])
def test_whatever_a_node_raises_reaches_the_caller_as_an_exception(
    shared: Site, thread_id: str, log: Path, name: str, raised: tuple[str, type[Exception], str]
) -> None:
    how, kind, words = raised
    error = fails(shared, thread_id, how, name, log=str(log))
    assert isinstance(error, kind), repr(error)
    assert words in str(error)
    assert shared.backend.thread(thread_id).status == "error"
    assert lines(log) == [how]


def test_a_coroutine_that_is_cancelled_by_itself_has_failed(shared: Site, thread_id: str) -> None:
    error = fails(shared, thread_id, "cancelled", "naughty-coroutine")
    assert isinstance(error, NodeExited)
    assert "raised asyncio.CancelledError" in str(error)


def test_a_coroutine_that_stops_the_loop_stops_nothing(shared: Site, thread_id: str) -> None:
    graph = shared.graphs["naughty-coroutine"]
    for n, how in enumerate(("stops the loop", "nothing")):
        assert graph.invoke({"how": how}, on(f"{thread_id}-{n}"))["out"] == "fine"


def test_a_coroutine_that_blocks_the_loop_for_longer_than_its_lease_keeps_it(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site, lease = own_site(lease=1.0, heartbeat=0.3), 1.0
    site.start(1, concurrency=1)
    given = {"how": "blocks the loop", "log": str(log)}
    run = site.graphs["naughty-coroutine"].submit(given, on(thread_id))
    wait_until(lambda: lines(log), "the node to begin")
    with site.store.client() as client:

        def runs_out() -> float:
            return next(when for due, when in site.due_when(client).items() if due[-2:] == "|l")

        began = runs_out()
        wait_until(lambda: runs_out() > began + 2 * lease, "its lease to be renewed for so long")
    log.with_name(f"{log.name}-gate").touch()
    assert run.result(timeout=PATIENCE)["out"] == "fine"
    assert lines(log) == ["blocks the loop"]


@pytest.mark.parametrize("how", ["forks", "forks and exits", "forks and raises"])
def test_a_child_that_a_node_forked_says_nothing_of_its_task(
    shared: Site, thread_id: str, log: Path, how: str, name: str
) -> None:
    before = {child.pid for child in shared.workers[0].children()}
    done = shared.graphs[name].invoke({"how": how, "log": str(log)}, on(thread_id))
    assert (done["out"], lines(log)) == ("fine", [how])
    assert shared.graphs[name].invoke({"how": "nothing"}, on(f"{thread_id}-2"))["out"] == "fine"
    assert {child.pid for child in shared.workers[0].children()} == before


def test_a_worker_survives_what_its_nodes_raise(shared: Site, thread_id: str) -> None:
    before = {child.pid for child in shared.workers[0].children()}
    for n, how in enumerate(("sys.exit", "memory error", "base exception", "generator exit")):
        fails(shared, f"{thread_id}-{n}", how)
    assert {child.pid for child in shared.workers[0].children()} == before


def test_a_node_that_cancels_its_own_task_costs_no_lease(thread_id: str, own_site: Any) -> None:
    site = own_site()
    calls: list[int] = []

    async def cancels(state: dict[str, Any]) -> dict[str, Any]:
        calls.append(1)
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return {"path": ["cancels"]}

    builder = StateGraph(Steps).add_node("cancels", cancels)
    builder.add_edge(START, "cancels")
    graph = builder.compile(name="cancels", backend=site.backend)
    with site.backend.worker():
        assert graph.invoke({"path": []}, on(thread_id)) == {"path": ["cancels"]}
    assert calls == [1]


def test_a_loop_without_an_end_meets_the_recursion_limit(shared: Site, thread_id: str) -> None:
    error = fails(shared, thread_id, "loop", recursion_limit=7)
    assert isinstance(error, GraphRecursionError)
    assert "7" in str(error)
    assert shared.graphs["naughty"].get_state(on(thread_id)).values["rounds"] == 7


def test_a_key_that_the_state_lacks_is_no_update(shared: Site, thread_id: str) -> None:
    graph = shared.graphs["naughty"]
    try:
        done = graph.invoke({"how": "unknown key"}, on(thread_id))
    except InvalidUpdateError as error:
        assert "nonsense" in str(error)  # noqa: PT017 - either is what the local graph does
    else:
        assert "nonsense" not in done


# --- nodes that take their process along -------------------------------------------------------


def test_a_node_that_exits_its_process_fails_after_its_budget_and_others_run_on(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(concurrency=2)
    graph = site.graphs["naughty"]
    killing = graph.submit({"how": "os._exit", "log": str(log)}, on(thread_id))
    others = [site.graphs["fan"].submit({"width": 5}, on(f"other-{n}")) for n in range(3)]
    assert [run.result(timeout=PATIENCE)["total"] for run in others] == [10, 10, 10]
    with pytest.raises(WorkerLost, match="vanished 4 times"):
        killing.result(timeout=PATIENCE)
    assert lines(log) == ["os._exit"] * 4
    assert site.backend.thread(thread_id).status == "error"
    assert graph.invoke({"how": "nothing"}, on("after"))["out"] == "fine"


def test_a_node_that_closes_all_files_fails_nobody(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(concurrency=1)
    graph = site.graphs["naughty"]
    assert graph.invoke({"how": "closes files", "log": str(log)}, on(thread_id))["out"] == "fine"
    assert graph.invoke({"how": "nothing"}, on("after"))["out"] == "fine"
    assert lines(log) == ["closes files"]


def test_a_coroutine_that_closes_all_files_is_told_as_what_breaks_the_loop(
    own_site: Callable[..., Site], thread_id: str
) -> None:
    site = own_site(lease=2.0, max_lost=0)
    (worker,) = site.start(concurrency=1)
    graph = site.graphs["naughty-coroutine"]
    run = graph.submit({"how": "closes files"}, on(thread_id))
    with pytest.raises(WorkerLost):
        run.result(timeout=PATIENCE)
    assert "The event loop of the coroutine nodes broke" in worker.output
    assert graph.invoke({"how": "nothing"}, on("after"))["out"] == "fine"


def test_a_node_that_exhausts_its_memory_gets_a_memory_error(
    own_site: Callable[..., Site], thread_id: str
) -> None:
    site = own_site()
    site.start(concurrency=1)
    assert isinstance(fails(site, thread_id, "exhausts memory"), MemoryError)
