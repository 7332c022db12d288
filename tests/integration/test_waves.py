"""Calls of functions as jobs of their own: how often a body runs, kills, questions, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distgraph.types import Command
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.celery
BOTH = pytest.mark.parametrize("name", ["gather", "agather"])


def ran(log: Path) -> Counter[str]:
    return Counter(lines(log))


def calls(*numbers: int) -> Counter[str]:
    return Counter(f"call {n}" for n in numbers)


@BOTH
def test_a_thousand_calls_are_one_park(
    own_site: Callable[..., Site], thread_id: str, log: Path, name: str
) -> None:
    site = own_site()
    site.start(2, concurrency=1)
    done = site.graphs[name].submit({"log": str(log), "width": 1_000}, on(thread_id))
    assert done.result(timeout=PATIENCE) == list(range(1_000))
    assert ran(log) == calls(*range(1_000)) + Counter(body=2)


def test_more_calls_than_a_script_is_given_are_one_park_too(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(2, concurrency=1)
    done = site.graphs["gather"].submit({"log": str(log), "width": 1_500}, on(thread_id))
    assert done.result(timeout=PATIENCE) == list(range(1_500))
    assert ran(log)["body"] == 2


def test_a_chain_of_calls_runs_the_body_once_more_than_it_is_long(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(2, concurrency=1)
    done = site.graphs["chained"].submit({"log": str(log), "length": 200}, on(thread_id))
    assert done.result(timeout=PATIENCE) == sum(range(200))
    assert ran(log) == calls(*range(200)) + Counter(body=201)


@BOTH
def test_a_kill_costs_the_call_that_ran(
    own_site: Callable[..., Site], thread_id: str, log: Path, name: str
) -> None:
    site = own_site(lease=2.0)
    site.start(1, concurrency=1)
    given = {"log": str(log), "width": 4, "dies": [2]}
    assert site.graphs[name].submit(given, on(thread_id)).result(timeout=PATIENCE) == [0, 1, 2, 3]
    extra = ran(log) - calls(0, 1, 2, 3)
    assert extra["body"] == 2
    assert extra["call 2"] == 1


@BOTH
def test_questions_of_calls_are_asked_together_and_answered_one_by_one(
    shared: Site, thread_id: str, log: Path, name: str
) -> None:
    graph = shared.graphs[name]
    asked = graph.invoke({"log": str(log), "width": 3, "asks": [0, 2]}, on(thread_id))
    first, second = asked["__interrupt__"]
    assert [first.value, second.value] == ["asks 0", "asks 2"]
    assert graph.get_state(on(thread_id)).next == (name,)
    again = graph.invoke(Command(resume={second.id: "two"}), on(thread_id))
    assert [each.id for each in again["__interrupt__"]] == [first.id]
    done = graph.invoke(Command(resume={first.id: "zero"}), on(thread_id))
    assert done == ["zero", 1, "two"]
    counted = ran(log)
    assert [counted[f"call {n}"] for n in range(3)] == [2, 1, 2]


@BOTH
def test_questions_of_calls_are_answered_together(
    shared: Site, thread_id: str, log: Path, name: str
) -> None:
    graph = shared.graphs[name]
    asked = graph.invoke({"log": str(log), "width": 3, "asks": [0, 1, 2]}, on(thread_id))
    answers = {each.id: each.value[-1] for each in asked["__interrupt__"]}
    assert graph.invoke(Command(resume=answers), on(thread_id)) == ["0", "1", "2"]


def test_a_failed_call_is_raised_once_all_have_ended_and_runs_again_alone(
    shared: Site, thread_id: str, log: Path
) -> None:
    graph = shared.graphs["gather"]
    with pytest.raises(ValueError, match="call 0"):
        graph.invoke({"log": str(log), "width": 3, "fails": {0: 1}}, on(thread_id))
    assert ran(log) == calls(0, 1, 2) + Counter(body=2)
    assert graph.invoke(None, on(thread_id)) == [0, 1, 2]
    assert ran(log) == calls(0, 0, 1, 2) + Counter(body=4)


@BOTH
def test_a_failed_call_can_be_caught(shared: Site, thread_id: str, log: Path, name: str) -> None:
    given = {"log": str(log), "width": 3, "fails": {1: -1}, "caught": True}
    done = shared.graphs[name].invoke(given, on(thread_id))
    assert [str(each) for each in done] == ["0", "call 1", "2"]
    assert ran(log) == calls(0, 1, 2) + Counter(body=2)


def test_a_function_is_tried_again_by_its_own_policy(
    shared: Site, thread_id: str, log: Path
) -> None:
    given = {"log": str(log), "width": 2, "fails": {1: 2}}
    assert shared.graphs["retried"].invoke(given, on(thread_id)) == [0, 1]
    assert ran(log) == calls(0, 1, 1, 1) + Counter(body=2)


def test_calls_of_calls(shared: Site, thread_id: str, log: Path) -> None:
    graph = shared.graphs["deeper"]
    given = {"log": str(log), "width": 3, "asks": [11]}
    (asked,) = graph.invoke(given, on(thread_id))["__interrupt__"]
    assert asked.value == "asks 11"
    done = graph.invoke(Command(resume=5), on(thread_id))
    assert done == [1, 15, 41]
    assert ran(log)["sums 0"] == ran(log)["sums 20"] == 2
    assert sum(ran(log)[f"call {n}"] for n in (0, 1, 10, 20, 21)) == 5


def test_a_call_of_a_call_that_fails_is_raised_in_both(
    shared: Site, thread_id: str, log: Path
) -> None:
    given = {"log": str(log), "width": 2, "fails": {1: -1}}
    with pytest.raises(ValueError, match="call 1"):
        shared.graphs["deeper"].invoke(given, on(thread_id))
    assert ran(log)["call 10"] == ran(log)["call 11"] == 1


def test_what_others_do_not_find_runs_in_place_and_is_told_once(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    (worker,) = site.start(1, concurrency=1)
    for n in range(2):
        done = site.graphs["closures"].invoke({"log": str(log)}, on(f"{thread_id}-{n}"))
        assert done == [1, 2, 3, 4, "lock"]
    told = [line for line in worker.output.splitlines() if "runs in the job of" in line]
    assert [("'here'" in line, "'given'" in line) for line in told] == [
        (True, False),
        (False, True),
    ]
    assert ran(log)["here 1"] == ran(log)["call 2"] == ran(log)["call 4"] == 2


def test_what_runs_in_place_may_wait_for_what_does_not(
    shared: Site, thread_id: str, log: Path
) -> None:
    assert shared.graphs["aclosures"].invoke({"log": str(log)}, on(thread_id)) == [1, 3, 2, 4]
    assert ran(log) == calls(2, 3) + Counter({"here 1": 1, "here 4": 1, "body": 2})


def test_a_call_that_nobody_waits_for_is_over_before_the_run_is(
    shared: Site, thread_id: str, log: Path
) -> None:
    graph = shared.graphs["unheard"]
    assert graph.invoke({"log": str(log)}, on(thread_id)) == "over"
    assert ran(log) == calls(1) + Counter(body=2)
    assert graph.invoke({"log": str(log), "asks": [1]}, on(thread_id)) == "over"


def test_a_function_is_given_what_was_saved_before(shared: Site, thread_id: str) -> None:
    graph = shared.graphs["remembers"]
    assert [graph.invoke({}, on(thread_id)) for _ in range(3)] == [None, 1, 2]


def test_whoever_waits_by_other_means_is_parked_too(
    shared: Site, thread_id: str, log: Path
) -> None:
    done = shared.graphs["waits"].invoke({"log": str(log), "width": 3}, on(thread_id))
    assert sorted(done) == [0, 1, 2]
    assert ran(log) == calls(0, 1, 2) + Counter(body=2)


@pytest.mark.parametrize("subgraphs", [False, True])
def test_chunks_of_calls_are_shown(shared: Site, thread_id: str, subgraphs: bool) -> None:
    shown = shared.graphs["shows"].stream(
        {"width": 3}, on(thread_id), stream_mode="custom", subgraphs=subgraphs
    )
    chunks = [chunk[1] if subgraphs else chunk for chunk in shown]
    assert sorted(chunks) == ["chunk 0", "chunk 1", "chunk 2"]


def test_a_body_that_runs_again_shows_its_chunks_once(shared: Site, thread_id: str) -> None:
    graph = shared.graphs["tells"]
    shown = graph.stream({"width": 3}, on(thread_id), stream_mode="custom")
    assert list(shown) == ["before 0", "before 1", "before 2", "after"]


def test_a_cancelled_run_leaves_no_call_behind(
    shared: Site, thread_id: str, log: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    given: dict[str, Any] = {"log": str(log), "width": 5, "gate": str(gate)}
    run = shared.graphs["gather"].submit(given, on(thread_id))
    wait_until(lambda: "call 0" in lines(log), "a call to run")
    run.cancel()
    gate.touch()
    done = shared.graphs["gather"].invoke({"width": 2}, on(thread_id))
    assert done == [0, 1]


def test_a_workflow_in_a_node_keeps_its_calls_there(
    shared: Site, thread_id: str, log: Path
) -> None:
    given: dict[str, Any] = {"wave": {"log": str(log), "width": 3}}
    assert shared.graphs["within"].invoke(given, on(thread_id))["done"] == [0, 1, 2]
    assert ran(log) == calls(0, 1, 2) + Counter(body=1)


def test_a_question_of_a_call_ends_by_its_deadline(shared: Site, thread_id: str, log: Path) -> None:
    graph = shared.graphs["expires"]
    graph.invoke({"log": str(log)}, on(thread_id))
    wait_until(lambda: graph.get_state(on(thread_id)).next == (), "the deadline to be over")
    assert graph.get_state(on(thread_id)).values == "nobody"
    assert ran(log) == Counter(unanswered=2)


def test_a_command_to_the_parent_leaves_the_workflow_of_a_call(
    shared: Site, thread_id: str, log: Path
) -> None:
    graph = shared.graphs["departure"]
    done = graph.invoke({"wave": {"log": str(log)}}, on(thread_id))
    assert done["done"] == "left"
    assert graph.get_state(on(thread_id)).next == ()


@pytest.mark.parametrize("name", ["gather", "trip-gathers"])
def test_a_thread_that_is_adopted_begins_its_calls_anew(
    shared: Site, thread_id: str, log: Path, tmp_path: Path, name: str
) -> None:
    gate, first = tmp_path / "gate", "call 0" if name == "gather" else "leg 0"
    given: dict[str, Any] = {"log": str(log), "width": 3, "gate": str(gate)}
    run = shared.graphs[name].submit(given, on(thread_id))
    wait_until(lambda: first in lines(log), "a call to run")
    shared.backend.thread(thread_id).adopt(restart=True)
    wait_until(lambda: ran(log)[first] == 2, "the call to run again")
    gate.touch()
    done = run.result(timeout=PATIENCE)
    assert done == [0, 1, 2] if name == "gather" else done["found"] == [[0], [1], [2]]
