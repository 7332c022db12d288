"""A cache in Redis, which processes and workers share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands.read import checked as checked_reply
from checkpoint_redis.commands.read import part
from checkpoint_redis.commands.script import Plain
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.servers.given import client_of
from checkpoint_redis.servers.opening import StoreClient
from distgraph._checked import checked
from distgraph.cache.base import BaseCache, CacheNamespace, FullKey, ValueT
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

_AT_ONCE = 500
"""So many keys are looked for, or removed, in one command."""


@checked
class RedisCache(BaseCache[ValueT]):
    """Keeps values in ``redis``: a URL, or a client made with ``decode_responses=False``.

    Each is a key of its own, which expires when its time is over. ``types``: classes that values
    may be made of, besides the types that are always known.

    StoreUnavailable is raised when the server cannot be reached.
    """

    def __init__(
        self,
        redis: StoreClient | str,
        *,
        namespace: str = "dg",
        serde: SerializerProtocol | None = None,
        types: Iterable[type] = (),
    ) -> None:
        super().__init__(serde=serde or JsonPlusSerializer(allowed=types))
        keys.check_namespace(namespace)
        self.namespace = namespace
        self.client: Any = client_of(redis)
        self._ledger = Ledger(self.client)

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        found = self._ledger.together([Plain(("GET", self._name(key)), _found) for key in keys])
        stored = dict(zip(keys, found, strict=True))
        return {key: self._read(blob) for key, blob in stored.items() if blob is not None}

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        return await asyncio.to_thread(self.get, keys)

    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        for _ in self._ledger.together([self._kept(key, *pair) for key, pair in pairs.items()]):
            pass

    async def aset(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        await asyncio.to_thread(self.set, pairs)

    def clear(self, namespaces: Sequence[CacheNamespace] | None = None) -> None:
        if namespaces is None:
            self._remove(f"{keys.all_cached(self.namespace)}*")
        for kept_in in namespaces or ():
            self._remove(keys.cached(self.namespace, kept_in, "*"))

    async def aclear(self, namespaces: Sequence[CacheNamespace] | None = None) -> None:
        await asyncio.to_thread(self.clear, namespaces)

    def _name(self, key: FullKey) -> str:
        return keys.cached(self.namespace, *key)

    def _kept(self, key: FullKey, value: ValueT, ttl: int | None) -> Plain[bool]:
        name, blob = self.serde.dumps_typed(value)
        until = () if ttl is None else ("EX", ttl)
        return Plain(("SET", self._name(key), name.encode() + b"\n" + blob, *until), bool)

    def _read(self, stored: bytes) -> ValueT:
        name, _, blob = stored.partition(b"\n")
        value: ValueT = self.serde.loads_typed((name.decode(), blob))
        return value

    def _remove(self, pattern: str) -> None:
        cursor, begun = 0, False
        while cursor or not begun:
            scan = Plain(("SCAN", cursor, "MATCH", pattern, "COUNT", _AT_ONCE), _page)
            (cursor, names), begun = self._ledger.call(scan), True
            for _ in self._ledger.together([Plain(("DEL", name), bool) for name in names]):
                pass


def _found(raw: bytes | None) -> bytes | None:
    return raw


@checked_reply
def _page(raw: Any) -> tuple[int, tuple[bytes, ...]]:
    cursor, names = part(raw)
    return int(cursor), tuple(names)
