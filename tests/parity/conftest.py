"""A store and Celery workers for random and hand-written graphs."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Callable, Iterator

import pytest
from hypothesis import strategies as st

from tests.parity.engines import Blocking, Engine, Placing, celery_engine
from tests.parity.nesting import Nested
from tests.parity.programs import Program
from tests.parity.replaying import Start
from tests.parity.strategies import drawn, nested_programs, programs, starts
from tests.support.apps.parity_app import NAMESPACE, PROGRAMS, REDIS, plain_backend
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer

OnCelery = Callable[..., Engine]


@pytest.fixture(scope="module")
def on_threads(redis_server: RedisServer) -> Iterator[OnCelery]:
    """Engines whose graphs, made of closures, run on a Celery worker inside this process."""
    backend = plain_backend(redis_server.url, f"p-{uuid.uuid4().hex[:8]}")
    placing = Placing(backend, "closure")
    with backend.worker(pool="threads", concurrency=2):
        yield lambda client=Blocking: celery_engine(placing, client)


@pytest.fixture(scope="session")
def drawn_programs() -> tuple[Program, ...]:
    """Return the random programs that worker processes know."""
    return drawn(60, programs())


@pytest.fixture(scope="session")
def drawn_nested() -> tuple[tuple[Nested, Start], ...]:
    """Return random programs with graphs inside that worker processes know, and where to begin."""
    return drawn(20, st.tuples(nested_programs(fails=False), starts()))


@pytest.fixture(scope="session")
def on_processes(
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
    drawn_programs: tuple[Program, ...],
    drawn_nested: tuple[tuple[Nested, Start], ...],
) -> Iterator[OnCelery]:
    """Engines, by the prefix of their graphs' names, on a worker of two processes."""
    folder = tmp_path_factory.mktemp("parity")
    nested = tuple(program for program, _ in drawn_nested)
    (folder / "programs").write_bytes(pickle.dumps((drawn_programs, nested)))
    namespace = f"p-{uuid.uuid4().hex[:8]}"
    told = {REDIS: redis_server.url, NAMESPACE: namespace, PROGRAMS: str(folder / "programs")}
    backend = plain_backend(redis_server.url, namespace)
    worker = CeleryWorker("tests.support.apps.parity_app", folder=folder, env=told)
    worker.wait_ready()
    yield lambda prefix, client=Blocking: celery_engine(Placing(backend, prefix), client)
    worker.end()
