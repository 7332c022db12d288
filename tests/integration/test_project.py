"""A project's own workers carry the graphs of modules that its application finds by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.celery_worker import CeleryWorker
from tests.support.command import Shell
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.celery


def test_a_module_of_graphs_that_is_discovered_is_served(
    redis_server: RedisServer, start_worker: Callable[..., CeleryWorker], namespace: str
) -> None:
    shell = Shell(redis_server.url, namespace)
    start_worker("tests.support.apps.project", env=shell.env, concurrency=1)
    done = shell("run", "tests.support.apps.project_graphs:graph", "--input", "{}", "--json")
    assert done.code == 0, done.err
    assert done.data["values"] == {"xs": [1]}
