"""Random programs of further kinds: with gear, with error handlers, of channels by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.parity.channelled import Channelled, channelled
from tests.parity.channelled import run as run_channelled
from tests.parity.engines import DISTGRAPH, DISTGRAPH_ASYNC, LANGGRAPH, LANGGRAPH_ASYNC
from tests.parity.geared import Geared, geared
from tests.parity.geared import run as run_geared
from tests.parity.handling import Handled, handled_programs
from tests.parity.handling import run as run_handled
from tests.parity.observe import stored
from tests.parity.strategies import many

pytestmark = pytest.mark.no_cover
REPEATABLE = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(REPEATABLE, max_examples=many(10, 1000))
@given(geared())
def test_a_random_program_with_gear_does_what_it_does_on_langgraph(program: Geared) -> None:
    assert run_geared(DISTGRAPH, program) == run_geared(LANGGRAPH, program)


@settings(REPEATABLE, max_examples=many(5, 300))
@given(geared())
def test_a_random_program_with_gear_does_as_coroutines_as_on_langgraph(program: Geared) -> None:
    assert run_geared(DISTGRAPH_ASYNC, program) == run_geared(LANGGRAPH_ASYNC, program)


@settings(REPEATABLE, max_examples=many(10, 300))
@given(handled_programs())
def test_a_random_program_with_handlers_does_what_it_does_on_langgraph(handled: Handled) -> None:
    assert run_handled(DISTGRAPH, handled) == run_handled(LANGGRAPH, handled)


@settings(REPEATABLE, max_examples=many(5, 100))
@given(handled_programs())
def test_a_random_program_with_handlers_does_as_coroutines_as_on_langgraph(
    handled: Handled,
) -> None:
    assert run_handled(DISTGRAPH_ASYNC, handled) == run_handled(LANGGRAPH_ASYNC, handled)


@settings(REPEATABLE, max_examples=many(10, 300))
@given(channelled())
def test_random_channels_hold_and_stream_what_they_do_on_langgraph(graph: Channelled) -> None:
    assert run_channelled(DISTGRAPH, graph) == run_channelled(LANGGRAPH, graph)


@settings(REPEATABLE, max_examples=many(5, 100))
@given(channelled())
def test_random_channels_of_coroutines_do_what_they_do_blocking(graph: Channelled) -> None:
    assert run_channelled(DISTGRAPH_ASYNC, graph) == run_channelled(DISTGRAPH, graph)


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(3, 100))
@given(handled_programs())
def test_a_random_program_with_handlers_does_on_celery_what_it_does_here(
    on_threads: Any, handled: Handled
) -> None:
    mine, here = (run_handled(each, handled) for each in (on_threads(), DISTGRAPH))
    # What a handler leaves is shown there as that of the node's task.
    assert [_without_tasks(call) for call in stored(mine["calls"])] == [
        _without_tasks(call) for call in stored(here["calls"])
    ]


def _without_tasks(call: dict[str, Any]) -> dict[str, Any]:
    state = {name: told for name, told in call.get("state", {}).items() if name != "tasks"}
    return {**call, "state": state}


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(3, 100))
@given(channelled())
def test_random_channels_do_on_celery_what_they_do_here(on_threads: Any, graph: Channelled) -> None:
    assert stored(run_channelled(on_threads(), graph)) == stored(run_channelled(DISTGRAPH, graph))
