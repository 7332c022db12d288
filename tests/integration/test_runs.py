"""Runs that are submitted and followed, and threads as operators see them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from distgraph.errors import (
    NoSuchInterrupt,
    NothingToResume,
    RunCancelled,
    RunTimeout,
    ThreadBusy,
    ThreadNotFound,
)
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.celery


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Return a file whose making lets the nodes of `fan` go on."""
    return tmp_path / "gate"


def test_a_run_is_followed_to_its_result(shared: Site, thread_id: str, gate: Path) -> None:
    run = shared.graphs["fan"].submit({"width": 2, "gate": str(gate)}, on(thread_id))
    assert run.status in ("pending", "running")
    with pytest.raises(RunTimeout):
        run.result(timeout=0.3)
    gate.touch()
    assert run.result(timeout=PATIENCE)["total"] == 1
    assert run.status == "success"


async def test_a_run_is_followed_on_an_event_loop(shared: Site, thread_id: str) -> None:
    run = await shared.graphs["fan"].asubmit({"width": 3}, on(thread_id))
    assert (await run.aresult(timeout=PATIENCE))["total"] == 3


def test_a_submitted_run_is_streamed_from_its_beginning(shared: Site, thread_id: str) -> None:
    run = shared.graphs["steps"].submit({"path": []}, on(thread_id), stream_mode=["updates"])
    run.result(timeout=PATIENCE)
    expected = [("updates", {name: {"path": [name]}}) for name in "abc"]
    assert list(run.stream()) == expected
    assert list(run.stream()) == expected


def test_a_cancelled_run_stops_and_its_waiter_is_told(
    shared: Site, thread_id: str, gate: Path, log: Path
) -> None:
    given = {"width": 40, "gate": str(gate), "log": str(log)}
    run = shared.graphs["fan"].submit(given, on(thread_id))
    wait_until(lambda: lines(log), "a task to begin")
    assert run.cancel()
    gate.touch()
    with pytest.raises(RunCancelled):
        run.result(timeout=PATIENCE)
    assert run.status == "cancelled"
    assert shared.backend.thread(thread_id).status == "idle"
    assert len(lines(log)) < 40


def test_a_run_that_ended_cannot_be_cancelled(shared: Site, thread_id: str) -> None:
    run = shared.graphs["steps"].submit({"path": []}, on(thread_id))
    run.result(timeout=PATIENCE)
    assert not run.cancel()
    assert run.status == "success"


def test_a_cancelled_thread_takes_a_new_run(shared: Site, thread_id: str, gate: Path) -> None:
    graph = shared.graphs["fan"]
    graph.submit({"width": 2, "gate": str(gate)}, on(thread_id)).cancel()
    gate.touch()
    assert graph.invoke({"width": 3}, on(thread_id))["total"] == 3


def test_a_busy_thread_refuses_what_would_disturb_its_run(
    shared: Site, thread_id: str, gate: Path
) -> None:
    graph, config = shared.graphs["fan"], on(thread_id)
    run = graph.submit({"width": 1, "gate": str(gate)}, config)
    with pytest.raises(ThreadBusy, match=run.id):
        graph.invoke({"width": 1}, config)
    with pytest.raises(ThreadBusy):
        graph.update_state(config, {"items": [7]}, as_node="work")
    gate.touch()
    assert run.result(timeout=PATIENCE)["items"] == [0]


def test_operators_list_threads_by_status_and_graph(shared: Site, thread_id: str) -> None:
    shared.graphs["approval"].invoke({}, on(thread_id))
    listed = shared.backend.threads("interrupted", graph="approval", limit=1_000)
    assert thread_id in [thread.id for thread in listed]
    other = shared.backend.threads("interrupted", graph="form", limit=1_000)
    assert thread_id not in [thread.id for thread in other]
    assert thread_id in [thread.id for thread in shared.backend.threads(limit=10_000)]
    with pytest.raises(ValueError, match="idle, busy, interrupted, error"):
        shared.backend.threads("asleep")


def test_an_operator_answers_without_graph_code(shared: Site, thread_id: str) -> None:
    shared.graphs["approval"].invoke({"request": "r"}, on(thread_id))
    thread = shared.backend.thread(thread_id)
    assert [i.value for i in thread.interrupts] == [{"approve": "r"}]
    assert (thread.graph, thread.status) == ("approval", "interrupted")
    thread.resume("yes")
    assert shared.settle(thread_id) == "idle"
    assert thread.state.checkpoint.values["answer"] == "yes"


def test_an_operator_deletes_a_thread(shared: Site, thread_id: str) -> None:
    shared.graphs["approval"].invoke({}, on(thread_id))
    thread = shared.backend.thread(thread_id)
    thread.delete()
    prefix = shared.backend.thread_key(thread_id).prefix
    with shared.store.client() as client:
        assert list(client.scan_iter(f"{prefix}*", count=1000)) == []
    for call in (thread.delete, thread.cancel, lambda: thread.resume(1), lambda: thread.status):
        with pytest.raises(ThreadNotFound, match=thread_id):
            call()


def test_an_operator_cancels_a_question(shared: Site, thread_id: str) -> None:
    shared.graphs["approval"].invoke({}, on(thread_id))
    thread = shared.backend.thread(thread_id)
    assert thread.cancel()
    assert thread.status == "idle"
    with pytest.raises((NothingToResume, NoSuchInterrupt)):
        thread.resume("late")


def test_a_failed_thread_is_retried_from_where_it_failed(
    shared: Site, thread_id: str, log: Path
) -> None:
    graph, config = shared.graphs["naughty"], on(thread_id)
    with pytest.raises(ValueError, match="out of cheese"):
        graph.invoke({"how": "raise", "log": str(log)}, config)
    assert shared.backend.thread(thread_id).status == "error"
    with pytest.raises(ValueError, match="out of cheese"):
        graph.invoke(None, config)
    assert lines(log) == ["raise", "raise"]


# --- where tasks go -----------------------------------------------------------------------------


def test_a_node_runs_on_the_workers_of_its_queue(
    own_site: Callable[..., Site], thread_id: str
) -> None:
    site = own_site()
    usual, special = f"{site.namespace}.routed", "special-purpose"
    first = site.launch(env={"ROLE": "usual"}, options=["-Q", usual], concurrency=1)
    second = site.launch(env={"ROLE": "special"}, options=["-Q", special], concurrency=1)
    first.wait_ready()
    second.wait_ready()
    done = site.graphs["routed"].invoke({}, on(thread_id))
    assert done["path"] == ["usual", "special"]


def test_workers_tell_what_they_serve_and_say_goodbye(own_site: Callable[..., Site]) -> None:
    site = own_site()
    (worker,) = site.start(env={"SERVE": "steps,approval"}, concurrency=1)
    # It appears when it starts, and tells what it serves as soon as it consumes.
    (seen,) = wait_until(
        lambda: [each for each in site.backend.workers() if each.graphs], "the worker to consume"
    )
    assert seen.name == worker.name
    assert [label.partition("@")[0] for label in seen.graphs] == ["steps", "approval"]
    worker.stop()
    assert site.backend.workers() == ()


def test_coroutine_nodes_share_a_process(shared: Site, thread_id: str, log: Path) -> None:
    # On two pool processes, and each of the twenty ends when all have begun.
    run = shared.graphs["coroutines"].submit({"path": [], "log": str(log)}, on(thread_id))
    assert len(run.result(timeout=PATIENCE)["path"]) == 20
    assert os.getpid() not in [child.pid for child in shared.workers[0].children()]
