"""kombu's Redis transport, but its channels keep their clients."""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection
from kombu.transport import redis


class Channel(redis.Channel):
    """Keeps its client.

    kombu makes a new one for every publish, delivery and acknowledgement, which costs more than the
    commands that are sent through it.
    """

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # left out of the types
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]  # left out of the types
        return self._kept


class Transport(redis.Transport):
    """Makes such channels."""

    Channel = Channel


class OwnConnection(Connection):
    """Takes the transport above for every URL that kombu has its Redis transport for.

    Celery's ``broker_transport`` is not enough: kombu goes by the scheme of a socket's URL, and of
    the next URL of a list.
    """

    def get_transport_cls(self) -> Any:
        """Return the class of the transport."""
        found = super().get_transport_cls()
        return Transport if found is redis.Transport else found


class OwnAMQP(AMQP):
    """What an application makes its connections with."""

    Connection = OwnConnection
