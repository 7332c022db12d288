"""kombu's Redis transport, but a message that nobody can read is dropped instead of fatal.

Whoever may write to the broker could otherwise end every worker with one entry of a list.
"""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any, cast

from celery.app.amqp import AMQP
from kombu import Connection
from kombu.transport import redis

log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Reads on after an entry that is not JSON, or whose body cannot be decoded.

    It also keeps its client: kombu makes a new one for every publish, delivery and
    acknowledgement, which costs more than the commands that are sent through it.
    """

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # as below
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]  # as below
        return self._kept

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # left out of the types
        except ValueError as error:
            cast(Transport, self.connection).drop(error)
            raise Empty from error


class Transport(redis.Transport):
    """Counts what it drops, and logs the first."""

    Channel = Channel
    garbled = 0

    def drop(self, what: object) -> None:
        """Note a message that is no message."""
        self.garbled += 1
        if self.garbled == 1:
            log.warning("A garbled message was ignored: %.200r. Others are counted.", what)

    def _deliver(self, message: Any, queue: str | None) -> None:
        match message:
            case {"properties": {"delivery_tag": str(), "delivery_info": {}}}:
                super()._deliver(message, queue)
            case _:
                self.drop(message)


class GuardedConnection(Connection):
    """Takes the transport above for every URL that kombu has its Redis transport for.

    Celery's ``broker_transport`` is not enough: kombu goes by the scheme of a socket's URL, and of
    the next URL of a list.
    """

    def get_transport_cls(self) -> Any:
        """Return the class of the transport."""
        found = super().get_transport_cls()
        return Transport if found is redis.Transport else found


class GuardedAMQP(AMQP):
    """What an application makes its connections with."""

    Connection = GuardedConnection
