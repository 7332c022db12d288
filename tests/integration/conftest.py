"""Installations that tests share, because a worker takes seconds to start."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.site import QUICK, Site, site


@pytest.fixture(scope="session")
def shared(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One worker of two processes that serves every graph; no test may harm it."""
    with site(redis_server, tmp_path_factory.mktemp("site"), **QUICK) as made:
        made.start(concurrency=2)
        yield made


@pytest.fixture(scope="session")
def leaving(redis_server: RedisServer) -> Iterator[list[CeleryWorker]]:
    """Workers of the last test, which are about to end: the next one does not wait for that.

    It needs their Redis so that they end first: without it they would try for long to say goodbye.
    """
    workers: list[CeleryWorker] = []
    yield workers
    for worker in workers:
        worker.end()


@pytest.fixture
def own_site(
    redis_server: RedisServer,
    new_redis: Callable[..., RedisServer],
    tmp_path: Path,
    leaving: list[CeleryWorker],
) -> Iterator[Callable[..., Site]]:
    """Give a function that makes installations without workers, for one test."""
    made: list[Site] = []

    def make(store: RedisServer | None = None, broker: Any = None, **settings: Any) -> Site:
        made.append(Site(store or redis_server, tmp_path, broker, **{**QUICK, **settings}))
        return made[-1]

    yield make
    for worker in leaving:
        worker.end()
    leaving[:] = [worker for each in made for worker in each.leave()]
    if any(server is not redis_server for each in made for server in (each.store, each.broker)):
        for worker in leaving:
            worker.end()


@pytest.fixture
def new_redis(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Give a function that starts Redis servers for one test."""
    started: list[RedisServer] = []

    def start(**options: str) -> RedisServer:
        started.append(RedisServer(tmp_path / f"redis-{len(started)}", **options).start())
        return started[-1]

    yield start
    for server in started:
        server.process.end()


@pytest.fixture
def thread_id() -> str:
    """Return a thread id that no other test uses."""
    return f"thread-{uuid.uuid4().hex}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a file where bodies note that they ran."""
    return tmp_path / "executions.log"
