"""Graphs that are nodes, on workers that are killed: it costs what ran, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from distgraph.types import Command
from tests.support.crowded import crowd_waits
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.celery
NODES = ["begin", "down", "first", "second", "third", "up", "end"]


def path(last: str = "third") -> list[str]:
    """Return what the graph gives: one inside gives what it was given, too."""
    low = ["begin", "down"]
    leaf = [*low, "first", "second", last]
    return ["begin", *low, *leaf, "up", "end"]


@pytest.mark.parametrize("dies", ["begin", "down", "first", "third", "up", "end"])
def test_a_kill_at_any_level_costs_the_node_that_ran(
    own_site: Callable[..., Site], thread_id: str, log: Path, dies: str
) -> None:
    site = own_site()
    site.start(2, concurrency=1)
    done = site.graphs["levels"].invoke({"log": str(log), "dies": dies}, on(thread_id))
    assert done["path"] == path()
    assert Counter(lines(log)) == Counter([*NODES, dies])


def test_a_question_at_the_bottom_is_answered_once(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(2, concurrency=1)
    graph = site.graphs["levels"]
    given = {"log": str(log), "asks": "where?", "dies": "third"}
    asked = graph.invoke(given, on(thread_id))
    assert [question.value for question in asked["__interrupt__"]] == ["where?"]
    assert graph.invoke(Command(resume="there"), on(thread_id))["path"] == path("there")
    assert Counter(lines(log)) == Counter([*NODES, "third", "third"])


def test_a_frozen_worker_changes_nothing_inside_when_it_wakes(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site = own_site(lease=4.0)
    frozen, *_ = site.start(1, concurrency=1)
    graph, gate = site.graphs["levels"], tmp_path / "gate"
    run = graph.submit({"log": str(log), "gate": str(gate)}, on(thread_id))
    wait_until(lambda: "second" in lines(log), "the graph at the bottom to run")
    with frozen.paused():
        gate.touch()
        site.start(1, concurrency=1)
        assert run.result(timeout=PATIENCE)["path"] == path()
    after = graph.invoke({"log": str(log)}, on(f"{thread_id}-after"))
    assert after["path"] == path()
    assert graph.get_state(on(thread_id)).values["path"] == path()


def test_who_waits_holds_nothing(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site = own_site()
    site.start(2, concurrency=1)
    crowd_waits(site, thread_id, 200, log, tmp_path / "gate")


def test_a_run_that_is_cancelled_ends_what_is_inside_and_another_may_begin(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site = own_site()
    site.start(1, concurrency=1)
    graph, gate = site.graphs["levels"], tmp_path / "gate"
    run = graph.submit({"log": str(log), "gate": str(gate)}, on(thread_id))
    wait_until(lambda: "second" in lines(log), "the graph at the bottom to run")
    assert run.cancel()
    begun = graph.submit({"log": str(log)}, on(thread_id))
    gate.touch()
    assert begun.result(timeout=PATIENCE)["path"][-4:] == ["second", "third", "up", "end"]
    assert Counter(lines(log))["third"] == 1
    with site.store.client() as client:
        wait_until(lambda: not site.claimed(client), "the leases to be gone")
        wait_until(lambda: not site.due(client), "nothing to be due")
