"""How many messages the broker holds for us."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from celery import Celery

from .publisher import reaching


def depths(app: Celery, queues: Callable[[], Iterable[str]]) -> Mapping[str, int]:
    """Return how many messages wait in each of ``queues``; none where that cannot be read.

    Raises BrokerUnavailable.
    """
    with reaching(app), app.connection_for_read() as connection:
        if connection.transport.driver_type != "redis":
            return {}
        channel: Any = connection.default_channel
        keys = {queue: _keys(channel, queue) for queue in queues()}
        with channel.conn_or_acquire() as client:
            pipe = client.pipeline(transaction=False)
            for each in keys.values():
                for key in each:
                    pipe.llen(key)
            found = iter(pipe.execute())
            return {queue: sum(next(found) for _ in each) for queue, each in keys.items()}


def _keys(channel: Any, queue: str) -> tuple[str, ...]:
    """Return the lists of a queue, one for each step of priorities.

    Separator and steps are settings of the application's, and its channel knows them; the client
    of a channel puts the application's prefix before the keys by itself.
    """
    lists = (channel._q_for_pri(queue, step) for step in channel.priority_steps)  # noqa: SLF001
    return tuple(dict.fromkeys(lists))
