"""A cache in Redis, which processes and workers share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from checkpoint_redis import keys
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

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        stored = {key: self.client.get(self._name(key)) for key in keys}
        return {key: self._read(blob) for key, blob in stored.items() if blob is not None}

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        return await asyncio.to_thread(self.get, keys)

    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        for key, (value, ttl) in pairs.items():
            name, blob = self.serde.dumps_typed(value)
            self.client.set(self._name(key), name.encode() + b"\n" + blob, ex=ttl)

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

    def _read(self, stored: bytes) -> ValueT:
        name, _, blob = stored.partition(b"\n")
        value: ValueT = self.serde.loads_typed((name.decode(), blob))
        return value

    def _remove(self, pattern: str) -> None:
        for name in self.client.scan_iter(match=pattern, count=_AT_ONCE):
            self.client.delete(name)
