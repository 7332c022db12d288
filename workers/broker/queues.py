"""How queues of an application of ours are declared, wherever it comes to know them."""

from __future__ import annotations

from typing import Any

from celery.app.amqp import Queues

_TYPE, QUORUM = "x-queue-type", "quorum"
MAXIMUM = "x-max-priority"


class OwnQueues(Queues):
    """All of the type that the default one has; those that know no maximum of priorities get none.

    Celery gives its type to the default queue alone, and only where no others are named.
    """

    def __setitem__(self, name: str, queue: Any) -> None:
        if self.create_missing_queue_type == QUORUM:
            queue.queue_arguments = {_TYPE: QUORUM, **(queue.queue_arguments or {})}
        super().__setitem__(name, queue)

    def _set_max_priority(self, args: dict[str, Any]) -> None:
        if args.get(_TYPE) != QUORUM:
            super()._set_max_priority(args)  # type: ignore[misc]  # left out of the types
