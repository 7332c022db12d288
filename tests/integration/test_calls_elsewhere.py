"""Graphs called with `distributed=True`: jobs of their own, for which the calling node waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distgraph.types import Command
from tests.support.apps.elsewhere import ELSEWHERE
from tests.support.redis_server import RedisServer
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend
from workers.worker import calls, desk

pytestmark = pytest.mark.celery
IN_TURN = ["trip-walks", "trip-workflow", "trip-function"]


def ran(log: Path) -> Counter[str]:
    return Counter(lines(log))


def legs(*numbers: int) -> Counter[str]:
    return Counter(f"{kind} {n}" for n in numbers for kind in ("out", "leg"))


@pytest.mark.parametrize("name", [*IN_TURN, "trip-gathers", "trip-threads"])
def test_the_body_runs_again_and_each_graph_once(
    shared: Site, thread_id: str, log: Path, name: str
) -> None:
    done = shared.graphs[name].invoke({"log": str(log), "width": 3}, on(thread_id))
    assert done["found"] == [[0], [1], [2]]
    assert ran(log) - Counter(body=4) == legs(0, 1, 2)
    # A thread that is late finds that another one has left the body.
    bodies = {"trip-gathers": [2], "trip-threads": [2, 3, 4]}.get(name, [4])
    assert ran(log)["body"] in bodies


def test_one_slot_is_enough_for_calls_and_callers(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(1, concurrency=1)
    runs = [
        site.graphs[name].submit({"log": str(log), "width": 5}, on(f"{thread_id}-{name}"))
        for name in ("trip-walks", "trip-gathers", "trip-function")
    ]
    for run in runs:
        assert run.result(timeout=PATIENCE)["found"] == [[n] for n in range(5)]


@pytest.mark.parametrize("name", ["trip-walks", "trip-gathers", "trip-function"])
def test_a_kill_costs_the_node_that_ran(
    own_site: Callable[..., Site], thread_id: str, log: Path, name: str
) -> None:
    site = own_site(lease=2.0)
    site.start(1, concurrency=1)
    given = {"log": str(log), "width": 3, "dies": [1]}
    done = site.graphs[name].submit(given, on(thread_id)).result(timeout=PATIENCE)
    assert done["found"] == [[0], [1], [2]]
    extra = ran(log) - legs(0, 1, 2)
    assert extra["leg 1"] == 1
    assert extra.total() == extra["body"] + 1


@pytest.mark.parametrize("name", ["trip-walks", "trip-function"])
def test_a_called_graph_asks_and_goes_on(
    shared: Site, thread_id: str, log: Path, name: str
) -> None:
    graph = shared.graphs[name]
    given = {"log": str(log), "width": 3, "asks": [1]}
    (asked,) = graph.invoke(given, on(thread_id))["__interrupt__"]
    assert asked.value == "leg 1"
    done = graph.invoke(Command(resume="yes"), on(thread_id))
    assert done["found"] == [[0], [1, "yes"], [2]]
    assert ran(log) - legs(0, 1, 2) - Counter(body=9) == Counter({"leg 1": 1})


def test_several_called_graphs_ask_at_once_and_are_answered_one_by_one(
    shared: Site, thread_id: str, log: Path
) -> None:
    graph = shared.graphs["trip-gathers"]
    asked = graph.invoke({"log": str(log), "width": 3, "asks": [0, 2]}, on(thread_id))
    first, second = asked["__interrupt__"]
    assert [first.value, second.value] == ["leg 0", "leg 2"]
    again = graph.invoke(Command(resume={second.id: "two"}), on(thread_id))
    assert [each.id for each in again["__interrupt__"]] == [first.id]
    done = graph.invoke(Command(resume={first.id: "zero"}), on(thread_id))
    assert done["found"] == [[0, "zero"], [1], [2, "two"]]


@pytest.mark.parametrize("name", ["trip-walks", "trip-gathers", "trip-function"])
def test_a_failure_is_raised_in_the_body_and_a_retry_goes_on_inside(
    shared: Site, thread_id: str, log: Path, name: str
) -> None:
    graph = shared.graphs[name]
    with pytest.raises(ValueError, match="leg 1") as failed:
        graph.invoke({"log": str(log), "width": 2, "fails": {1: 1}}, on(thread_id))
    assert any("with name 'arriving'" in note for note in failed.value.__notes__)
    assert graph.invoke(None, on(thread_id))["found"] == [[0], [1]]
    assert (ran(log)["out 1"], ran(log)["leg 1"]) == (1, 2)


@pytest.mark.parametrize("name", ["trip-walks", "trip-gathers"])
def test_a_failure_can_be_caught(shared: Site, thread_id: str, log: Path, name: str) -> None:
    given = {"log": str(log), "width": 3, "fails": {1: -1}, "caught": True}
    done = shared.graphs[name].invoke(given, on(thread_id))
    assert [str(each) for each in done["found"]] == ["[0]", "leg 1", "[2]"]
    assert ran(log)["leg 1"] == 1


def test_failures_of_an_earlier_run_are_none_of_the_one_that_goes_on(
    shared: Site, thread_id: str, log: Path
) -> None:
    graph = shared.graphs["trip-walks"]
    fails = {"fails": {0: 1, 1: 1}, "caught": True, "raises": [1]}
    with pytest.raises(ValueError, match="leg 1"):
        graph.invoke({"log": str(log), "width": 2, **fails}, on(thread_id))
    assert graph.invoke(None, on(thread_id))["found"] == [[0], [1]]
    assert (ran(log)["leg 0"], ran(log)["leg 1"]) == (2, 2)


def test_the_policy_of_the_calling_node_counts_its_graphs_failures(
    shared: Site, thread_id: str, log: Path
) -> None:
    given = {"log": str(log), "width": 1, "fails": {0: 2}}
    assert shared.graphs["trip-retried"].invoke(given, on(thread_id))["found"] == [[0]]
    assert (ran(log)["out 0"], ran(log)["leg 0"]) == (1, 3)


def test_an_error_handler_takes_what_a_called_graph_raises_and_nothing_before(
    shared: Site, thread_id: str, log: Path
) -> None:
    graph = shared.graphs["trip-handled"]
    done = graph.invoke({"log": str(log), "width": 2}, on(thread_id))
    assert done["found"] == [[0], [1]]
    given = {"log": str(log), "width": 2, "fails": {1: -1}}
    assert graph.invoke(given, on(thread_id))["found"] == "leg 1"
    assert ran(log)["handler"] == 1


def test_a_cancelled_run_leaves_nothing_behind(
    shared: Site, thread_id: str, log: Path, tmp_path: Path
) -> None:
    graph, gate = shared.graphs["trip-gathers"], tmp_path / "gate"
    given: dict[str, Any] = {"log": str(log), "width": 3, "gate": str(gate)}
    run = graph.submit(given, on(thread_id))
    wait_until(lambda: "leg 0" in lines(log), "a graph to run")
    run.cancel()
    gate.touch()
    done = graph.invoke({"width": 2, "gate": ""}, on(thread_id))
    assert done["found"] == [[0], [1]]


def test_a_command_to_the_parent_is_taken_by_the_calling_node(
    shared: Site, thread_id: str, log: Path
) -> None:
    given = {"log": str(log), "width": 3, "leaves": [1]}
    assert shared.graphs["trip-walks"].invoke(given, on(thread_id))["found"] == "left 1"
    assert ran(log) == legs(0, 1) + Counter(body=3)


def test_a_graph_that_is_not_at_the_backend_is_refused(shared: Site, thread_id: str) -> None:
    with pytest.raises(
        ValueError, match=r"calls graph 'stranger' .* not registered at its backend"
    ):
        shared.graphs["trip-stranger"].invoke({"width": 1}, on(thread_id))


def test_a_breakpoint_inside_is_gone_on_from(shared: Site, thread_id: str, log: Path) -> None:
    graph = shared.graphs["trip-stops"]
    graph.invoke({"log": str(log)}, on(thread_id))
    assert graph.get_state(on(thread_id)).next == ("travel",)
    assert ran(log)["leg 1"] == 0
    assert graph.invoke(None, on(thread_id))["found"] == [1]
    assert (ran(log)["out 1"], ran(log)["leg 1"]) == (1, 1)


def test_a_context_of_its_own_is_that_of_all_inside(shared: Site, thread_id: str) -> None:
    graph = shared.graphs["trip-guided"]
    done = graph.invoke({}, on(thread_id), context={"name": "outer"})
    assert done["found"] == [{"name": "outer"}, {"name": "inner"}, [5]]


def test_what_happens_inside_is_shown(shared: Site, thread_id: str) -> None:
    shown = shared.graphs["trip-walks"].stream(
        {"width": 1}, on(thread_id), stream_mode="updates", subgraphs=True
    )
    chunks = [([part.partition(":")[0] for part in ns], *chunk) for ns, chunk in shown]
    inside = ["travel", "trip-walks-leg"]
    assert chunks == [(inside, "setting_out"), (inside, "arriving"), ([], "travel")]


def test_a_graph_that_is_left_waits_for_no_call_inside(
    shared: Site, thread_id: str, log: Path, tmp_path: Path
) -> None:
    graph, gate = shared.graphs["trip-left"], tmp_path / "gate"
    given: dict[str, Any] = {"log": str(log), "width": 2, "gate": str(gate)}
    assert graph.invoke(given, on(thread_id))["found"] == "left"
    gate.touch()
    assert graph.get_state(on(thread_id)).next == ()
    again = graph.invoke({"log": str(log), "width": 2}, on(thread_id))
    assert again["found"] == "left"


def test_many_that_have_failed_begin_again_in_portions(
    redis_server: RedisServer, namespace: str, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "AT_ONCE", 2)
    # One script goes on with one of them.
    monkeypatch.setattr(desk, "REJOINED_AT_ONCE", 1)
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph = ELSEWHERE["trip-gathers"]().compile(name="gathers", backend=backend)
    given = {"log": str(log), "width": 5, "fails": dict.fromkeys(range(5), 1)}
    with backend.worker():
        with pytest.raises(ValueError, match="leg"):
            graph.invoke(given, on("t"))
        assert ran(log)["body"] == 2
        assert graph.invoke(None, on("t"))["found"] == [[n] for n in range(5)]
    assert ran(log) == legs(*range(5)) + Counter({f"leg {n}": 1 for n in range(5)}) + Counter(
        body=6
    )
