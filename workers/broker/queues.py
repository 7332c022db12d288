"""How queues of an application of ours are declared, wherever it comes to know them."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.app.amqp import Queues

_TYPE, QUORUM = "x-queue-type", "quorum"
MAXIMUM = "x-max-priority"


class OwnQueues(Queues):
    """All of the type that the default one has; those that know no maximum of priorities get none.

    Celery gives its type to the default queue alone, and only where no others are named.
    """

    create_missing_queue_type: str  # left out of the types

    def __setitem__(self, name: str, queue: Any) -> None:
        if self.create_missing_queue_type == QUORUM:
            queue.queue_arguments = {_TYPE: QUORUM, **(queue.queue_arguments or {})}
        super().__setitem__(name, queue)

    def _set_max_priority(self, args: dict[str, Any]) -> None:
        if args.get(_TYPE) != QUORUM:
            super()._set_max_priority(args)  # type: ignore[misc]  # left out of the types


def why_none_is_urgent(app: Celery, queue: str) -> str | None:
    """Return what keeps RabbitMQ from telling ten priorities apart in ``queue``.

    None where nothing does, and for other brokers.
    """
    if app.connection_for_write().transport.driver_type != "amqp":
        return None
    if queue not in app.amqp.queues and not app.conf.task_create_missing_queues:
        return "is not in the application's task_queues, and it makes no missing ones"
    arguments = app.amqp.queues[queue].queue_arguments or {}
    if arguments.get(_TYPE) == QUORUM:
        return "is a quorum queue: RabbitMQ 4 tells 5 to 9 from the rest there, and older ones none"
    if MAXIMUM not in arguments:
        return "has no x-max-priority: set the application's task_queue_max_priority to 9"
    return None
