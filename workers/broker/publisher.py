"""Sends hints through Celery; what the broker does with them is not relied upon."""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain, islice
from typing import Any

from celery import Celery
from kombu import Producer
from kombu.exceptions import ChannelError, KombuError
from kombu.exceptions import ConnectionError as AmqpError
from kombu.utils.url import maybe_sanitize_url
from redis.exceptions import RedisError

from distgraph.errors import BrokerUnavailable

from ..shared.hints import Outgoing
from .eager import do_here

log = logging.getLogger(__name__)
CHUNK = 1_000
LONGEST_NAME = 255
"""Characters by which a job is known to who watches."""
_HIGHEST = 9
NOTHING_FOLLOWS: Mapping[str, None] = dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))


@contextmanager
def reaching(app: Celery) -> Iterator[None]:
    """Raise BrokerUnavailable for what shows that the broker of ``app`` is away."""
    try:
        yield
    except (KombuError, ChannelError, AmqpError, RedisError, OSError) as error:
        urls = str(app.conf.broker_url or "").split(";")  # of Sentinels, or a fail-over
        address = ";".join(maybe_sanitize_url(url) for url in urls)
        msg = f"The broker at {address} cannot be reached ({error}). Is it running?"
        raise BrokerUnavailable(msg) from None  # kombu's error has a chain of its own


class CeleryPublisher:
    """Publishes jobs of the task ``name``; ``reach`` is how long to try, in seconds."""

    def __init__(self, app: Celery, name: str, reach: float) -> None:
        self._app, self._name, self._reach = app, name, reach
        self._spare: dict[int, deque[Any]] = {}  # by process: one is not shared with a fork

    def reach(self, *, ask: bool = True) -> None:
        """Raise BrokerUnavailable, with the address but no password, unless the broker answers.

        ``ask``: whether a connection that stands is used, too: its broker may have gone since.
        Jobs that are done here need none.
        """
        if self._is_eager or (not ask and self._has_stood()):
            return
        with self._producer() as producer:
            connection = producer.connection
            if not connection.connected:
                connection.ensure_connection(
                    max_retries=1,
                    interval_start=0.1,
                    timeout=self._reach,
                    reraise_as_library_errors=True,
                )
            elif _is_redis(producer):  # it may have gone since, and only a command tells
                with producer.channel.conn_or_acquire() as client:
                    client.ping()

    @property
    def _is_eager(self) -> bool:
        return bool(self._app.conf.task_always_eager)

    def _has_stood(self) -> bool:
        """Whether the connection that is used next was connected when it was used last."""
        return any(one.connection.connected for one in tuple(self._spare.get(os.getpid(), ())))

    def publish(self, messages: Iterable[Outgoing]) -> None:
        """Send messages; raises BrokerUnavailable when the broker does not take them.

        Where ``task_always_eager`` is set it returns when the jobs, and what follows, are done.
        """
        if self._is_eager:
            do_here(self._app.tasks[self._name], messages)
            return
        waiting = iter(messages)
        ahead = list(islice(waiting, 2))
        if not ahead:
            return
        with self._producer() as producer, _together(producer, len(ahead)):
            send = self._sender(producer)
            for message in chain(ahead, waiting):
                send(message)

    def announce(self, kind: str, worker: str, fields: Mapping[str, Any]) -> None:
        """Send an event of ``worker`` to who watches; raises BrokerUnavailable as ``publish``."""
        with self._producer() as producer:
            events = self._app.events.Dispatcher(hostname=worker, enabled=False)
            events.publish(kind, fields, producer)

    def _sender(self, producer: Any) -> Callable[[Outgoing], None]:
        """Return what sends one message, past ``apply_async``: that costs more than a commit.

        The default exchange reaches every queue by its name, with any broker.
        """
        app = self._app
        on_redis = _is_redis(producer)

        def send(message: Outgoing) -> None:
            queue, job = message.queue or app.conf.task_default_queue, str(uuid.uuid4())
            producer.publish(
                json.dumps((message.args, {}, NOTHING_FOLLOWS)),
                content_type="application/json",
                content_encoding="utf-8",
                exchange="",
                routing_key=queue,
                # A list that is pushed to needs no declaration.
                declare=[] if on_redis else [app.amqp.queues[queue]],
                priority=_priority(message.priority, lowest_is_first=on_redis),
                headers=headers(
                    self._name,
                    job,
                    message.args[1],
                    message.args[-1],
                    message.name[:LONGEST_NAME] or None,
                ),
                correlation_id=job,
            )

        return send

    @contextmanager
    def _producer(self) -> Iterator[Any]:
        """Hand out a producer that nobody else uses; it is kept unless something fails.

        Celery's own pool makes parts of it anew each time, which costs a superstep more than its
        reducers do.
        """
        spare = self._spare.setdefault(os.getpid(), deque())
        with reaching(self._app):
            producer = self._taken(spare)
            yield producer
            spare.append(producer)

    def _taken(self, spare: deque[Any]) -> Any:
        try:
            return spare.pop()
        except IndexError:  # asked first, another thread might take the last one meanwhile
            return Producer(self._app.connection_for_write(), auto_declare=False)


def _together(producer: Any, count: int) -> AbstractContextManager[Any]:
    """Collect what is published for one round trip; that costs more than it saves for one."""
    return producer.batch(max_size=CHUNK) if count > 1 else nullcontext()


def _is_redis(producer: Any) -> bool:
    return bool(producer.connection.transport.driver_type == "redis")


def headers(task: str, job: str, x: str, tids: Sequence[str], shadow: str | None) -> dict[str, Any]:
    """Return what a Celery worker, and who watches it, has to know of a message.

    ``shadow``: what they call the job in place of ``task``, None = by that.
    """
    return {
        "lang": "py",
        "task": task,
        "id": job,
        "root_id": job,
        "parent_id": None,
        "group": None,
        "ignore_result": True,
        "shadow": shadow,
        "argsrepr": f"({x!r}, {len(tids)} tasks)",
        "kwargsrepr": "{}",
    }


def _priority(priority: int, *, lowest_is_first: bool) -> int:
    """Return a broker's priority for ours, of which 9 is the most urgent."""
    return _HIGHEST - priority if lowest_is_first else priority
