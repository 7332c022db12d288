"""A Celery task may start a graph of its own worker, but not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from celery import Celery

from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.celery
APP = "tests.support.apps.joining"
WAYS = {"invoke", "ainvoke", "stream", "astream", "result", "aresult", "run.stream", "run.astream"}


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_task_that_waits_for_a_graph_of_its_own_worker_is_refused(
    redis_server: RedisServer,
    start_worker: Callable[..., CeleryWorker],
    namespace: str,
    tmp_path: Path,
    pool: str,
) -> None:
    url = redis_server.url
    env = {"DISTGRAPH_REDIS": url, "DISTGRAPH_NAMESPACE": namespace}
    start_worker(APP, env=env, pool=pool, concurrency=2)
    app = Celery("caller", broker=url, backend=url, set_as_current=False)

    def ask(task: str) -> object:
        sent = app.send_task(f"{APP}.{task}", queue=namespace)
        return sent.get(timeout=PATIENCE, disable_sync_subtasks=False)

    said = ask("refused")
    assert isinstance(said, dict)
    assert set(said) == WAYS
    for text in said.values():
        assert f"queue '{namespace}'" in text
        assert "graph 'here'" in text
        assert "submit" in text
    threads = CeleryBackend(url, namespace=namespace).threads()
    assert [thread.id for thread in threads] == ["submitted"]
    assert ask("allowed") == {"x": 1}
    assert ask("apart") == "waited"


def test_a_queue_that_the_worker_dropped_is_none_of_its_own(
    redis_server: RedisServer, start_worker: Callable[..., CeleryWorker], namespace: str
) -> None:
    url, other = redis_server.url, f"{namespace}-other"
    env = {"DISTGRAPH_REDIS": url, "DISTGRAPH_NAMESPACE": namespace}
    worker = start_worker(APP, env=env, concurrency=2, options=("-Q", f"{namespace},{other}"))
    app = Celery("caller", broker=url, backend=url, set_as_current=False)
    # A process that was forked before does not learn of it.
    app.send_task(f"{APP}.apart", queue=other).get(timeout=PATIENCE)
    app.control.cancel_consumer(namespace, destination=[worker.name], reply=True, timeout=PATIENCE)
    backend = CeleryBackend(url, namespace=namespace)
    wait_until(lambda: [w.queues for w in backend.workers()] == [()], "the worker to tell it")
    waits = app.send_task(f"{APP}.waits", queue=other)
    assert waits.get(timeout=PATIENCE) == "waited"


def test_so_it_is_on_a_queue_that_the_worker_was_told_to_consume_later(
    redis_server: RedisServer, start_worker: Callable[..., CeleryWorker], namespace: str
) -> None:
    url = redis_server.url
    env = {"DISTGRAPH_REDIS": url, "DISTGRAPH_NAMESPACE": namespace}
    worker = start_worker(APP, env=env, concurrency=1, options=("-Q", f"{namespace}-other"))
    app = Celery("caller", broker=url, backend=url, set_as_current=False)
    app.control.add_consumer(namespace, destination=[worker.name], reply=True, timeout=PATIENCE)
    sent = app.send_task(f"{APP}.refused", queue=namespace)
    assert set(sent.get(timeout=PATIENCE)) == WAYS
