"""Connections to Redis that many short commands share, without what redis-py does around each.

For each command redis-py keeps count of what connections do, and wraps it for its own repetitions,
which the ledger does; that costs more than to send the command and to read its reply.
"""

from __future__ import annotations

from collections import deque
from queue import Empty, Full, SimpleQueue
from typing import Any

import redis
from redis import exceptions
from redis.sentinel import SentinelConnectionPool

DIRECT = frozenset(("EVALSHA", "EVAL", "XREAD", "LPUSH", "PING"))
"""What is sent by the shortest way, past redis-py's reading of replies: it is as Redis answers."""


class Stack:
    """What was put last is taken first, by one thread at a time; the others wait.

    As ``queue.LifoQueue``, for which a job of a worker pays thirty calls of Python.
    """

    def __init__(self, maxsize: int) -> None:
        self.queue: deque[Any] = deque()
        self._most = maxsize
        self._count: SimpleQueue[None] = SimpleQueue()

    def put_nowait(self, item: Any) -> None:
        """Add ``item``; raises ``queue.Full`` when there are ``maxsize`` already."""
        if len(self.queue) >= self._most:
            raise Full
        self.queue.append(item)
        self._count.put(None)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item, after at most ``timeout`` seconds; raises ``queue.Empty``."""
        self._count.get(block, timeout)
        return self.queue.pop()


class Pool(redis.BlockingConnectionPool):
    """Hands out connections in turn; who comes when all are in use waits."""

    pool: Any

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"queue_class": Stack, "timeout": None, **options})  # type: ignore[no-untyped-call]  # left out of the types

    def get_connection(self, *_: Any, **__: Any) -> Any:
        """Return a connection that is connected, and has nothing left to be read.

        Raises ConnectionError when none comes free within the timeout that a URL may give.
        """
        self._checkpid()
        try:
            connection = self.pool.get(timeout=self.timeout)
        except Empty:
            raise exceptions.ConnectionError("No connection available.") from None
        connection = connection or self.make_connection()  # type: ignore[no-untyped-call]
        try:
            connection.connect()
            if not _is_ready(connection):
                connection.disconnect()
                connection.connect()
        except BaseException:
            self.release(connection)
            raise
        return connection

    def release(self, connection: Any) -> None:
        """Take a connection back; one that a fork inherited is not used by both."""
        self._checkpid()
        ours = self.owns_connection(connection)
        if not ours or _has_to_move(connection):
            connection.disconnect()
        self.pool.put_nowait(connection if ours else None)


class SentinelPool(SentinelConnectionPool, Pool):
    """Hands out connections to the master that Sentinels name at the moment."""


class DirectClient(redis.Redis):
    """Sends by the shortest way what is sent most; all else is redis-py's."""

    def execute_command(self, *words: Any, **options: Any) -> Any:
        """Carry out a command; raises what redis-py raises."""
        if words[0] not in DIRECT:
            return super().execute_command(*words, **options)  # type: ignore[no-untyped-call]
        connection: Any = self.connection_pool.get_connection()
        try:
            connection.send_command(*words)
            return connection.read_response()
        finally:
            self.connection_pool.release(connection)


def _is_ready(connection: Any) -> bool:
    """Whether nothing came, such as the end, while the connection was not used."""
    try:
        return not connection.can_read()
    except (exceptions.RedisError, OSError):
        return False


def _has_to_move(connection: Any) -> bool:
    """Whether a server that goes into maintenance asked for it; not every redis-py listens."""
    asked = getattr(connection, "should_reconnect", None)
    return asked is not None and asked()
