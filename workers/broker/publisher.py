"""Sends hints through Celery; what the broker does with them is not relied upon."""

from __future__ import annotations

import logging
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any, Final

from celery import Celery
from kombu import Producer
from kombu.exceptions import ChannelError, KombuError
from kombu.transport.virtual import Channel as VirtualChannel
from kombu.utils.url import maybe_sanitize_url

from distgraph.errors import BrokerUnavailable
from distgraph.graph.checks import HIGHEST

from ..shared.hints import Outgoing, body
from .eager import do_here

log: Final = logging.getLogger(__name__)
CHUNK = 1_000
PRECONDITION_FAILED = 406
"""AMQP's code for a queue that is declared otherwise than it is."""
LONGEST_NAME = 255
"""Characters by which a job is known to who watches."""


@contextmanager
def reaching(app: Celery) -> Iterator[None]:
    """Raise BrokerUnavailable for what shows that the broker of ``app`` is away."""
    try:
        yield
    except Exception as error:
        if not _tells_away(app, error):
            raise
        # kombu's error has a chain of its own.
        raise BrokerUnavailable(_told(app, error)) from None


def _told(app: Celery, error: Exception) -> str:
    """Say which broker is away, or refuses, and what to look at."""
    urls = str(app.conf.broker_url or "").split(";")  # of Sentinels, or a fail-over
    address = ";".join(maybe_sanitize_url(url) for url in urls)
    if getattr(error, "reply_code", None) == PRECONDITION_FAILED:
        what = f"The broker at {address} has this queue in another form ({error})."
        todo = "Delete the queue there, or set task_queue_max_priority and task_default_queue_type"
        return f"{what} {todo} of the Celery application as they were when it was made."
    return f"The broker at {address} cannot be reached ({error}). Is it running?"


def _tells_away(app: Celery, error: Exception) -> bool:
    """Whether this is what kombu's transports raise when a broker is away; each has its own."""
    if isinstance(error, LookupError):  # which kombu lists for one of them, and is ours elsewhere
        return False
    of = app.connection_for_write()
    return isinstance(error, (KombuError, OSError, *of.connection_errors, *of.channel_errors))


class CeleryPublisher:
    """Publishes jobs of the task ``name``; ``reach`` is how long to try, in seconds."""

    def __init__(self, app: Celery, name: str, reach: float) -> None:
        self._app, self._name, self._reach = app, name, reach
        self._spare: dict[int, deque[Any]] = {}  # by process: one is not shared with a fork
        self._works = False

    def reach(self, *, ask: bool = True) -> None:
        """Raise BrokerUnavailable, with the address but no password, unless the broker answers.

        ``ask``: whether a connection that stands is used, too: its broker may have gone since.
        Jobs that are done here need none.
        """
        if self._is_eager or (not ask and self._has_stood()):
            return
        self._use(self._ask)

    def _ask(self, producer: Any) -> None:
        """Have the broker answer: that a connection stands here does not say that it does there."""
        channel = producer.channel
        if _is_redis(producer):
            with channel.conn_or_acquire() as client:
                client.ping()
        elif isinstance(channel, VirtualChannel):
            with suppress(ChannelError):  # there is no such queue yet: an answer, too
                channel.queue_declare(self._app.conf.task_default_queue, passive=True)
        else:
            producer.connection.channel().close()

    @property
    def _is_eager(self) -> bool:
        return not self._works and bool(self._app.conf.task_always_eager)

    def work(self) -> None:
        """Publish for a worker from now on: where there is one, jobs are its to do."""
        self._works = True

    def _has_stood(self) -> bool:
        """Whether the connection that is used next was connected when it was used last."""
        return any(one.connection.connected for one in tuple(self._spare.get(os.getpid(), ())))

    def publish(self, messages: Iterable[Outgoing]) -> bool:
        """Send messages; False when the broker does not take them, which the log tells.

        What they tell of is stored by then, and the sweeper sends them again. Where
        ``task_always_eager`` is set it returns when the jobs, and what follows, are done.
        """
        if self._is_eager:
            do_here(self._app.tasks[self._name], messages)
            return True
        all_of = tuple(messages)
        try:
            if all_of:
                self._use(partial(self._send, all_of))
        except BrokerUnavailable as error:
            log.warning("%d hints are left to the sweeper: %s", len(all_of), error)
            return False
        except Exception:
            log.exception("%d hints could not be sent, and are left to the sweeper", len(all_of))
            return False
        return True

    def announce(self, kind: str, worker: str, fields: Mapping[str, Any]) -> None:
        """Send an event of ``worker`` to who watches; raises BrokerUnavailable."""
        events = self._app.events.Dispatcher(hostname=worker, enabled=False)
        self._use(partial(events.publish, kind, fields))

    def again(self, message: Any, queue: str, told: Mapping[str, Any]) -> None:
        """Put a message that was taken at the end of ``queue``, with what its headers tell besides.

        Raises BrokerUnavailable.
        """
        properties = message.properties
        self._use(
            lambda producer: producer.publish(
                message.body,
                content_type=message.content_type,
                content_encoding=message.content_encoding,
                exchange="",
                routing_key=queue,
                priority=properties.get("priority"),
                headers={**message.headers, **told},
                correlation_id=properties.get("correlation_id"),
            )
        )

    def _send(self, messages: Sequence[Outgoing], producer: Any) -> None:
        with _together(producer, len(messages)):
            send = self._sender(producer)
            for message in messages:
                send(message)

    def _sender(self, producer: Any) -> Callable[[Outgoing], None]:
        """Return what sends one message, past ``apply_async``: that costs more than a commit.

        The default exchange reaches every queue by its name, with any broker.
        """
        app = self._app
        on_redis = _is_redis(producer)

        def send(message: Outgoing) -> None:
            queue, job = message.queue or app.conf.task_default_queue, str(uuid.uuid4())
            producer.publish(
                body(message.args),
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

    def _use(self, do: Callable[[Any], object]) -> None:
        """Have ``do`` work with a producer that nobody else uses; raises BrokerUnavailable.

        Where a connection fails that has stood for a while, a new one is tried, once: brokers drop
        those that are idle. Producers are kept: Celery's own pool makes parts of them anew each
        time, which costs a superstep more than its reducers do.
        """
        spare = self._spare.setdefault(os.getpid(), deque())
        if not self._used_again(spare, do):
            with reaching(self._app):
                producer = self._connected()
                do(producer)
            spare.append(producer)

    def _used_again(self, spare: deque[Any], do: Callable[[Any], object]) -> bool:
        """Whether there was a producer that has stood, and that was good for it."""
        try:
            producer = spare.pop()
        except IndexError:  # asked first, another thread might take the last one meanwhile
            return False
        try:
            with reaching(self._app):
                do(producer)
        except BrokerUnavailable as error:
            log.info("A connection to the broker is made anew: %s", error)
            spare.clear()  # the others were idle for longer
            return False
        spare.append(producer)
        return True

    def _connected(self) -> Any:
        """Return a new producer, connected within the reach."""
        connection: Any = self._app.connection_for_write()
        connection.ensure_connection(
            max_retries=1,
            interval_start=0.1,
            timeout=self._reach,
            reraise_as_library_errors=True,
        )
        return Producer(connection, auto_declare=False)


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
    """Return a broker's priority for ours."""
    return HIGHEST - priority if lowest_is_first else priority
