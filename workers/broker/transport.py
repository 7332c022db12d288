"""kombu's Redis transport, but its channels keep their clients."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection
from kombu.transport import redis
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from checkpoint_redis.servers.connections import DirectClient, Pool

from .queues import OwnQueues, maximum

NAMES = 1_000
"""So many names of lists a channel knows."""


class Channel(redis.Channel):
    """Keeps its client, and what its lists are called.

    kombu makes a new one for every publish, delivery and acknowledgement, which costs more than the
    commands that are sent through it, and works out the names of all lists for every read, each of
    a queue and a priority. It also knows under which number its reader is known to
    Redis, so that a blocked read can be ended. What it pushes goes the shortest way.
    """

    _kept: Any = None
    _in_poll: Any
    _reader: tuple[Any, int | None] = (None, None)

    def _get_client(self) -> Any:
        found = super()._get_client()  # type: ignore[misc]  # left out of the types
        return DirectClient if found is Redis else found

    def _get_pool(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._get_pool(asynchronous=True)  # type: ignore[misc]  # left out of the types
        return Pool(**self._connparams())  # type: ignore[attr-defined]  # left out of the types

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # left out of the types
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]  # left out of the types
        return self._kept

    @cached_property
    def _q_for_pri(self) -> Any:
        # Bounded: each reply to a remote control command goes to a queue of its own.
        return lru_cache(NAMES)(super()._q_for_pri)  # type: ignore[misc]  # left out of the types

    def basic_consume(self, queue: str, *args: Any, **options: Any) -> Any:
        """Consume ``queue`` too, from now on: the read that is under way is of other queues."""
        found = super().basic_consume(queue, *args, **options)
        self._end_read()
        return found

    def close(self) -> None:
        """End, without waiting for a read that finds nothing."""
        self._end_read()
        super().close()

    def _end_read(self) -> None:
        """Have Redis answer the read that is under way; otherwise it does so within a second."""
        socket, number = self._reader
        if not self._in_poll or number is None or _socket(self._in_poll) is not socket:
            return
        with suppress(RedisError), self.conn_or_acquire() as client:
            client.client_unblock(number)

    def _brpop_start(self, timeout: float | None = None) -> Any:
        connection = self.client.connection
        if _socket(connection) is None or _socket(connection) is not self._reader[0]:
            self._reader = self._known_to_redis(connection)
        return super()._brpop_start(timeout)  # type: ignore[misc]  # left out of the types

    def _known_to_redis(self, connection: Any) -> tuple[Any, int | None]:
        """Return the socket that is read from, and Redis' number of it, if it may be asked."""
        connection.send_command("CLIENT", "ID")
        try:
            number = int(connection.read_response())
        except ResponseError:
            return _socket(connection), None
        return _socket(connection), number


def _socket(connection: Any) -> Any:
    """Return what a connection is connected by at present, None when it is not."""
    return connection._sock  # noqa: SLF001 kombu goes by it, too


class SentinelChannel(Channel, redis.SentinelChannel):
    """Such a channel to the server that Sentinels name."""

    _get_pool = redis.SentinelChannel._get_pool  # type: ignore[attr-defined]  # noqa: SLF001 it follows the Sentinels


class Transport(redis.Transport):
    """Makes such channels."""

    Channel: type[Any] = Channel


class SentinelTransport(redis.SentinelTransport):
    """Makes such channels by way of Sentinels."""

    Channel: type[Any] = SentinelChannel


_OURS: Mapping[type[Any], type[Any]] = {
    redis.Transport: Transport,
    redis.SentinelTransport: SentinelTransport,
}


class OwnConnection(Connection):
    """Takes the transports above for every URL that kombu has its Redis transports for.

    Celery's ``broker_transport`` is not enough: kombu goes by the scheme of a socket's URL, and of
    the next URL of a list.
    """

    def get_transport_cls(self) -> Any:
        """Return the class of the transport."""
        found = super().get_transport_cls()
        return _OURS.get(found, found)


class OwnAMQP(AMQP):
    """What an application makes its connections with, and its queues."""

    Connection: type[Any] = OwnConnection
    queues_cls: type[Any] = OwnQueues

    def Queues(self, queues: Any, *given: Any, **options: Any) -> Any:  # noqa: N802 Celery's name
        """Return the queues that the settings name; others will be of the same type."""
        kind = self.app.conf.task_default_queue_type
        ours = {"create_missing_queue_type": kind, "max_priority": maximum(self.app)}
        return super().Queues(queues, *given, **{**options, **ours})
