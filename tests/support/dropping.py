"""A broker in memory that drops connections, as others do with those that are idle."""

from __future__ import annotations

from typing import Any

from kombu.transport import memory


class Broker:
    """What a test does to the broker: all of its connections are made by this process."""

    def __init__(self) -> None:
        self.made, self.dropped = 0, 0
        self.takes = True

    def drop(self) -> None:
        """Have all connections that stand fail when they are used next."""
        self.dropped = self.made


BROKER = Broker()


class Channel(memory.Channel):
    """Is as good as its connection."""

    def __init__(self, connection: Any, **options: Any) -> None:
        super().__init__(connection, **options)
        BROKER.made += 1
        self._number = BROKER.made

    def _check(self) -> None:
        if self._number <= BROKER.dropped or not BROKER.takes:
            raise ConnectionResetError("Connection reset by peer")

    def _put(self, queue: str, message: Any, **options: Any) -> None:
        self._check()
        super()._put(queue, message, **options)

    def _size(self, queue: str) -> Any:
        self._check()
        return super()._size(queue)


class Transport(memory.Transport):
    """Makes such channels."""

    Channel = Channel
