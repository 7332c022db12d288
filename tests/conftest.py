"""What tests of every folder share: a real Redis, and a namespace of their own in it."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings

from tests.support.celery_worker import CeleryWorker
from tests.support.order import by_turns
from tests.support.redis_server import RedisServer, none_left_in

# Started in the background, a shell ignores Ctrl-C for all its children: what tests start must not.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine makes an example slow, not wrong.
settings.register_profile("distgraph", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("distgraph")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put files that run beside others into an order in which no core waits for work."""
    if hasattr(config, "workerinput"):
        items[:] = by_turns(items)


@pytest.fixture(scope="session", autouse=True)
def _no_server_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail at the end of the run where a test's server outlived its test."""
    with none_left_in(tmp_path_factory.getbasetemp()):
        yield


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for the whole run; a test that kills or fills a server starts its own."""
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.process.end()


@pytest.fixture
def redis_client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with redis_server.client() as client:
        yield client


@pytest.fixture
def namespace() -> str:
    """Return a namespace that no other test uses."""
    return f"t-{uuid.uuid4().hex[:16]}"


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., CeleryWorker]]:
    """Give a function that starts workers, with CeleryWorker's arguments, for one test."""
    started: list[CeleryWorker] = []

    def start(app: str, **arguments: object) -> CeleryWorker:
        worker = CeleryWorker(app, folder=tmp_path, **arguments)  # type: ignore[arg-type]
        started.append(worker)
        return worker.wait_ready()

    yield start
    for worker in started:
        worker.ask_to_end()
    for worker in started:
        worker.end()
