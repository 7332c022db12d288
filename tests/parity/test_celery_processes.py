"""On worker processes, which build the graphs themselves, a program does what it does here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.catalogue import CASES, on_celery
from tests.parity.engines import DISTGRAPH
from tests.parity.nesting import Nested
from tests.parity.observe import stored
from tests.parity.programs import Program
from tests.parity.replaying import Start, now, run_again
from tests.parity.script import run

pytestmark = pytest.mark.celery
REMEMBERS = {
    "building-a_path_sees_its_own_node_but_not_the_siblings",
    "failing-a_failure_after_an_answer_inside",
    "failing-a_new_input_after_a_failure_inside_begins_anew",
    "failing-a_retry_after_calls_takes_their_results_again",
    "failing-going_on_runs_what_failed_inside",
    "failing-one_of_many_graphs_fails",
    "failing-retries_inside_and_around_multiply",
    "failing-retries_without_a_checkpointer_begin_inside_anew",
    "failing-siblings_inside_that_finished_are_kept",
    "failing-what_failed_before_it_was_done_is_told_by_the_history",
    "failing-what_keeps_nothing_runs_again_as_a_whole",
    "inheriting-a_call_adds_to_the_config",
    "inheriting-a_call_may_have_a_thread_of_its_own",
    "inheriting-the_config_of_the_caller_reaches_every_level",
    "inheriting-the_context_reaches_every_level",
    "inheriting-what_asks_for_the_config_in_a_helper_finds_its_own",
    "inner_streams-a_failure_inside_and_going_on",
    "inner_streams-a_retry_inside",
    "interrupts-a_failure_after_an_answer_keeps_the_answer",
    "interrupts-a_finished_sibling_is_not_run_again",
    "nested-a_standalone_graph_inside_keeps_nothing",
    "leaving-one_of_several_tasks_inside_leaves",
    "older-what_is_asked_further_there_gets_the_answer",
    "pausing-a_question_beside_a_sibling_that_fails",
    "pausing-several_calls_that_ask_one_after_the_other",
    "pushing-what_an_attempt_pushed_that_failed_is_not_kept",
    "supersteps-a_failed_node_keeps_its_siblings_writes",
    "supersteps-a_retry_policy_runs_a_node_again",
}
"""Cases whose nodes note in a variable that they ran, which other processes do not share."""


@pytest.mark.parametrize("name", on_celery(sorted(CASES.keys() - REMEMBERS)))
def test_a_case_on_worker_processes_does_what_it_does_here(name: str, on_processes: Any) -> None:
    assert stored(CASES[name](on_processes(name))) == stored(CASES[name](DISTGRAPH))


def test_random_programs_on_worker_processes_do_what_they_do_here(
    on_processes: Any, drawn_programs: tuple[Program, ...]
) -> None:
    for number, program in enumerate(drawn_programs):
        mine = run(on_processes(f"random-{number}"), program)
        assert stored(mine) == stored(run(DISTGRAPH, program)), program


def test_graphs_inside_graphs_go_on_from_an_older_checkpoint_on_worker_processes(
    on_processes: Any, drawn_nested: tuple[tuple[Nested, Start], ...]
) -> None:
    for number, (nested, start) in enumerate(drawn_nested):
        mine = run_again(on_processes(f"nested-{number}"), nested, start)
        assert now(mine) == now(run_again(DISTGRAPH, nested, start)), (nested, start)
