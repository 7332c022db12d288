"""The contract of stores, by LangGraph's names.

A store answers ``batch`` and ``abatch``; all other calls are made of these.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

from distgraph._allowed import CheckedLater, HowMany, OneOrMore
from distgraph._checked import checked
from distgraph._elsewhere import missing_in
from distgraph.store.ops import (
    GetOp,
    Index,
    IndexConfig,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    NamespaceMatchType,
    NamespacePath,
    Op,
    OpResult,
    PutOp,
    SearchItem,
    SearchOp,
    StoreNamespace,
    TTLConfig,
    check_namespace,
    check_parts,
    validate_op_namespace,
)
from distgraph.store.paths import texts_at as get_text_at_path

__all__ = [
    "BaseStore",
    "GetOp",
    "IndexConfig",
    "InvalidNamespaceError",
    "Item",
    "ListNamespacesOp",
    "MatchCondition",
    "NamespaceMatchType",
    "NamespacePath",
    "Op",
    "OpResult",
    "PutOp",
    "SearchItem",
    "SearchOp",
    "StoreNamespace",
    "TTLConfig",
    "get_text_at_path",
    "validate_op_namespace",
]
StoreKey: TypeAlias = Annotated[str, CheckedLater()]
"""Anything that has a text, such as a number, by which it is found too."""
_LEFT_OUT: Any = object()


@checked
class BaseStore(ABC):
    """Keeps dicts under namespaces and keys, for all threads.

    ``ttl`` of ``put`` and ``refresh_ttl`` of what reads are those of ``ttl_config`` where they are
    left out, or else for ever, and True. A store without ``supports_ttl`` takes no ``ttl``.
    """

    supports_ttl: ClassVar[bool] = False
    ttl_config: TTLConfig | None = None

    @abstractmethod
    def batch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Answer operations in one go, each at its place; what is put is seen by later batches."""

    @abstractmethod
    async def abatch(self, ops: Iterable[Op]) -> list[OpResult]:
        """Do what ``batch`` does."""

    def get(
        self, namespace: StoreNamespace, key: StoreKey, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        """Return a value, None where there is none (any more)."""
        found: Item | None = self.batch(
            [GetOp(check_parts(namespace), str(key), _refreshes(self, refresh_ttl))]
        )[0]
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
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Return the values below a namespace that a ``SearchOp`` of these fields finds."""
        refresh = _refreshes(self, refresh_ttl)
        op = SearchOp(check_parts(namespace_prefix), filter, limit, offset, query, refresh)
        found: list[SearchItem] = self.batch([op])[0]
        return found

    def put(
        self,
        namespace: StoreNamespace,
        key: StoreKey,
        value: dict[str, Any],
        index: Index = None,
        *,
        ttl: float | None = _LEFT_OUT,
    ) -> None:
        """Keep a value for ``ttl`` minutes after it was put or, if reads refresh it, read last.

        Raises InvalidNamespaceError, TypeError for what is no dict, NotImplementedError for a
        ``ttl`` where the store has none.
        """
        self.batch([_put(self, namespace, key, value, index, ttl)])

    def delete(self, namespace: StoreNamespace, key: StoreKey) -> None:
        """Remove a value."""
        self.batch([PutOp(check_parts(namespace), str(key), None)])

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
        self, namespace: StoreNamespace, key: StoreKey, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        """Return what ``get`` returns."""
        found: Item | None = (
            await self.abatch(
                [GetOp(check_parts(namespace), str(key), _refreshes(self, refresh_ttl))]
            )
        )[0]
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
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Return what ``search`` returns."""
        refresh = _refreshes(self, refresh_ttl)
        op = SearchOp(check_parts(namespace_prefix), filter, limit, offset, query, refresh)
        found: list[SearchItem] = (await self.abatch([op]))[0]
        return found

    async def aput(
        self,
        namespace: StoreNamespace,
        key: StoreKey,
        value: dict[str, Any],
        index: Index = None,
        *,
        ttl: float | None = _LEFT_OUT,
    ) -> None:
        """Do what ``put`` does."""
        await self.abatch([_put(self, namespace, key, value, index, ttl)])

    async def adelete(self, namespace: StoreNamespace, key: StoreKey) -> None:
        """Do what ``delete`` does."""
        await self.abatch([PutOp(check_parts(namespace), str(key), None)])

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


def _put(  # noqa: PLR0913, PLR0917 what put() takes
    store: BaseStore,
    namespace: StoreNamespace,
    key: StoreKey,
    value: dict[str, Any],
    index: Index,
    ttl: Any,
) -> PutOp:
    check_namespace(namespace)
    if ttl is _LEFT_OUT:
        ttl = (store.ttl_config or {}).get("default_ttl")
    elif ttl is not None and not store.supports_ttl:
        msg = f"{type(store).__name__} keeps values for ever: leave ttl= out of put()."
        raise NotImplementedError(msg)
    return PutOp(namespace, str(key), value, index, ttl)


def _refreshes(store: BaseStore, refresh: bool | None) -> bool:
    if refresh is not None:
        return refresh
    return (store.ttl_config or {}).get("refresh_on_read", True)


def _conditions(
    prefix: StoreNamespace | None, suffix: StoreNamespace | None
) -> tuple[MatchCondition, ...]:
    begins = (MatchCondition("prefix", check_parts(prefix)),) if prefix else ()
    ends = (MatchCondition("suffix", check_parts(suffix)),) if suffix else ()
    return (*begins, *ends)


if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
