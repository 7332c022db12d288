"""What the ledger and those who wait use of a Cluster, whose nodes redis-py finds when asked first.

All keys of a script are of one shard. What goes over many nodes is put together here: many commands
in a round trip to each node, a scan of all, and a read of streams that lie on several.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import redis
import redis.asyncio
from redis import exceptions
from redis.asyncio.cluster import ClusterNode as AsyncClusterNode
from redis.cluster import ClusterNode

Words = tuple[Any, ...]
FIRST_LOOK, LONGEST_LOOK = 0.005, 0.05
"""Seconds between looks for news: no read can wait on several nodes."""
_AT_ONCE = 16
_MOVED = exceptions.ConnectionError, exceptions.TimeoutError, exceptions.MovedError
"""What a node says, or not, that does not hold the keys any more."""


class ClusterClient:
    """A blocking client; ``address``: what messages call it. Nothing is opened until it is used."""

    def __init__(self, address: str, nodes: Sequence[tuple[str, int]], **how: Any) -> None:
        self.address = address
        self._nodes, self._how = nodes, how
        self._found: Any = None
        self._lock = threading.Lock()

    def execute_command(self, *words: Any) -> Any:
        """Carry out a command; raises what redis-py raises for a single server."""
        match words[0]:
            case "XREAD":
                return self._read(StreamsRead.of(words))
            case "SCAN":
                return self._scan(*words)
            case _:
                with _as_one_server():
                    return self._cluster().execute_command(*words)

    def pipeline(self, transaction: bool = False) -> Batch:
        """Return what collects commands; they are no transaction."""
        return Batch(self, transaction)

    def nodes(self) -> list[redis.Redis]:
        """Return a client of each node that holds keys, by their addresses."""
        with _as_one_server():
            cluster = self._cluster()
            found = sorted(cluster.get_primaries(), key=lambda node: str(node.name))
            return [cluster.get_redis_connection(node) for node in found]

    def close(self) -> None:
        """Close all connections."""
        if self._found is not None:
            self._found.close()

    def together(self, given: Sequence[Words]) -> list[Any]:
        """Return the replies, and errors, of commands with a key each; one round trip to a node."""
        found: list[Any] = [None] * len(given)
        with _as_one_server():
            places = self._by_node(given)
        for node, numbers in places:
            replies = _asked(self._cluster(), node, [given[number] for number in numbers])
            for number, reply in zip(numbers, replies, strict=True):
                found[number] = reply
        if any(isinstance(reply, _MOVED) for reply in found):
            with _as_one_server():
                self._cluster().nodes_manager.initialize()
        return found

    def _by_node(self, given: Sequence[Words]) -> list[tuple[Any, list[int]]]:
        """Return each node with its commands' places; not every redis-py has hashes of nodes."""
        cluster, nodes, found = self._cluster(), {}, defaultdict(list)
        for number, words in enumerate(given):
            node = cluster.nodes_manager.get_node_from_slot(cluster.keyslot(_key(words)))
            nodes[node.name] = node
            found[node.name].append(number)
        return [(nodes[name], numbers) for name, numbers in found.items()]

    def _cluster(self) -> Any:
        if self._found is None:
            with self._lock:
                if self._found is None:
                    nodes = [ClusterNode(*node) for node in self._nodes]  # type: ignore[no-untyped-call]
                    self._found = redis.RedisCluster(startup_nodes=nodes, **self._how)
        return self._found

    def _read(self, reading: StreamsRead) -> list[Any]:
        for pause in reading.pauses():
            if found := reading.found(self.together(reading.each)):
                return found
            time.sleep(pause)
        return []

    def _scan(self, name: str, cursor: int, *rest: Any) -> tuple[int, Any]:
        nodes = self.nodes()
        number, at = place_of(cursor, len(nodes))
        node: Any = nodes[number]
        reply = node.execute_command(name, at, *rest)
        return cursor_of(number, int(reply[0]), len(nodes)), reply[1]


class Batch:
    """Commands that go out together, as a pipeline of one server's client collects them."""

    def __init__(self, client: Any, _: bool) -> None:
        self._client, self._given = client, list[Words]()

    def execute_command(self, *words: Any) -> None:
        """Add a command."""
        self._given.append(words)

    def execute(self, raise_on_error: bool = False) -> Any:
        """Return the replies and errors, to be awaited where the client's are."""
        del raise_on_error  # an error stands among the replies
        return self._client.together(self._given)


