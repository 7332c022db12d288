"""Random workflows do on every engine what they do on LangGraph."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.parity.engines import (
    DISTGRAPH,
    DISTGRAPH_ASYNC,
    LANGGRAPH,
    LANGGRAPH_ASYNC,
    Asyncio,
)
from tests.parity.observe import stored
from tests.parity.random_workflows import workflows
from tests.parity.strategies import many
from tests.parity.workflows import Workflow, run, streamed

pytestmark = pytest.mark.no_cover
REPEATABLE = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(REPEATABLE, max_examples=many(21, 70))
@given(workflows())
def test_workflows_do_what_they_do_on_langgraph(workflow: Workflow) -> None:
    assert run(DISTGRAPH, workflow) == run(LANGGRAPH, workflow)


@settings(REPEATABLE, max_examples=many(12, 40))
@given(workflows(wide=False))
def test_workflows_of_coroutines_do_what_they_do_on_langgraph(workflow: Workflow) -> None:
    assert run(DISTGRAPH_ASYNC, workflow) == run(LANGGRAPH_ASYNC, workflow)


@settings(REPEATABLE, max_examples=many(9, 30))
@given(workflows(fails=False))
def test_workflows_of_coroutines_do_what_they_do_blocking(workflow: Workflow) -> None:
    assert run(DISTGRAPH_ASYNC, workflow) == run(DISTGRAPH, workflow)


@settings(REPEATABLE, max_examples=many(15, 50))
@given(workflows(wide=False))
def test_workflows_stream_what_they_stream_on_langgraph(workflow: Workflow) -> None:
    assert streamed(DISTGRAPH, workflow) == streamed(LANGGRAPH, workflow)


@settings(REPEATABLE, max_examples=many(9, 30))
@given(workflows(wide=False))
def test_workflows_of_coroutines_stream_what_they_stream_on_langgraph(workflow: Workflow) -> None:
    assert streamed(DISTGRAPH_ASYNC, workflow) == streamed(LANGGRAPH_ASYNC, workflow)


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(9, 30))
@given(workflows())
def test_workflows_do_on_celery_what_they_do_here(on_threads: Any, workflow: Workflow) -> None:
    assert stored(run(on_threads(), workflow)) == stored(run(DISTGRAPH, workflow))


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(5, 16))
@given(workflows(fails=False))
def test_workflows_of_coroutines_do_on_celery_what_they_do_here(
    on_threads: Any, workflow: Workflow
) -> None:
    assert stored(run(on_threads(Asyncio), workflow)) == stored(run(DISTGRAPH_ASYNC, workflow))


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(9, 30))
@given(workflows(wide=False, fails=False))
def test_workflows_stream_on_celery_what_they_stream_here(
    on_threads: Any, workflow: Workflow
) -> None:
    assert stored(streamed(on_threads(), workflow)) == stored(streamed(DISTGRAPH, workflow))


@pytest.mark.celery
@settings(REPEATABLE, max_examples=many(5, 16))
@given(workflows(wide=False, fails=False))
def test_workflows_of_coroutines_stream_on_celery_what_they_stream_here(
    on_threads: Any, workflow: Workflow
) -> None:
    mine = streamed(on_threads(Asyncio), workflow)
    assert stored(mine) == stored(streamed(DISTGRAPH_ASYNC, workflow))
