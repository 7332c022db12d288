"""Random graphs inside graphs, which are left, fail, ask and stop, do as on LangGraph."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.parity.engines import DISTGRAPH, DISTGRAPH_ASYNC, LANGGRAPH
from tests.parity.leaving import left_programs, run_to_failure
from tests.parity.nesting import Nested
from tests.parity.observe import stored
from tests.parity.pausing import paused_programs
from tests.parity.strategies import many
from tests.parity.trying import Step, trials
from tests.parity.trying import run as run_trials

pytestmark = pytest.mark.no_cover
REPEATABLE = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


@settings(REPEATABLE, max_examples=many(12, 40))
@given(left_programs())
def test_graphs_are_left_as_on_langgraph(nested: Nested) -> None:
    assert run_to_failure(DISTGRAPH, nested) == run_to_failure(LANGGRAPH, nested)


@settings(REPEATABLE, max_examples=many(5, 16))
@given(left_programs())
def test_graphs_are_left_as_coroutines_as_they_are_blocking(nested: Nested) -> None:
    assert run_to_failure(DISTGRAPH_ASYNC, nested) == run_to_failure(DISTGRAPH, nested)


@settings(REPEATABLE, max_examples=many(12, 40))
@given(paused_programs())
def test_graphs_inside_ask_and_stop_as_on_langgraph(nested: Nested) -> None:
    assert run_to_failure(DISTGRAPH, nested) == run_to_failure(LANGGRAPH, nested)


@settings(REPEATABLE, max_examples=many(5, 16))
@given(paused_programs())
def test_graphs_inside_ask_and_stop_as_coroutines_as_they_do_blocking(nested: Nested) -> None:
    assert run_to_failure(DISTGRAPH_ASYNC, nested) == run_to_failure(DISTGRAPH, nested)


@settings(REPEATABLE, max_examples=many(24, 80))
@given(trials())
def test_what_fails_is_tried_at_every_level_as_on_langgraph(steps: tuple[Step, ...]) -> None:
    assert run_trials(DISTGRAPH, steps) == run_trials(LANGGRAPH, steps)


@settings(REPEATABLE, max_examples=many(12, 40))
@given(trials())
def test_what_fails_is_tried_as_coroutines_as_often(steps: tuple[Step, ...]) -> None:
    assert run_trials(DISTGRAPH_ASYNC, steps) == run_trials(DISTGRAPH, steps)


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(12, 40))
@given(trials())
def test_what_fails_is_tried_on_celery_as_often(on_threads: Any, steps: tuple[Step, ...]) -> None:
    mine = run_trials(on_threads(), steps)
    assert stored(mine) == stored(run_trials(DISTGRAPH, steps))


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(5, 16))
@given(left_programs())
def test_graphs_are_left_on_celery_as_they_are_here(on_threads: Any, nested: Nested) -> None:
    mine, here = (run_to_failure(each, nested) for each in (on_threads(), DISTGRAPH))
    # Of what a graph that was left had open its history shows nothing there.
    assert stored(mine["calls"]) == stored(here["calls"])


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(5, 16))
@given(paused_programs())
def test_graphs_inside_ask_and_stop_on_celery_as_they_do_here(
    on_threads: Any, nested: Nested
) -> None:
    mine, here = (run_to_failure(each, nested) for each in (on_threads(), DISTGRAPH))
    assert stored(mine) == stored(here)