class AsyncClusterClient:
    """The same for the running loop."""

    def __init__(self, address: str, nodes: Sequence[tuple[str, int]], **how: Any) -> None:
        self.address = address
        found = [AsyncClusterNode(*node) for node in nodes]
        self._cluster: Any = redis.asyncio.RedisCluster(startup_nodes=found, **how)

    async def execute_command(self, *words: Any) -> Any:
        """Do what ``ClusterClient.execute_command`` does."""
        match words[0]:
            case "XREAD":
                return await self._read(StreamsRead.of(words))
            case "SCAN":
                return await self._scan(*words)
            case _:
                with _as_one_server():
                    return await self._cluster.execute_command(*words)

    def pipeline(self, transaction: bool = False) -> Batch:
        """Return what collects commands; they are no transaction."""
        return Batch(self, transaction)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._cluster.aclose()

    async def together(self, given: Sequence[Words]) -> list[Any]:
        """Return the replies, and errors, of commands with a key each; several at once."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def reply(words: Words) -> Any:
            async with turn:
                try:
                    with _as_one_server():
                        return await self._cluster.execute_command(*words)
                except exceptions.RedisError as error:
                    return error

        return list(await asyncio.gather(*map(reply, given)))

    async def _read(self, reading: StreamsRead) -> list[Any]:
        for pause in reading.pauses():
            if found := reading.found(await self.together(reading.each)):
                return found
            await asyncio.sleep(pause)
        return []

    async def _scan(self, name: str, cursor: int, *rest: Any) -> tuple[int, Any]:
        with _as_one_server():
            await self._cluster.initialize()
            nodes = sorted(self._cluster.get_primaries(), key=lambda node: str(node.name))
            number, at = place_of(cursor, len(nodes))
            reply: Any = await nodes[number].execute_command(name, at, *rest)
        return cursor_of(number, int(reply[0]), len(nodes)), reply[1]


class StreamsRead:
    """A read of many streams as reads of each; ``block``: for how many seconds it waits."""

    def __init__(self, count: Any, block: float, streams: Mapping[Any, Any]) -> None:
        self._block = block
        self.each: list[tuple[Any, ...]] = [
            ("XREAD", "COUNT", count, "STREAMS", *pair) for pair in streams.items()
        ]

    @classmethod
    def of(cls, words: Words) -> StreamsRead:
        """Read XREAD COUNT n BLOCK ms STREAMS key ... id ..."""
        _, _, count, _, block, _, *rest = words
        half = len(rest) // 2
        return cls(count, block / 1_000, dict(zip(rest[:half], rest[half:], strict=True)))

    def pauses(self) -> Iterator[float]:
        """Yield how long to wait after each look."""
        until, pause = time.monotonic() + self._block, FIRST_LOOK
        yield min(pause, self._block)
        while (left := until - time.monotonic()) > 0:
            pause = min(LONGEST_LOOK, 2 * pause)
            yield min(pause, left)

    def found(self, replies: Sequence[Any]) -> list[Any]:
        """Return the streams with news; raises the first error where there are none."""
        news: list[Any] = []
        for reply in replies:
            if not isinstance(reply, Exception):
                news += reply.items() if isinstance(reply, dict) else reply or ()
        if not news and (errors := [each for each in replies if isinstance(each, Exception)]):
            raise errors[0]
        return news


def place_of(cursor: int, nodes: int) -> tuple[int, int]:
    """Return which of the nodes a scan has come to, and its cursor there."""
    return cursor % nodes, cursor // nodes


def cursor_of(number: int, at: int, nodes: int) -> int:
    """Return the cursor of a scan that is ``at`` a place of a node; behind the last one it is 0."""
    return at * nodes + number if at else (number + 1) % nodes


def _key(words: Words) -> Any:
    return words[3] if words[0] in ("EVALSHA", "EVAL") else words[-2 if words[0] == "XREAD" else 1]


def _asked(cluster: Any, node: Any, given: Sequence[Words]) -> list[Any]:
    """Return what a node answers; an error for each when it does not."""
    try:
        with _as_one_server():
            pipe = cluster.get_redis_connection(node).pipeline(transaction=False)
            for words in given:
                pipe.execute_command(*words)
            return list(pipe.execute(raise_on_error=False))
    except exceptions.RedisError as error:
        return [error] * len(given)


@contextmanager
def _as_one_server() -> Iterator[None]:
    """Let what redis-py says of a Cluster's nodes be a connection that failed."""
    try:
        yield
    except exceptions.RedisClusterException as error:
        raise exceptions.ConnectionError(str(error)) from error
