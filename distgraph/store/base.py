"""The contract of stores, by LangGraph's names.

A store answers ``batch`` and ``abatch``; all other calls are made of these.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from distgraph._allowed import HowMany, OneOrMore
from distgraph._arguments import shortly
from distgraph._checked import checked

StoreNamespace = tuple[str, ...]
Index = Literal[False] | Sequence[str] | None
OpResult = Any
"""What an operation gives: an Item or None, a list of SearchItems or of namespaces, or None."""


class InvalidNamespaceError(ValueError):
    """A namespace is empty, or has a part that is empty, has a dot, or is the library's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A value in a store; times in UTC."""

    value: dict[str, Any]
    key: str
    namespace: StoreNamespace
    created_at: datetime
    updated_at: datetime

    def dict(self) -> Mapping[str, Any]:
        """Return it as plain values, times as text."""
        given = asdict(self)
        times = {name: given[name].isoformat() for name in ("created_at", "updated_at")}
        return {**given, **times, "namespace": list(self.namespace)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchItem(Item):
    """A value that a search has found; ``score``: how near it is to the query, 1 is the same."""

    score: float | None = None


class GetOp(NamedTuple):
    """Asks for one value."""

    namespace: StoreNamespace
    key: str
    refresh_ttl: bool = True


class SearchOp(NamedTuple):
    """Asks for the values below a namespace that a filter takes, those nearest to a query first.

    ``filter``: field -> value, or field -> {operator: value} with the operators $eq, $ne, $gt,
    $gte, $lt and $lte.
    """

    namespace_prefix: StoreNamespace
    filter: Mapping[str, Any] | None = None
    limit: int = 10
    offset: int = 0
    query: str | None = None
    refresh_ttl: bool = True


class PutOp(NamedTuple):
    """Asks to keep a value for ``ttl`` minutes, None for ever; a value of None removes it.

    ``index``: the fields by which it is searched, False for none, None for those of the store.
    """

    namespace: StoreNamespace
    key: str
    value: dict[str, Any] | None
    index: Index = None  # type: ignore[assignment]
    ttl: float | None = None


class MatchCondition(NamedTuple):
    """What the namespaces asked for begin or end with; "*" is any part."""

    match_type: Literal["prefix", "suffix"]
    path: StoreNamespace


class ListNamespacesOp(NamedTuple):
    """Asks for namespaces, cut to ``max_depth`` parts, sorted."""

    match_conditions: tuple[MatchCondition, ...] = ()
    max_depth: int | None = None
    limit: int = 100
    offset: int = 0


Op = GetOp | SearchOp | PutOp | ListNamespacesOp


@checked
class BaseStore(ABC):
    """Keeps dicts under namespaces and keys, for all threads."""

    @abstractmethod
    def batch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Answer operations in one go, each at its place; what is put is seen by later batches."""

    @abstractmethod
    async def abatch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Do what ``batch`` does."""

    def get(self, namespace: StoreNamespace, key: str, *, refresh_ttl: bool = True) -> Item | None:
        """Return a value, None where there is none (any more)."""
        found: Item | None = self.batch([GetOp(namespace, str(key), refresh_ttl)])[0]
        return found

    def search(  # noqa: PLR0913 LangGraph's
        self,
        namespace_prefix: StoreNamespace,
        /,
        *,
        query: str | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 LangGraph's name
        limit: HowMany = 10,
        offset: HowMany = 0,
        refresh_ttl: bool = True,
    ) -> list[SearchItem]:
        """Return the values below a namespace that a ``SearchOp`` of these fields finds."""
        op = SearchOp(tuple(namespace_prefix), filter, limit, offset, query, refresh_ttl)
        found: list[SearchItem] = self.batch([op])[0]
        return found

    def put(
        self,
        namespace: StoreNamespace,
        key: str,
        value: dict[str, Any],
        index: Index = None,
        *,
        ttl: float | None = None,
    ) -> None:
        """Keep a value; InvalidNamespaceError, or TypeError for what is no dict."""
        self.batch([_put(namespace, key, value, index, ttl)])

    def delete(self, namespace: StoreNamespace, key: str) -> None:
        """Remove a value."""
        self.batch([PutOp(namespace, str(key), None)])

    def list_namespaces(
        self,
        *,
        prefix: StoreNamespace | None = None,
        suffix: StoreNamespace | None = None,
        max_depth: OneOrMore | None = None,
        limit: HowMany = 100,
        offset: HowMany = 0,
    ) -> list[StoreNamespace]:
        """Return namespaces, cut to ``max_depth`` parts.

        "*" in ``prefix`` and ``suffix`` stands for any part.
        """
        op = ListNamespacesOp(_conditions(prefix, suffix), max_depth, limit, offset)
        found: list[StoreNamespace] = self.batch([op])[0]
        return found

    async def aget(
        self, namespace: StoreNamespace, key: str, *, refresh_ttl: bool = True
    ) -> Item | None:
        """Return what ``get`` returns."""
        found: Item | None = (await self.abatch([GetOp(namespace, str(key), refresh_ttl)]))[0]
        return found

    async def asearch(  # noqa: PLR0913 as above
        self,
        namespace_prefix: StoreNamespace,
        /,
        *,
        query: str | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 LangGraph's name
        limit: HowMany = 10,
        offset: HowMany = 0,
        refresh_ttl: bool = True,
    ) -> list[SearchItem]:
        """Return what ``search`` returns."""
        op = SearchOp(tuple(namespace_prefix), filter, limit, offset, query, refresh_ttl)
        found: list[SearchItem] = (await self.abatch([op]))[0]
        return found

    async def aput(
        self,
        namespace: StoreNamespace,
        key: str,
        value: dict[str, Any],
        index: Index = None,
        *,
        ttl: float | None = None,
    ) -> None:
        """Do what ``put`` does."""
        await self.abatch([_put(namespace, key, value, index, ttl)])

    async def adelete(self, namespace: StoreNamespace, key: str) -> None:
        """Do what ``delete`` does."""
        await self.abatch([PutOp(namespace, str(key), None)])

    async def alist_namespaces(
        self,
        *,
        prefix: StoreNamespace | None = None,
        suffix: StoreNamespace | None = None,
        max_depth: OneOrMore | None = None,
        limit: HowMany = 100,
        offset: HowMany = 0,
    ) -> list[StoreNamespace]:
        """Return what ``list_namespaces`` returns."""
        op = ListNamespacesOp(_conditions(prefix, suffix), max_depth, limit, offset)
        found: list[StoreNamespace] = (await self.abatch([op]))[0]
        return found


def _put(
    namespace: StoreNamespace, key: str, value: dict[str, Any], index: Index, ttl: float | None
) -> PutOp:
    check_namespace(namespace)
    return PutOp(namespace, str(key), value, index, ttl)


def _conditions(
    prefix: StoreNamespace | None, suffix: StoreNamespace | None
) -> tuple[MatchCondition, ...]:
    begins = (MatchCondition("prefix", tuple(prefix)),) if prefix else ()
    ends = (MatchCondition("suffix", tuple(suffix)),) if suffix else ()
    return (*begins, *ends)


def check_namespace(namespace: Any) -> None:
    """Raise InvalidNamespaceError for what nothing can be put under."""
    if not isinstance(namespace, tuple) or not namespace:
        msg = f"A namespace is a tuple of at least one text, not {shortly(namespace)}."
        raise InvalidNamespaceError(msg)
    for part in namespace:
        if not isinstance(part, str) or not part or "." in part:
            msg = (
                f"The parts of a namespace are texts that are not empty and have no dot, not "
                f"{shortly(part)}."
            )
            raise InvalidNamespaceError(msg)
    if namespace[0] == "langgraph":
        msg = 'Root label for namespace cannot be "langgraph".'
        raise InvalidNamespaceError(msg)
