"""The contract of a cache: values under keys in namespaces. The names are LangGraph's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

ValueT = TypeVar("ValueT")
CacheNamespace = tuple[str, ...]
FullKey = tuple[CacheNamespace, str]


class BaseCache(ABC, Generic[ValueT]):
    """Keeps values, which ``serde`` turns into bytes; whoever writes one derives from it.

    A graph hands it bytes, and takes whatever it has lost as not cached.
    """

    serde: SerializerProtocol

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        self.serde = serde or JsonPlusSerializer()

    @abstractmethod
    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values that are kept under ``keys``, and whose time is not over."""

    @abstractmethod
    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Do what ``get`` does."""

    @abstractmethod
    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Keep values, each for so many seconds; None = until it is cleared."""

    @abstractmethod
    async def aset(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Do what ``set`` does."""

    @abstractmethod
    def clear(self, namespaces: Sequence[CacheNamespace] | None = None) -> None:
        """Forget what is kept in ``namespaces``; without them everything."""

    @abstractmethod
    async def aclear(self, namespaces: Sequence[CacheNamespace] | None = None) -> None:
        """Do what ``clear`` does."""
