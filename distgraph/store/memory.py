"""A store in the memory of this process."""

from __future__ import annotations

import heapq
import json
import math
import operator
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from distgraph._arguments import shortly
from distgraph._checked import checked
from distgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    OpResult,
    PutOp,
    SearchItem,
    SearchOp,
    StoreNamespace,
)

Vector = Sequence[float]
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


@dataclass(slots=True)
class _Kept:
    """A value with its ``vectors``, and until when it is kept."""

    item: Item
    vectors: tuple[Vector, ...] = ()
    ttl: float | None = None
    until: datetime | None = None


class _Place(NamedTuple):
    namespace: StoreNamespace
    key: str


@checked
class InMemoryStore(BaseStore):
    """Keeps values until this process ends, or their time does.

    ``index``: {"embed": function, "fields": ["path", ...]} lets searches have a ``query``: the
    function returns a vector for each of a list of texts; "$", the default, is the whole value.
    """

    def __init__(self, *, index: Mapping[str, Any] | None = None) -> None:
        self._kept: dict[_Place, _Kept] = {}
        self._due: list[tuple[datetime, _Place]] = []
        self._lock = threading.Lock()
        self._embed: Callable[[list[str]], Sequence[Vector]] | None = None
        self._fields: Sequence[str] = ["$"]
        if index is not None:
            given = index.get("embed")
            if not callable(given) and not hasattr(given, "embed_documents"):
                msg = (
                    "index= of a store is {'embed': a function that returns a vector for each of "
                    f"a list of texts}}, not {shortly(index)}."
                )
                raise TypeError(msg)
            self._embed = getattr(given, "embed_documents", given)
            self._fields = index.get("fields") or ["$"]

    def batch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Answer operations in one go: what is asked for is what was there before."""
        asked = list(ops)
        vectors = [self._vectors(op) if isinstance(op, PutOp) else () for op in asked]
        wanted = [self._query(op) if isinstance(op, SearchOp) else None for op in asked]
        with self._lock:
            now = datetime.now(UTC)
            self._forget(now)
            found = [self._answer(op, query, now) for op, query in zip(asked, wanted, strict=True)]
            for op, made in zip(asked, vectors, strict=True):
                if isinstance(op, PutOp):
                    self._put(op, made, now)
        return found

    async def abatch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Do what ``batch`` does."""
        return self.batch(ops)

    def _forget(self, now: datetime) -> None:
        while self._due and self._due[0][0] <= now:
            _, place = heapq.heappop(self._due)
            kept = self._kept.get(place)
            if kept is None or kept.until is None:
                continue
            if kept.until <= now:
                del self._kept[place]
            else:  # it was read since
                heapq.heappush(self._due, (kept.until, place))

    def _answer(self, op: Op, query: Vector | None, now: datetime) -> OpResult:
        match op:
            case GetOp(namespace, key, refresh):
                kept = self._kept.get(_Place(namespace, key))
                return self._read(kept, now, refresh=refresh) if kept else None
            case SearchOp():
                return self._search(op, query, now)
            case ListNamespacesOp():
                return self._list(op)
            case PutOp():
                return None

    def _read(self, kept: _Kept, now: datetime, *, refresh: bool) -> Item:
        if refresh and kept.ttl is not None:
            kept.until = now + timedelta(minutes=kept.ttl)
        return kept.item

    def _put(self, op: PutOp, vectors: tuple[Vector, ...], now: datetime) -> None:
        place = _Place(op.namespace, op.key)
        before = self._kept.pop(place, None)
        if op.value is None:
            return
        created = before.item.created_at if before else now
        item = Item(
            value=op.value, key=op.key, namespace=op.namespace, created_at=created, updated_at=now
        )
        until = None if op.ttl is None else now + timedelta(minutes=op.ttl)
        self._kept[place] = _Kept(item, vectors, op.ttl, until)
        if until is not None:
            heapq.heappush(self._due, (until, place))

    # --- searching ----------------------------------------------------------------------------

    def _vectors(self, op: PutOp) -> tuple[Vector, ...]:
        if self._embed is None or op.value is None or op.index is False:
            return ()
        texts = [text for path in op.index or self._fields for text in _texts(op.value, path)]
        return tuple(self._embed(texts)) if texts else ()

    def _query(self, op: SearchOp) -> Vector | None:
        return self._embed([op.query])[0] if self._embed and op.query else None

    def _search(self, op: SearchOp, query: Vector | None, now: datetime) -> list[SearchItem]:
        depth = len(op.namespace_prefix)
        fits = [
            (kept, _score(kept, query))
            for kept in self._kept.values()
            if kept.item.namespace[:depth] == op.namespace_prefix and _takes(op.filter, kept.item)
        ]
        if query is not None:
            fits.sort(key=lambda found: -math.inf if found[1] is None else found[1], reverse=True)
        page = fits[op.offset : op.offset + op.limit]
        return [
            _found(self._read(kept, now, refresh=op.refresh_ttl), score) for kept, score in page
        ]

    def _list(self, op: ListNamespacesOp) -> list[StoreNamespace]:
        known = {place.namespace for place in self._kept}
        matching = (ns for ns in known if all(_matches(ns, each) for each in op.match_conditions))
        cut = sorted({ns[: op.max_depth] for ns in matching})
        return cut[op.offset : op.offset + op.limit]


def _found(item: Item, score: float | None) -> SearchItem:
    return SearchItem(
        value=item.value,
        key=item.key,
        namespace=item.namespace,
        created_at=item.created_at,
        updated_at=item.updated_at,
        score=score,
    )


def _matches(namespace: StoreNamespace, condition: MatchCondition) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    is_prefix = condition.match_type == "prefix"
    part = namespace[: len(path)] if is_prefix else namespace[-len(path) :]
    return all(wanted in ("*", given) for wanted, given in zip(path, part, strict=True))


def _takes(given: Mapping[str, Any] | None, item: Item) -> bool:
    return all(_compares(item.value.get(field), wanted) for field, wanted in (given or {}).items())


def _compares(value: Any, wanted: Any) -> bool:
    """Whether a field is as a filter wants it; ValueError for an operator that is none."""
    if not isinstance(wanted, Mapping) or not any(str(key).startswith("$") for key in wanted):
        return bool(value == wanted)
    for name, bound in wanted.items():
        if name not in _COMPARED:
            msg = f"A filter has the operator {name!r}. There are: {', '.join(_COMPARED)}."
            raise ValueError(msg)
        if not _holds(_COMPARED[name], value, bound):
            return False
    return True


def _holds(compare: Callable[[Any, Any], bool], value: Any, bound: Any) -> bool:
    try:
        return bool(compare(value, bound))
    except TypeError:  # what cannot be compared, as a field that is not there
        return False


def _texts(value: Any, path: str) -> Iterator[str]:
    """Yield the texts at a path of names with dots; "$" is all of it."""
    if path == "$":
        yield json.dumps(value, sort_keys=True, default=str)
        return
    found = value
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    if found is not None:
        yield found if isinstance(found, str) else json.dumps(found, default=str)


def _score(kept: _Kept, query: Vector | None) -> float | None:
    if query is None or not kept.vectors:
        return None
    return max(_cosine(each, query) for each in kept.vectors)


def _cosine(one: Vector, other: Vector) -> float:
    length = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / length if length else 0.0
