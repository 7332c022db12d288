"""Random programs with graphs inside stream on every engine what they stream on LangGraph."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.parity.engines import DISTGRAPH, DISTGRAPH_ASYNC, LANGGRAPH, Asyncio
from tests.parity.inner_streams import is_plain, stream
from tests.parity.nesting import Nested
from tests.parity.observe import stored
from tests.parity.strategies import many, nested_programs

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


@settings(REPEATABLE, max_examples=many(15, 50))
@given(nested_programs(fails=False))
def test_graphs_inside_stream_what_they_stream_on_langgraph(nested: Nested) -> None:
    assume(is_plain(nested))
    assert stream(DISTGRAPH, nested) == stream(LANGGRAPH, nested)


@settings(REPEATABLE, max_examples=many(12, 40))
@given(nested_programs(fails=False))
def test_graphs_inside_stream_as_coroutines_what_they_stream_blocking(nested: Nested) -> None:
    assert stream(DISTGRAPH_ASYNC, nested) == stream(DISTGRAPH, nested)


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(9, 30))
@given(nested_programs(fails=False))
def test_graphs_inside_stream_on_celery_what_they_stream_here(
    on_threads: Any, nested: Nested
) -> None:
    assert stored(stream(on_threads(), nested)) == stored(stream(DISTGRAPH, nested))


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(5, 12))
@given(nested_programs(fails=False))
def test_graphs_inside_stream_on_celery_as_coroutines_what_they_stream_here(
    on_threads: Any, nested: Nested
) -> None:
    mine, here = (stream(each, nested) for each in (on_threads(Asyncio), DISTGRAPH_ASYNC))
    assert stored(mine) == stored(here)
