"""A store in Redis: what outlives threads, for all processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

from checkpoint_redis import keys
from checkpoint_redis.keeping import Scripts, Shelf
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.servers.given import client_of
from checkpoint_redis.servers.opening import StoreClient
from distgraph._checked import checked
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.effects import acarry, carry
from distgraph.store.base import BaseStore, Op, OpResult, TTLConfig
from distgraph.store.embedding import Embed, Embedder


@checked
class RedisStore(BaseStore):
    """Keeps values in ``redis``, which needs no modules: a URL, or a blocking client.

    The client is made with ``decode_responses=False``. All stores of a ``namespace`` are one;
    threads of that name are apart from it. ``index``, an IndexConfig, lets searches have a
    ``query``: its vectors are kept with the values and compared in this process, so such a search
    reads all that is below its namespace. ``ttl``, a TTLConfig, is for values that are put without
    one; Redis removes by itself what has lapsed. ``types``: classes that values may be made of
    besides the plain ones.

    A namespace and a key take 1,024 bytes each (ValueError), a value 16 MiB (SerializationError).
    A search lists by namespace, and in a namespace what was put there first. The ``a...`` methods
    speak to Redis in threads, so a store belongs to no event loop. Raises ValueError for a
    ``namespace`` or URL that cannot be one.
    """

    supports_ttl: ClassVar[bool] = True

    def __init__(
        self,
        redis: StoreClient | str,
        *,
        namespace: str = "dg",
        index: Mapping[str, Any] | None = None,
        ttl: TTLConfig | None = None,
        types: Iterable[type] = (),
    ) -> None:
        keys.check_namespace(namespace)
        self.namespace, self.ttl_config = namespace, ttl
        self.client: Any = client_of(redis)
        self._ledger = Ledger(self.client, namespace=namespace)
        self._embedder = Embedder(index)
        self._shelf = Shelf(namespace, JsonPlusSerializer(allowed=types), self._embedder)

    @classmethod
    @contextmanager
    def from_conn_string(cls, conn_string: str, **options: Any) -> Iterator[Self]:
        """Connect to a URL such as redis://localhost:6379/0, and close it at the end.

        ``options``: those of the constructor.
        """
        store = cls(conn_string, **options)
        try:
            yield store
        finally:
            store.client.close()

    def setup(self) -> None:
        """Check that the server can be reached, and that the namespace is of this version."""
        self._ledger.check()

    def batch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Answer operations: what is asked for is what was there before.

        Each value is put whole or not at all; where one is refused, none of them is put.
        """
        return carry(self._shelf.batch(list(ops)), self._perform)

    async def abatch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Do what ``batch`` does."""
        return await acarry(self._shelf.batch(list(ops)), self._aperform)

    def _perform(self, need: Embed | Scripts) -> Any:
        if isinstance(need, Embed):
            return self._embedder.perform(need)
        return tuple(self._ledger.together(need))

    async def _aperform(self, need: Embed | Scripts) -> Any:
        if isinstance(need, Embed):
            return await self._embedder.aperform(need)
        return await asyncio.to_thread(self._perform, need)
