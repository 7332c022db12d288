"""Random programs give the same calls, states, interrupts and history on every engine."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.parity.engines import DISTGRAPH, DISTGRAPH_ASYNC, LANGGRAPH
from tests.parity.nesting import Nested
from tests.parity.nesting import run as run_nested
from tests.parity.observe import stored
from tests.parity.programs import Program
from tests.parity.replaying import Start
from tests.parity.replaying import run_again as run_nested_again
from tests.parity.script import MOST_CALLS, run, run_again, stream
from tests.parity.strategies import (
    lasting_programs,
    many,
    nested_programs,
    programs,
    starts,
)

pytestmark = pytest.mark.no_cover
REPEATABLE = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(REPEATABLE, max_examples=many(90, 1000))
@given(programs())
def test_a_random_program_does_on_distgraph_what_it_does_on_langgraph(program: Program) -> None:
    assert run(DISTGRAPH, program) == run(LANGGRAPH, program)


@settings(REPEATABLE, max_examples=many(30, 300))
@given(programs())
def test_a_random_program_of_async_nodes_does_what_its_sync_twin_does(program: Program) -> None:
    assert run(DISTGRAPH_ASYNC, program) == run(DISTGRAPH, program)


@settings(REPEATABLE, max_examples=many(30, 300))
@given(programs(fails=False), st.integers(0, 20), st.booleans())
def test_a_random_program_goes_on_from_an_older_checkpoint_as_on_langgraph(
    program: Program, place: int, edit: bool
) -> None:
    mine = run_again(DISTGRAPH, program, place, edit)
    theirs = run_again(LANGGRAPH, program, place, edit)
    # There, a node that an edge and a join started at once is ambiguous with itself.
    assume(mine["edited"] is not None or theirs["edited"] is None)
    # There, who goes on with nothing where a node has asked again gives it the last answer again.
    assume(mine["edited"] is None or len(mine["first"]) < MOST_CALLS)
    # There, an edit is mixed into the stored result of a task of its node that had ended.
    assert (stored(mine) == stored(theirs)) if edit else (mine == theirs)


@settings(REPEATABLE, max_examples=many(30, 300))
@given(programs(asks=False, fails=False))
def test_a_random_program_streams_what_it_streams_on_langgraph(program: Program) -> None:
    assert stream(DISTGRAPH, program) == stream(LANGGRAPH, program)


@settings(REPEATABLE, max_examples=many(40, 1000))
@given(nested_programs())
def test_graphs_inside_graphs_do_on_distgraph_what_they_do_on_langgraph(nested: Nested) -> None:
    assert run_nested(DISTGRAPH, nested) == run_nested(LANGGRAPH, nested)


@settings(REPEATABLE, max_examples=many(20, 200))
@given(nested_programs())
def test_graphs_inside_graphs_do_as_coroutines_what_they_do_blocking(nested: Nested) -> None:
    assert run_nested(DISTGRAPH_ASYNC, nested) == run_nested(DISTGRAPH, nested)


@settings(REPEATABLE, max_examples=many(25, 400))
@given(nested_programs(fails=False), st.integers(0, 20), st.booleans())
def test_graphs_inside_graphs_go_on_from_an_older_checkpoint_as_on_langgraph(
    nested: Nested, place: int, edit: bool
) -> None:
    # Of two tasks inside that ask at once one is forgotten there.
    assume(all(nest.asks_one_by_one for nest in nested.nests))
    start = Start(place, edit=edit)
    mine, theirs = (run_nested_again(each, nested, start) for each in (DISTGRAPH, LANGGRAPH))
    # There, a node that an edge and a join started at once is ambiguous with itself.
    assume(mine.get("edited") is not None or theirs.get("edited") is None)
    # There, a state cannot be shown while what tasks wrote inside does not go together.
    assert {**mine, "states": []} == {**theirs, "states": []}


@settings(REPEATABLE, max_examples=many(8, 100))
@given(lasting_programs(), st.integers(0, 40), st.booleans())
def test_graphs_that_last_go_on_from_a_checkpoint_inside_as_on_langgraph(
    nested: Nested, place: int, edit: bool
) -> None:
    assume(all(nest.asks_one_by_one for nest in nested.nests))
    start = Start(place, inside=True, edit=edit)
    mine, theirs = (run_nested_again(each, nested, start) for each in (DISTGRAPH, LANGGRAPH))
    # There, the graph inside goes on from the edit itself, of which a fork is made here.
    for seen in (mine, theirs):
        seen.pop("states")
        seen.pop("history", None)
    assert mine == theirs


@settings(REPEATABLE, max_examples=many(20, 200))
@given(nested_programs(fails=False), starts())
def test_graphs_inside_graphs_go_on_from_an_older_checkpoint_as_coroutines(
    nested: Nested, start: Start
) -> None:
    mine = run_nested_again(DISTGRAPH_ASYNC, nested, start)
    assert mine == run_nested_again(DISTGRAPH, nested, start)
