"""A Celery application whose workers know the graphs of the parity tests."""

from __future__ import annotations

import contextlib
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery

from distgraph.checkpoint.memory import InMemorySaver
from tests.parity.catalogue import CASES
from tests.parity.engines import Engine, Placing, celery_engine
from tests.parity.nesting import build as build_nested
from tests.parity.programs import build
from workers import CeleryBackend

REDIS, NAMESPACE, PROGRAMS = "PARITY_REDIS", "PARITY_NAMESPACE", "PARITY_PROGRAMS"
"""Environment variables; the last one names the file with the random programs."""


def plain_backend(redis: str, namespace: str) -> CeleryBackend:
    """Return a backend on an application that a user might bring: all graphs share its queue."""
    app = Celery(namespace, broker=redis, set_as_current=False)
    app.conf.update(task_default_queue=namespace, broker_connection_retry_on_startup=True)
    return CeleryBackend(redis, app=app, namespace=namespace)


def register_programs(backend: CeleryBackend, path: Path) -> None:
    """Register the graphs of random programs, ``random-<number>-0`` and ``nested-<number>-0``."""
    random, nested = pickle.loads(path.read_bytes())
    for number, program in enumerate(random):
        build(celery_engine(Placing(backend, f"random-{number}")), program)
    for number, program in enumerate(nested):
        build_nested(celery_engine(Placing(backend, f"nested-{number}")), program)


def register_cases(backend: CeleryBackend) -> None:
    """Register the graphs of the hand-written cases: each is played through in memory for that."""
    for name, case in CASES.items():
        with contextlib.suppress(Exception):
            case(_rehearsal(Placing(backend, name)))


def _rehearsal(placing: Placing) -> Engine:
    return celery_engine(_Both(placing))


@dataclass(frozen=True, slots=True)
class _Both:
    """Registers the graph by `placing` and gives one that runs here."""

    placing: Placing

    def __call__(self, builder: Any, **options: Any) -> Any:
        self.placing(builder, **options)
        return builder.compile(checkpointer=InMemorySaver(), **options)

    def store(self) -> Any:
        return self.placing.store()

    def cache(self) -> Any:
        """Return a cache that the workers of the backend share."""
        return self.placing.cache()

    def settle(self, thread_id: str) -> None:
        """Do nothing: here a call ends after its tasks."""


def _app() -> Any:
    if PROGRAMS not in os.environ:
        return None
    backend = plain_backend(os.environ[REDIS], os.environ[NAMESPACE])
    register_programs(backend, Path(os.environ[PROGRAMS]))
    register_cases(backend)
    return backend.app


app = _app()
