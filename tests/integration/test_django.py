"""A worker of a Django project: coroutine nodes give their database connections back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.celery_worker import CeleryWorker
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.celery, pytest.mark.slow]

SETTINGS = """
from pathlib import Path

SECRET_KEY = "none"
INSTALLED_APPS = []
FILE = Path(__file__).with_name("database.sqlite")
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FILE}}
"""
# `seen` tells of each connection so far whether it is open.
GRAPHS = """
import asyncio, operator, os
from typing import Annotated, TypedDict

from asgiref.sync import sync_to_async
from celery import Celery
from django.db import connection, connections

from distgraph.graph import END, START, StateGraph
from workers import CeleryBackend

KEPT = []


class State(TypedDict, total=False):
    fails: bool
    seen: Annotated[list, operator.add]


def open_one():
    connection.ensure_connection()
    KEPT.append(connections["default"])


async def use(state):
    await asyncio.gather(*(sync_to_async(open_one)() for _ in range(2)))
    assert all(kept.connection for kept in KEPT[-2:])
    assert KEPT[-1] is KEPT[-2], "one node has one connection"
    if state.get("fails"):
        raise LookupError("fails")
    return {"seen": []}


def choose(state):
    open_one()
    return "tell"


async def tell(state):
    return {"seen": [kept.connection is not None for kept in KEPT]}


builder = StateGraph(State).add_node("use", use).add_node("tell", tell)
builder.add_edge(START, "use").add_conditional_edges("use", choose, ["tell"])
builder.add_edge("tell", END)
app = Celery("project", broker=os.environ["DISTGRAPH_REDIS"])
backend = CeleryBackend(app=app)
graph = builder.compile(name="project", backend=backend)
"""


CALL = """
import json, sys
from graphs_of_project import backend, graph

run = graph.submit(json.loads(sys.argv[2]), {"configurable": {"thread_id": sys.argv[1]}})
try:
    print(json.dumps(run.result(timeout=60)["seen"]))
except LookupError as error:
    print(json.dumps(str(error)))
"""


@pytest.fixture
def project(
    redis_server: RedisServer, namespace: str, tmp_path: Path
) -> Iterator[Callable[..., Any]]:
    """Give a function that runs the graph of a project whose worker runs, on a new thread."""
    (tmp_path / "settings_of_project.py").write_text(SETTINGS)
    (tmp_path / "graphs_of_project.py").write_text(GRAPHS)
    env = {
        "DJANGO_SETTINGS_MODULE": "settings_of_project",
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "DISTGRAPH_REDIS": redis_server.url,
        "DISTGRAPH_NAMESPACE": namespace,
    }

    def call(thread_id: str, **given: Any) -> Any:
        words = [sys.executable, "-c", CALL, thread_id, json.dumps(given)]
        done = subprocess.run(
            words, env={**os.environ, **env}, capture_output=True, check=True, timeout=PATIENCE
        )
        return json.loads(done.stdout)

    worker = CeleryWorker("graphs_of_project", folder=tmp_path, env=env, concurrency=1)
    try:
        worker.wait_ready()
        yield call
    finally:
        worker.end()


def test_what_a_coroutine_node_opens_is_closed_when_it_ends(project: Callable[..., Any]) -> None:
    seen = project("first")
    assert seen == [False, False, False]  # two of the node's, one of the path function's
    assert project("second", fails=True) == "fails"
    assert project("third") == [False] * 8  # of one worker process, with those of the failure
