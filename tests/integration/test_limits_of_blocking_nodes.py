"""A node that blocks has its time limits where a worker's pool has processes: they end it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distgraph.errors import NodeTimeoutError
from tests.support.apps.limited import LIMITED, SHORT
from tests.support.redis_server import RedisServer
from tests.support.site import Site, lines, on
from workers import CeleryBackend

pytestmark = pytest.mark.celery


def given(log: Path) -> dict[str, Any]:
    return {"log": str(log)}


@pytest.mark.parametrize("graph", ["limited-hangs", "limited-swallows"])
def test_a_node_that_takes_too_long_has_failed(
    shared: Site, thread_id: str, log: Path, graph: str
) -> None:
    with pytest.raises(NodeTimeoutError, match="exceeded its run timeout") as raised:
        shared.graphs[graph].invoke(given(log), on(thread_id))
    assert (raised.value.node, raised.value.kind, raised.value.run_timeout) == (
        "only",
        "run",
        SHORT,
    )
    assert shared.graphs[graph].get_state(on(thread_id)).next == ("only",)
    assert len(lines(log)) == 1


def test_each_attempt_has_its_time(shared: Site, thread_id: str, log: Path) -> None:
    graph = shared.graphs["limited-hangs-once"]
    assert graph.invoke(given(log), on(thread_id))["out"] == "in time"
    assert [line.split()[0] for line in lines(log)] == ["1", "2"]


def test_an_error_handler_is_told_of_it(shared: Site, thread_id: str, log: Path) -> None:
    graph = shared.graphs["limited-is-handled"]
    assert graph.invoke(given(log), on(thread_id))["out"] == "NodeTimeoutError"


def test_a_node_may_be_idle_for_so_long(shared: Site, thread_id: str, log: Path) -> None:
    with pytest.raises(NodeTimeoutError) as raised:
        shared.graphs["limited-idles"].invoke(given(log), on(thread_id))
    assert (raised.value.kind, raised.value.idle_timeout) == ("idle", SHORT)
    beating = shared.graphs["limited-beats"].invoke(given(log), on(f"{thread_id}-beats"))
    assert beating["out"] == "in time"


def test_a_superstep_has_its_time(shared: Site, thread_id: str, log: Path) -> None:
    with pytest.raises(TimeoutError, match="step_timeout"):
        shared.graphs["limited-step"].invoke(given(log), on(thread_id))


def test_a_node_that_goes_on_is_ended_with_its_process(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(1, concurrency=1, env={"SERVE": "limited-ignores"})
    graph = site.graphs["limited-ignores"]
    assert graph.invoke(given(log), on(thread_id))["out"] == "in time"
    first, second = (line.split() for line in lines(log))
    assert (first[0], second[0]) == ("1", "2")
    assert first[1] != second[1]


def test_a_pool_without_processes_says_that_it_cannot_end_it(
    redis_server: RedisServer, log: Path
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=f"l-{uuid.uuid4().hex[:8]}")
    graph = LIMITED["limited-hangs"]().compile(name="limited-in-threads", backend=backend)
    with backend.worker(), pytest.raises(ValueError, match="only kept by the processes"):
        graph.invoke(given(log), on("t"))
    assert not lines(log)
