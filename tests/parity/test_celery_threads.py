"""On a Celery worker a program does what it does in this process, driven blocking or by asyncio."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.parity.catalogue import CASES, on_celery
from tests.parity.engines import DISTGRAPH, DISTGRAPH_ASYNC, Asyncio
from tests.parity.nesting import Nested
from tests.parity.nesting import run as run_nested
from tests.parity.observe import stored
from tests.parity.programs import Program
from tests.parity.replaying import Start, now
from tests.parity.replaying import run_again as run_nested_again
from tests.parity.script import run, run_again, stream
from tests.parity.strategies import many, nested_programs, programs, starts

pytestmark = pytest.mark.celery
REPEATABLE = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("name", on_celery())
def test_a_case_on_celery_does_what_it_does_here(name: str, on_threads: Any) -> None:
    assert stored(CASES[name](on_threads())) == stored(CASES[name](DISTGRAPH))


@pytest.mark.no_cover
@settings(REPEATABLE, max_examples=many(30, 300))
@given(programs())
def test_a_random_program_does_on_celery_what_it_does_here(
    on_threads: Any, program: Program
) -> None:
    assert stored(run(on_threads(), program)) == stored(run(DISTGRAPH, program))


@pytest.mark.no_cover
@settings(REPEATABLE, max_examples=many(18, 100))
@given(programs())
def test_a_random_program_of_async_nodes_does_on_celery_what_it_does_here(
    on_threads: Any, program: Program
) -> None:
    assert stored(run(on_threads(Asyncio), program)) == stored(run(DISTGRAPH_ASYNC, program))


@pytest.mark.no_cover
@settings(REPEATABLE, max_examples=many(18, 300))
@given(nested_programs())
def test_graphs_inside_graphs_do_on_celery_what_they_do_here(
    on_threads: Any, nested: Nested
) -> None:
    assert stored(run_nested(on_threads(), nested)) == stored(run_nested(DISTGRAPH, nested))


@pytest.mark.no_cover
@settings(REPEATABLE, max_examples=many(20, 100))
@given(programs(fails=False), st.integers(0, 20), st.booleans())
def test_a_random_program_goes_on_from_an_older_checkpoint_on_celery_as_it_does_here(
    on_threads: Any, program: Program, place: int, edit: bool
) -> None:
    mine = run_again(on_threads(), program, place, edit)
    assert stored(mine) == stored(run_again(DISTGRAPH, program, place, edit))


@pytest.mark.no_cover
@settings(REPEATABLE, max_examples=many(20, 100))
@given(programs(asks=False, fails=False), st.sampled_from([DISTGRAPH, DISTGRAPH_ASYNC]))
def test_a_random_program_streams_on_celery_what_it_streams_here(
    on_threads: Any, program: Program, here: Any
) -> None:
    assert stored(stream(on_threads(here.client), program)) == stored(stream(here, program))


@pytest.mark.no_cover
@settings(REPEATABLE, max_examples=15)
@given(nested_programs(fails=False), starts())
def test_graphs_inside_graphs_go_on_from_an_older_checkpoint_on_celery_as_they_do_here(
    on_threads: Any, nested: Nested, start: Start
) -> None:
    mine, here = (run_nested_again(each, nested, start) for each in (on_threads(), DISTGRAPH))
    assert now(mine) == now(here)
