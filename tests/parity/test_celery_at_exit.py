"""Runs that leave their end alone leave on Celery workers what they leave in this process."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.parity.catalogue import APART
from tests.parity.engines import DISTGRAPH
from tests.parity.observe import stored
from tests.parity.programs import Program
from tests.parity.script import run, stream
from tests.parity.strategies import programs
from tests.parity.test_at_exit import COMPARED, at_exit, seen

pytestmark = pytest.mark.celery

CALLER = "workers store what a caller writes with the checkpoint that it comes on top of"
ASKED = "what a graph that a function calls had asked goes with its superstep, when it is answered"
BESIDE = "how far the graph inside is when its sibling ends the run is chance: it stays where it is"
NOT_HERE = {
    "inputs-a_command_updates_and_goes_from_outside": CALLER,
    "interrupts-an_answer_may_carry_an_update_and_a_goto": CALLER,
    "interrupts-the_node_sees_the_update_that_came_with_the_answer": CALLER,
    "pausing-an_answer_comes_with_an_update_and_a_goto": CALLER,
    "raising-what_was_raised_is_raised_again_until_the_state_is_another": CALLER,
    "crossing-a_blocking_node_has_a_loop_run_a_graph": ASKED,
    "crossing-a_blocking_node_of_any_run_calls_a_graph": ASKED,
    "inheriting-graphs_in_graphs_side_by_side_ask": ASKED,
    "pausing-a_question_at_any_depth": ASKED,
    "pausing-a_question_beside_a_sibling_that_fails": BESIDE,
}
"""Cases whose histories are not equal on Celery, and why."""


TOPICS = ("access", "breakpoints", "failing", "interrupts", "leaving", "nested", "pausing")
NAMES = [n for n in COMPARED if n.startswith(TOPICS) and n not in {*APART, *NOT_HERE}]


@pytest.mark.parametrize("name", NAMES)
def test_a_case_on_celery_leaves_what_it_leaves_here(name: str, on_threads: Any) -> None:
    assert left(seen(name, on_threads())) == left(seen(name, DISTGRAPH))


@pytest.mark.no_cover
@settings(
    derandomize=True,
    deadline=None,
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(programs(asks=False, fails=False))
def test_a_random_program_shows_and_leaves_on_celery_what_it_does_here(
    on_threads: Any, program: Program
) -> None:
    for call in (run, stream):
        mine, here = (call(at_exit(each), program) for each in (on_threads(), DISTGRAPH))
        assert left(mine) == left(here)


def left(found: Any) -> Any:
    """`found` as both store it, without the results that stand in histories.

    Workers also store what the tasks of the checkpoint left from which a run began.
    """
    return _without_results(stored(found))


def _without_results(found: Any) -> Any:
    if isinstance(found, dict):
        past = {"parent", "results"} <= found.keys()
        return {k: _without_results(v) for k, v in found.items() if not (past and k == "results")}
    return [_without_results(each) for each in found] if isinstance(found, list | tuple) else found
