"""Redis refuses to be written, or is away, for a while: workers and those who wait go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import brought
from tests.support.apps.served import register
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import HOST, RedisServer, free_port
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.celery
LOST = "onnection to broker lost"
IMPATIENT = "A sweep failed and is repeated"


@pytest.fixture
def waits() -> Iterator[Callable[..., Future[Any]]]:
    """Give a function that waits for a run in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda run: pool.submit(run.result, PATIENCE)


@contextmanager
def read_only(server: RedisServer) -> Iterator[None]:
    """Make it a replica, as an old master becomes one, for the length of the block."""
    with server.client() as client:
        client.replicaof(HOST, free_port())
        yield
        client.replicaof("NO", "ONE")


def reads(server: RedisServer) -> bool:
    """Whether somebody waits for the end of a run."""
    with server.client() as client:
        return any(each["cmd"] == "xread" for each in client.client_list())


@pytest.mark.parametrize(
    "how", ["prefork-own", "prefork-brought", "threads-own", "threads-brought"]
)
def test_a_redis_that_is_read_only_for_a_while_ends_neither_a_worker_nor_a_wait(
    own_site: Callable[..., Site],
    new_redis: Callable[..., RedisServer],
    waits: Callable[..., Future[Any]],
    log: Path,
    how: str,
) -> None:
    pool, _, whose = how.partition("-")
    server = new_redis()
    site = own_site(server)
    graphs, app = site.graphs, "tests.support.apps.served"
    if whose == "brought":
        app = brought.__name__
        celery = brought.brought_app(site.namespace, server.url)
        backend = CeleryBackend(server.url, app=celery, namespace=site.namespace)
        graphs = register(backend)
    worker = CeleryWorker(app, folder=site.folder, env=site.env, pool=pool, concurrency=2)
    site.workers.append(worker.wait_ready())
    gate = log.with_name("gate")
    run = graphs["fan"].submit({"width": 1, "log": str(log), "gate": str(gate)}, on("t"))
    waiting = waits(run)
    wait_until(lambda: lines(log) and reads(server), "a task to begin, and somebody to wait")
    with read_only(server):
        gate.touch()
        wait_until(lambda: LOST in worker.output, "the worker to notice")
    assert waiting.result(PATIENCE)["items"] == [0]
    assert worker.alive, worker.output
    assert graphs["fan"].invoke({"width": 3}, on("u"))["total"] == 3


def test_a_job_outlasts_a_redis_that_is_read_only_for_longer_than_a_worker_is_patient(
    own_site: Callable[..., Site],
    new_redis: Callable[..., RedisServer],
    waits: Callable[..., Future[Any]],
    log: Path,
) -> None:
    server, gate = new_redis(), log.with_name("gate")
    site = own_site(server, lease=2.0)  # which runs out: what a job gave up would be done again
    (worker,) = site.start(1)
    given = {"log": str(log), "gate": str(gate)}
    runs = [site.graphs[name].submit(given, on(name)) for name in ("block", "last")]
    wait_until(lambda: len(lines(log)) == 2, "both nodes to begin")
    with read_only(server):
        gate.touch()
        wait_until(lambda: len(lines(log)) == 4, "both nodes to end")
        wait_until(lambda: worker.output.count(IMPATIENT) >= 2, "others to lose their patience")
    assert [run.result(PATIENCE)["done"] for run in runs] == ["blocking", "coroutine"]
    assert len(lines(log)) == 4


def test_who_waits_outlasts_a_redis_that_is_away_for_longer_than_the_reach(
    own_site: Callable[..., Site],
    new_redis: Callable[..., RedisServer],
    waits: Callable[..., Future[Any]],
) -> None:
    server = new_redis()
    site = own_site(server, reach=0.2)
    waiting = waits(site.graphs["steps"].submit({"path": []}, on("t")))
    wait_until(lambda: reads(server), "somebody to wait")
    reader = site.backend._carrier._means().reader
    server.stop()
    wait_until(lambda: reader.away_since is not None, "a look that failed")
    server.start()
    site.start(1)
    assert waiting.result(PATIENCE)["path"]
