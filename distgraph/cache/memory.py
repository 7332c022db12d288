"""A cache in the memory of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from distgraph._checked import checked
from distgraph.cache.base import BaseCache, CacheNamespace, FullKey, ValueT
from distgraph.checkpoint.serde.base import SerializerProtocol


class _Cached(NamedTuple):
    """A value as bytes of a format; ``until``, on the clock of this process, it is kept."""

    stored: tuple[str, bytes]
    until: float | None


@checked
class InMemoryCache(BaseCache[ValueT]):
    """Keeps values until this process ends, or their time does."""

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._lock = threading.Lock()
        self._kept: dict[CacheNamespace, dict[str, _Cached]] = {}

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        now, found = time.monotonic(), {}
        with self._lock:
            for namespace, key in keys:
                there = self._kept.get(tuple(namespace), {})
                kept = there.get(key)
                if kept is not None and kept.until is not None and kept.until <= now:
                    del there[key]
                elif kept is not None:
                    found[namespace, key] = kept.stored
        return {key: self.serde.loads_typed(stored) for key, stored in found.items()}

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        return self.get(keys)

    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        now = time.monotonic()
        made = {
            key: _Cached(self.serde.dumps_typed(value), None if ttl is None else now + ttl)
            for key, (value, ttl) in pairs.items()
        }
        with self._lock:
            for (namespace, key), kept in made.items():
                self._kept.setdefault(tuple(namespace), {})[key] = kept

    async def aset(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        self.set(pairs)

    def clear(self, namespaces: Sequence[CacheNamespace] | None = None) -> None:
        with self._lock:
            for namespace in tuple(self._kept) if namespaces is None else namespaces:
                self._kept.pop(tuple(namespace), None)

    async def aclear(self, namespaces: Sequence[CacheNamespace] | None = None) -> None:
        self.clear(namespaces)
