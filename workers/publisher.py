"""Sends hints through Celery; what the broker does with them is not relied upon."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from kombu.utils.url import maybe_sanitize_url

from distgraph.errors import BrokerUnavailable
from workers.hints import Outgoing

log = logging.getLogger(__name__)
CHUNK = 1_000
_HIGHEST = 9


class CeleryPublisher:
    """Publishes jobs of the task ``name``; ``reach`` is how long to try, in seconds."""

    def __init__(self, app: Callable[[], Celery], name: str, reach: float) -> None:
        self._app, self._name, self._reach = app, name, reach

    def reach(self) -> None:
        """Raise BrokerUnavailable, with the address but no password, unless the broker answers."""
        with self._producer() as producer:
            connection = producer.connection
            if not connection.connected:
                connection.ensure_connection(
                    max_retries=1,
                    interval_start=0.1,
                    timeout=self._reach,
                    reraise_as_library_errors=True,
                )

    def publish(self, messages: Iterable[Outgoing]) -> None:
        """Send messages; raises BrokerUnavailable when the broker does not take them."""
        task = self._app().tasks[self._name]
        with self._producer() as producer:
            lowest_is_first = producer.connection.transport.driver_type == "redis"
            with producer.batch(max_size=CHUNK):
                for message in messages:
                    task.apply_async(
                        args=message.args,
                        queue=message.queue or None,  # type: ignore[arg-type]  # None: the default
                        priority=_priority(message.priority, lowest_is_first=lowest_is_first),
                        producer=producer,
                        retry=False,
                        ignore_result=True,
                    )

    @contextmanager
    def _producer(self) -> Iterator[Any]:
        try:
            with self._app().producer_pool.acquire(block=True, timeout=self._reach) as producer:
                yield producer
        except (OperationalError, OSError) as error:
            address = maybe_sanitize_url(self._app().conf.broker_url or "")
            msg = f"The broker at {address} cannot be reached ({error}). Is it running?"
            raise BrokerUnavailable(msg) from error


def _priority(priority: int, *, lowest_is_first: bool) -> int:
    """Return a broker's priority for ours, of which 9 is the most urgent."""
    return _HIGHEST - priority if lowest_is_first else priority
