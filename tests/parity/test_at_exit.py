"""What runs leave that store by step, or at their end alone, is what they leave on LangGraph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.parity.catalogue import CASES
from tests.parity.engines import (
    DISTGRAPH,
    DISTGRAPH_ASYNC,
    LANGGRAPH,
    LANGGRAPH_ASYNC,
    Engine,
)
from tests.parity.exiting import PROGRAMS, Thread
from tests.parity.programs import Program
from tests.parity.random_workflows import workflows
from tests.parity.script import run as run_program
from tests.parity.strategies import programs
from tests.parity.workflows import Workflow, run

CHANCE = "which of two tasks is over when the other one fails is chance"
FORGETS = "the reference gives the answer to a second question of a node to a graph that it called"
PARENT = "the reference streams checkpoints with the parent of the one that the run begins at"
SHOWN = "the reference shows of a task that failed what it had asked before, too"
APART = {
    "supersteps-a_failed_node_keeps_its_siblings_writes": CHANCE,
    "inner_streams-two_calls_in_one_node": FORGETS,
    "interrupts-two_graphs_called_in_one_node_ask_one_after_the_other": FORGETS,
    "pausing-a_node_asks_before_and_after_its_graph_asks": FORGETS,
    "pausing-several_calls_that_ask_one_after_the_other": FORGETS,
    "interrupts-a_failure_after_an_answer_keeps_the_answer": SHOWN,
    "failing-what_failed_before_it_was_done_is_told_by_the_history": SHOWN,
    "debugging-checkpoints": PARENT,
    "debugging-checkpoints_at_breakpoints": PARENT,
    "debugging-checkpoints_beside_the_other_modes": PARENT,
    "debugging-checkpoints_of_an_update": PARENT,
    "debugging-checkpoints_of_graphs_inside": PARENT,
    "debugging-debug": PARENT,
    "debugging-parts_of_each_mode": PARENT,
}
"""Hand-written cases that are not compared where the end of a run alone is stored, and why."""
COMPARED = [name for name in CASES if name not in APART]


def at_exit(engine: Engine) -> Engine:
    """`engine` with runs that store at their end alone."""
    return replace(engine, durability="exit")


def seen(name: str, engine: Engine) -> Any:
    """What a case shows at exit; None where it looks for what such a run does not leave."""
    try:
        return CASES[name](at_exit(engine))
    except (LookupError, RuntimeError, StopIteration):
        return None


@pytest.mark.parametrize("how", ["sync", "async", "exit"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_the_same_is_left(program: Callable[[Thread], Any], how: str) -> None:
    assert program(Thread(DISTGRAPH, how)) == program(Thread(LANGGRAPH, how))


@pytest.mark.parametrize("how", ["async", "exit"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_the_same_is_left_with_asyncio(program: Callable[[Thread], Any], how: str) -> None:
    assert program(Thread(DISTGRAPH_ASYNC, how)) == program(Thread(LANGGRAPH_ASYNC, how))


@pytest.mark.parametrize("name", COMPARED)
def test_each_construct_leaves_the_same_at_its_end(name: str) -> None:
    assert seen(name, DISTGRAPH) == seen(name, LANGGRAPH)


REPEATABLE = settings(
    derandomize=True,
    deadline=None,
    max_examples=6,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@REPEATABLE
@given(workflows())
@pytest.mark.no_cover
def test_workflows_leave_the_same_at_their_end(workflow: Workflow) -> None:
    assert run(at_exit(DISTGRAPH), workflow) == run(at_exit(LANGGRAPH), workflow)


@REPEATABLE
@given(programs(fails=False))
@pytest.mark.no_cover
def test_random_programs_leave_the_same_at_their_end(program: Program) -> None:
    assert run_program(at_exit(DISTGRAPH), program) == run_program(at_exit(LANGGRAPH), program)


@REPEATABLE
@given(programs())
@pytest.mark.no_cover
def test_random_programs_leave_the_same_that_store_behind_themselves(program: Program) -> None:
    behind = replace(DISTGRAPH, durability="async")
    assert run_program(behind, program) == run_program(DISTGRAPH, program)
