"""What a store asks of Redis, as conversations: many scripts at once, or vectors of texts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from checkpoint_redis import commands, kept
from checkpoint_redis.commands import Script
from checkpoint_redis.kept import KeptItem, KeptPlace
from checkpoint_redis.layout import Limit
from distgraph._brief import brief
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import CorruptRecord, SerializationError
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
    check_namespace,
    found_item,
    page_of_namespaces,
)
from distgraph.store.ranking import Vector, nearest

Scripts = tuple[Script[Any], ...]
KeptSteps = Generator[Scripts, Any, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MANY, _FEW = 250, 50
"""So many items are read at once to find some among them: of one shard, and of each of many."""


@dataclass(frozen=True, slots=True)
class _Put:
    """An item to be kept, checked and encoded; without a value it is to be removed."""

    place: KeptPlace
    value: bytes = b""
    ttl_ms: int | None = None

    def script(self, vectors: Sequence[Vector]) -> Script[Any]:
        if not self.value:
            return commands.drop_item(self.place)
        return commands.put_item(self.place, self.value, kept.packed(vectors), self.ttl_ms)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The part of a Redis that stores of one ``prefix`` share, and how values are encoded."""

    prefix: str
    serializer: JsonPlusSerializer
    embedder: Embedder

    def batch(self, ops: Sequence[Op]) -> Generator[Embed | Scripts, Any, list[OpResult]]:
        """Answer operations: what is asked for is what was there before; then values are put.

        Nothing is put where one of them cannot be.
        """
        puts = {at: self._put(op) for at, op in enumerate(ops) if isinstance(op, PutOp)}
        vectors = yield from self.embedder.vectors(ops)
        found: list[OpResult] = []
        for op, made in zip(ops, vectors, strict=True):
            found.append((yield from self._answer(op, made)))
        last = {put.place: (put, vectors[at]) for at, put in puts.items()}
        if last:
            yield tuple(put.script(made) for put, made in last.values())
        return found

    def _answer(self, op: Op, vectors: Sequence[Vector]) -> KeptSteps:
        match op:
            case GetOp():
                return (yield from self._get(op))
            case SearchOp():
                return (yield from self._search(op, vectors[0] if vectors else None))
            case ListNamespacesOp():
                return (yield from self._list(op))
            case PutOp():
                return None

    def _put(self, op: PutOp) -> _Put:
        check_namespace(op.namespace)
        named = kept.space_of(op.namespace) or b""
        space = kept.check_length("namespace", str(op.namespace), named)
        key = kept.check_length("key", op.key, kept.encoded(op.key))
        place = kept.place_of(self.prefix, space, key)
        if op.value is None or (op.ttl is not None and op.ttl <= 0):
            return _Put(place)
        ttl_ms = None if op.ttl is None or math.isinf(op.ttl) else math.ceil(op.ttl * 60_000)
        return _Put(place, self._encoded(op), ttl_ms)

    def _encoded(self, op: PutOp) -> bytes:
        if not isinstance(op.value, dict):
            msg = f"The value of '{op.key}' must be a dict, not {brief(op.value)}."
            raise TypeError(msg)
        try:
            return self.serializer.dumps(op.value)
        except SerializationError as error:
            msg = f"The value of '{op.key}' in {op.namespace} cannot be stored. {error}"
            raise SerializationError(msg) from error

    def _get(self, op: GetOp) -> KeptSteps:
        space = kept.space_of(op.namespace)
        if not space:
            return None
        place = kept.place_of(self.prefix, space, kept.encoded(op.key))
        (found,) = yield (commands.get_item(place, refresh=op.refresh_ttl),)
        return None if found is None else self._item(found)

    # --- searching ----------------------------------------------------------------------------

    def _search(self, op: SearchOp, query: Vector | None) -> KeptSteps:
        space = kept.space_of(op.namespace_prefix)
        if space is None:
            return []
        if query is None:
            found = yield from self._first(op, space)
        else:
            found = yield from self._nearest(op, space, query)
        page = found[op.offset : op.offset + op.limit]
        if op.refresh_ttl:
            yield from self._refresh(item for item, _ in page)
        return [self._found(*each) for each in page]

    def _first(self, op: SearchOp, space: bytes) -> KeptSteps:
        """Return the first items that a filter takes, no more than are asked for of each shard."""
        wanted = op.offset + op.limit
        found: dict[str, list[KeptItem]] = defaultdict(list)

        def take(home: str, items: Iterable[KeptItem]) -> bool:
            found[home] += (item for item in items if self._takes(op, item))
            return len(found[home]) < wanted

        count = _MANY if op.filter else max(1, min(wanted, Limit.kept_looked))
        yield from self._below(space, count, take)
        every = sorted(chain.from_iterable(found.values()), key=lambda item: item.space)
        return [(item, None) for item in every]

    def _nearest(self, op: SearchOp, space: bytes, query: Vector) -> KeptSteps:
        """Return the items nearest to ``query``; few are held at a time."""
        best: list[KeptItem] = []
        ranked: list[tuple[KeptItem, float | None]] = []

        def take(_: str, items: Iterable[KeptItem]) -> bool:
            nonlocal best, ranked
            best += (item for item in items if self._takes(op, item))
            found = nearest([(item, kept.unpacked(item.vectors)) for item in best], query)
            ranked = found[: op.offset + op.limit]
            best = [item for item, _ in ranked]
            return True

        yield from self._below(space, _MANY, take, vectors=True)
        return ranked

    def _below(
        self,
        space: bytes,
        count: int,
        take: Callable[[str, tuple[KeptItem, ...]], bool],
        *,
        vectors: bool = False,
    ) -> KeptSteps:
        """Read pages of about ``count`` items, of all shards at once, while ``take`` wants more."""
        homes = dict.fromkeys(kept.homes_below(self.prefix, space), kept.START)
        each = count if len(homes) == 1 else min(count, _FEW)
        while homes:
            pages = yield tuple(
                commands.below(home, space, at, each, vectors=vectors) for home, at in homes.items()
            )
            for home, page in zip(tuple(homes), pages, strict=True):
                if take(home, page.items) and page.after is not None:
                    homes[home] = page.after
                else:
                    del homes[home]

    def _takes(self, op: SearchOp, item: KeptItem) -> bool:
        return not op.filter or takes(op.filter, self._value(item))

    def _refresh(self, items: Iterable[KeptItem]) -> KeptSteps:
        lapsing = [item for item in items if item.lapses]
        if lapsing:
            yield tuple(
                commands.get_item(kept.place_of(self.prefix, item.space, item.key), refresh=True)
                for item in lapsing
            )

    def _list(self, op: ListNamespacesOp) -> KeptSteps:
        space = _begin(op)
        if space is None:
            return []
        known: set[StoreNamespace] = set()
        homes = dict.fromkeys(kept.homes_below(self.prefix, space), b"")
        while homes:
            pages = yield tuple(commands.spaces(home, space, at) for home, at in homes.items())
            for home, page in zip(tuple(homes), pages, strict=True):
                known.update(map(kept.namespace_of, page))
                if len(page) < Limit.kept_names:
                    del homes[home]
                else:
                    homes[home] = page[-1]
        return page_of_namespaces(known, op)

    # --- reading ------------------------------------------------------------------------------

    def _found(self, item: KeptItem, score: float | None) -> SearchItem:
        return found_item(self._item(item), score)

    def _item(self, item: KeptItem) -> Item:
        return Item(
            value=self._value(item),
            key=kept.decoded(item.key),
            namespace=kept.namespace_of(item.space),
            created_at=_EPOCH + timedelta(microseconds=item.created),
            updated_at=_EPOCH + timedelta(microseconds=item.updated),
        )

    def _value(self, item: KeptItem) -> dict[str, Any]:
        value = self.serializer.loads(item.value)
        if not isinstance(value, dict):
            msg = f"Redis holds a value of a store that is no dict but {brief(value)}."
            raise CorruptRecord(msg)
        return value


def _begin(op: ListNamespacesOp) -> bytes | None:
    """Return what all namespaces begin with that ``op`` can mean; None where there are none."""
    begins = [each.path for each in op.match_conditions or () if each.match_type == "prefix"]
    path = max(begins, key=len, default=())
    return kept.space_of(path[: path.index("*")] if "*" in path else path)
