"""A job that nobody sees fail ends quietly; whoever could see it, sees it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, Task, signals
from celery.app.trace import reset_worker_optimizations, setup_worker_optimizations

from tests.support.redis_server import RedisServer
from workers import CeleryBackend
from workers.worker.witnesses import Told, has_witnesses

LOG = logging.getLogger("celery.app.trace")


def made(kind: Any = None, **options: Any) -> Any:
    """Return a task of an application whose tasks are of a class."""
    app = Celery("seen", broker="memory://", task_cls=kind, set_as_current=False)

    @app.task(name="seen.step", shared=False, **options)
    def step() -> None: ...

    app.finalize()
    return step


def test_nobody_is_there_by_default() -> None:
    assert not has_witnesses(made())


def test_not_even_once_a_worker_has_prepared_its_tasks() -> None:
    task = made()
    setup_worker_optimizations(task.app, "w@here")
    try:
        assert not has_witnesses(task)
    finally:
        reset_worker_optimizations(task.app)


@pytest.mark.celery
def test_a_worker_is_none_itself(redis_server: RedisServer, namespace: str) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    with backend.worker():
        assert not has_witnesses(backend.app.tasks[f"{namespace}.step"])


def receive(**_: Any) -> None:
    """Stand for what a user connects to a signal."""


@pytest.fixture(params=["task_failure", "task_success", "task_postrun"])
def received(request: pytest.FixtureRequest) -> Iterator[None]:
    signal = getattr(signals, request.param)
    signal.connect(receive)
    yield
    signal.disconnect(receive)


@pytest.mark.usefixtures("received")
def test_a_receiver_of_a_signal_is_one() -> None:
    assert has_witnesses(made())


@pytest.mark.parametrize("hook", ["__call__", "on_failure", "on_success", "after_return"])
def test_a_class_of_tasks_may_be_one(hook: str) -> None:
    kind = type("Own", (Task,), {hook: lambda *_: None})
    assert has_witnesses(made(kind))
    assert not has_witnesses(made(type("Own", (Task,), {"on_retry": lambda *_: None})))


def test_who_puts_a_wrapper_around_the_task_is_one() -> None:
    task = made()
    task.run = lambda: None
    assert has_witnesses(task)


def test_where_errors_are_stored_somebody_looks_for_them() -> None:
    assert has_witnesses(made(store_errors_even_if_ignored=True))


def logged(job: Any) -> bool:
    record = LOG.makeRecord(LOG.name, logging.INFO, "f", 0, "ended", (), None, extra={"data": job})
    return bool(LOG.filter(record))


def test_of_what_was_told_celery_says_no_more() -> None:
    told = Told()
    told.note("job-1")
    told.note("job-2")
    assert not logged({"id": "job-2"})
    assert logged({"id": "job-3"})
    assert logged({})
    assert logged("no facts")
    assert LOG.filter(LOG.makeRecord(LOG.name, logging.INFO, "f", 0, "of another", (), None))
