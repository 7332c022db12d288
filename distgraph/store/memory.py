"""A store in the memory of this process."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from distgraph._checked import checked
from distgraph.effects import acarry, carry
from distgraph.store.base import BaseStore
from distgraph.store.embedding import Embed, Embedder
from distgraph.store.filters import takes
from distgraph.store.ops import (
    GetOp,
    Item,
    ListNamespacesOp,
    Op,
    OpResult,
    PutOp,
    SearchItem,
    SearchOp,
    StoreNamespace,
    found_item,
    page_of_namespaces,
)
from distgraph.store.ranking import Vector, nearest


@dataclass(slots=True)
class _Kept:
    """A value with its ``vectors``, and until when it is kept."""

    item: Item
    vectors: Sequence[Vector] = ()
    ttl: float | None = None
    until: datetime | None = None


class _Place(NamedTuple):
    namespace: StoreNamespace
    key: str


@checked
class InMemoryStore(BaseStore):
    """Keeps values until this process ends, or their time does.

    ``index``, an IndexConfig, lets searches have a ``query``. A namespace lists its values in the
    order in which they were put there first.
    """

    supports_ttl: ClassVar[bool] = True

    def __init__(self, *, index: Mapping[str, Any] | None = None) -> None:
        self._kept: dict[StoreNamespace, dict[str, _Kept]] = {}
        self._due: list[tuple[datetime, _Place]] = []
        self._lock = threading.Lock()
        self._embedder = Embedder(index)

    def batch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Answer operations in one go: what is asked for is what was there before."""
        steps = self._steps(list(ops))
        return carry(steps, self._embedder.perform)

    async def abatch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Do what ``batch`` does."""
        steps = self._steps(list(ops))
        return await acarry(steps, self._embedder.aperform)

    def _steps(self, ops: list[Op]) -> Generator[Embed, list[Vector], list[OpResult]]:
        vectors = yield from self._embedder.vectors(ops)
        with self._lock:
            now = datetime.now(UTC)
            self._forget(now)
            pairs = list(zip(ops, vectors, strict=True))
            found = [self._answer(op, made, now) for op, made in pairs]
            for op, made in pairs:
                if isinstance(op, PutOp):
                    self._put(op, made, now)
        return found

    def _forget(self, now: datetime) -> None:
        while self._due and self._due[0][0] <= now:
            _, place = heapq.heappop(self._due)
            kept = self._kept.get(place.namespace, {}).get(place.key)
            if kept is None or kept.until is None:
                continue
            if kept.until <= now:
                self._drop(place)
            else:  # it was read since
                heapq.heappush(self._due, (kept.until, place))

    def _drop(self, place: _Place) -> None:
        inside = self._kept.get(place.namespace, {})
        if inside.pop(place.key, None) is not None and not inside:
            del self._kept[place.namespace]

    def _answer(self, op: Op, vectors: Sequence[Vector], now: datetime) -> OpResult:
        match op:
            case GetOp(namespace, key, refresh):
                kept = self._kept.get(namespace, {}).get(key)
                return self._read(kept, now, refresh=refresh) if kept else None
            case SearchOp():
                return self._search(op, vectors, now)
            case ListNamespacesOp():
                return page_of_namespaces(set(self._kept), op)
            case PutOp():
                return None

    def _read(self, kept: _Kept, now: datetime, *, refresh: bool) -> Item:
        if refresh and kept.ttl is not None:
            kept.until = now + timedelta(minutes=kept.ttl)
        return kept.item

    def _put(self, op: PutOp, vectors: Sequence[Vector], now: datetime) -> None:
        place = _Place(op.namespace, op.key)
        if op.value is None:
            self._drop(place)
            return
        inside = self._kept.setdefault(op.namespace, {})
        before = inside.get(op.key)
        created = before.item.created_at if before else now
        item = Item(
            value=op.value, key=op.key, namespace=op.namespace, created_at=created, updated_at=now
        )
        until = None if op.ttl is None else now + timedelta(minutes=op.ttl)
        inside[op.key] = _Kept(item, vectors, op.ttl, until)
        if until is not None:
            heapq.heappush(self._due, (until, place))

    def _search(self, op: SearchOp, query: Sequence[Vector], now: datetime) -> list[SearchItem]:
        fits = [
            kept for kept in self._below(op.namespace_prefix) if takes(op.filter, kept.item.value)
        ]
        found: list[tuple[_Kept, float | None]] = [(kept, None) for kept in fits]
        if query:
            found = nearest([(kept, kept.vectors) for kept in fits], query[0])
        page = found[op.offset : op.offset + op.limit]
        return [
            found_item(self._read(kept, now, refresh=op.refresh_ttl), score) for kept, score in page
        ]

    def _below(self, prefix: StoreNamespace) -> Iterator[_Kept]:
        for namespace, inside in self._kept.items():
            if namespace[: len(prefix)] == prefix:
                yield from inside.values()
