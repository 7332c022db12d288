"""A member's open connection to the server: the way to it that is left when its folder is gone."""

from __future__ import annotations

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .server import GONE_WITHIN, EmbeddedRedis

NAME = "distgraph-member"
_OPEN: Any = redis.UnixDomainSocketConnection
"""Its methods have no types."""


class Hold:
    """What the server knows a member by, without its folder.

    The kernel closes it with its process. It is never opened again: another server may be there.
    """

    def __init__(self, server: EmbeddedRedis) -> None:
        self._line = _OPEN(
            path=str(server.socket),
            client_name=NAME,
            protocol=2,
            socket_timeout=GONE_WITHIN,
            retry=Retry(NoBackoff(), 0),
        )
        self._line.connect()

    def end_with_the_last(self) -> None:
        """End the server, whose data are gone, unless another member holds on to it.

        Each gives up its name before it looks who is left, so that one of them finds nobody.
        """
        try:
            self._ask("CLIENT", "SETNAME", "")
            if f" name={NAME} ".encode() not in self._ask("CLIENT", "LIST"):
                self._ask("SHUTDOWN", "NOSAVE")
        except redis.RedisError:
            return  # it has ended, by this or before

    def drop(self) -> None:
        """Close the connection; in a forked child its own end alone."""
        self._line.disconnect()

    def _ask(self, *words: str) -> Any:
        self._line.send_command(*words)
        return self._line.read_response()
