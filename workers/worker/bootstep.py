"""What a Celery worker does for a backend while it lives: appear, sweep, release what is lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from celery import Celery, bootsteps
from celery.concurrency.prefork import TaskPool as ProcessPool
from redis.exceptions import ResponseError

from checkpoint_redis import source
from distgraph.errors import DistGraphError

from . import presence, releasing
from .audience import audience_step
from .departures import Departures
from .intake import guard_step
from .meeting import HandingOn
from .office import Office
from .sweeper import Sweeper

log: Final = logging.getLogger(__name__)


def add_bootstep(app: Celery, office: Office, task: Any, *, own: bool) -> None:
    """Make every worker of ``app`` look after ``office``'s threads; ``own``: the app is ours."""
    sweepers: dict[str, Sweeper] = {}
    ends = Departures(office)

    class Care(bootsteps.StartStopStep):
        """Sweeps from the worker's main process, and lets coroutine jobs end at shutdown."""

        requires = ("celery.worker.components:Pool",)
        name = f"distgraph.{office.settings.namespace}"

        def __init__(self, worker: Any, **options: Any) -> None:
            super().__init__(worker, **options)
            # The pool has not forked yet.
            office.employ(worker.hostname, worker.time_limit)
            source.assemble()
            _learn(office)
            ends.follow(worker, task)

        def start(self, worker: Any) -> None:
            ends.follow_pool(worker.pool)
            if own and worker.pool_cls is not ProcessPool:
                # A thread that ends a task does not wake the consumer, which would leave the next
                # message where it is for up to a second.
                app.conf.worker_disable_prefetch = False
            sweeper = Sweeper(office, app, worker.hostname, partial(_consumes, worker))
            sweepers[worker.hostname] = sweeper
            sweeper.start()

        def stop(self, worker: Any) -> None:
            ends.warm()
            self._leave(worker)

        def terminate(self, worker: Any) -> None:
            ends.cold()
            self._leave(worker)

        def _leave(self, worker: Any) -> None:
            sweepers[worker.hostname].stop()
            office.loop.close()
            releasing.wind_up(office)
            presence.leave(office, worker.hostname)

    app.steps["worker"].add(Care)
    app.steps["consumer"].add(_teller(f"{Care.name}.consuming", sweepers, ends))
    app.steps["consumer"].add(_patient(f"{Care.name}.patience"))
    app.steps["consumer"].add(audience_step(f"{Care.name}.watched", office.audience))
    handing = HandingOn(office.publisher, office.meetings, office.settings.namespace)
    app.steps["consumer"].add(guard_step(task.name, office.dropped, handing, own=own))


def _teller(label: str, sweepers: Mapping[str, Sweeper], ends: Departures) -> type:
    """Return the step of a consumer after which its worker tells what it consumes."""

    class Consuming(bootsteps.StartStopStep):
        """Has the worker look as soon as it consumes, also when it does so again."""

        requires = ("celery.worker.consumer.tasks:Tasks",)
        name = label

        def __init__(self, consumer: Any, **options: Any) -> None:
            super().__init__(consumer, **options)
            ends.follow_consumer(consumer)

        def start(self, consumer: Any) -> None:
            if sweeper := sweepers.get(consumer.hostname):
                consumer.call_soon(sweeper.look)

    return Consuming


def _patient(label: str) -> type:
    """Return the step of a consumer that lets it outlast a broker that refuses for a while."""

    class Patience(bootsteps.Step):
        """Has the consumer connect again where Celery ends the worker.

        Redis refuses so while it fails over, loads, or has no room in memory or on its disk.
        """

        name = label

        def __init__(self, consumer: Any, **options: Any) -> None:
            super().__init__(consumer, **options)
            consumer.connection_errors = (*consumer.connection_errors, ResponseError)

    return Patience


def _consumes(worker: Any, queue: str) -> bool:
    """Whether a Celery worker takes messages from ``queue`` at this moment."""
    tasks = getattr(worker.consumer, "task_consumer", None)
    return tasks is not None and bool(tasks.consuming_from(queue))


def _learn(office: Office) -> None:
    """See which installation this is, for all processes of the worker; later when Redis is away."""
    try:
        office.installation.look()
    except DistGraphError as error:
        log.warning("Redis cannot be asked at the start, and is asked again: %s", error)
