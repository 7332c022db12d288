"""How queues of an application of ours are declared, wherever it comes to know them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.app.amqp import Queues

from distgraph.graph.checks import HIGHEST

_TYPE, QUORUM = "x-queue-type", "quorum"
MAXIMUM = "x-max-priority"


def maximum(app: Celery) -> int | None:
    """Return the maximum of priorities of an application of ours: as it is set, else all ten.

    A quorum queue gets none unless it is set: RabbitMQ refuses it before version 4.3.
    """
    changes: Mapping[str, int | None] = app.conf.changes or {}
    ours = None if app.conf.task_default_queue_type == QUORUM else HIGHEST
    return changes.get("task_queue_max_priority", ours)


class OwnQueues(Queues):
    """All of the type that the default one has.

    Celery gives its type to the default queue alone, and only where no others are named.
    """

    create_missing_queue_type: str  # left out of the types

    def __setitem__(self, name: str, queue: Any) -> None:
        if self.create_missing_queue_type == QUORUM:
            queue.queue_arguments = {_TYPE: QUORUM, **(queue.queue_arguments or {})}
        super().__setitem__(name, queue)


def why_none_is_urgent(app: Celery, queue: str) -> str | None:
    """Return what keeps RabbitMQ from telling ten priorities apart in ``queue``.

    None where nothing does, and for other brokers.
    """
    if app.connection_for_write().transport.driver_type != "amqp":
        return None
    if queue not in app.amqp.queues and not app.conf.task_create_missing_queues:
        return "is not in the application's task_queues, and it makes no missing ones"
    arguments = app.amqp.queues[queue].queue_arguments or {}
    if MAXIMUM in arguments:
        return None
    if arguments.get(_TYPE) == QUORUM:
        return (
            "is a quorum queue without x-max-priority: RabbitMQ 4.3 takes task_queue_max_priority "
            "for these too, 4.0 tells 5 to 9 from the rest, and older ones none"
        )
    return "has no x-max-priority: set the application's task_queue_max_priority to 9"
