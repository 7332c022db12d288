"""What a graph has a cache forget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distgraph._arguments import names_of
from distgraph._checked import checked
from distgraph.core.graph import Graph
from distgraph.core.model import START


def refuse_in_memory(name: str, cache: Any) -> None:
    """Raise ValueError for a graph on a backend with a cache that its workers do not share."""
    if cache is None:
        return
    from distgraph.cache.memory import InMemoryCache  # noqa: PLC0415 few graphs have one

    if isinstance(cache, InMemoryCache):
        msg = (
            f"Graph '{name}' was given an InMemoryCache, which its workers do not share: give it a "
            "RedisCache, `from checkpoint_redis.cache import RedisCache`."
        )
        raise ValueError(msg)  # noqa: TRY004 a cache it is


@checked
class Clearing:
    """A graph whose nodes' results may be kept in a cache."""

    graph: Graph
    cache: Any = None
    """Where the results of nodes with a cache policy are kept; graphs inside have their own."""

    def clear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Have the cache forget what ``nodes`` left, by default all of them.

        Raises ValueError without a cache, and for a node that is not there.
        """
        self._cache().clear(self._kept_in(nodes))

    async def aclear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Do what ``clear_cache`` does."""
        await self._cache().aclear(self._kept_in(nodes))

    def _cache(self) -> Any:
        if self.cache is None:
            msg = "No cache is set for this graph. Cannot clear cache. Compile it with cache=..."
            raise ValueError(msg)
        return self.cache

    def _kept_in(self, nodes: Sequence[str] | None) -> list[tuple[str, ...]]:
        from distgraph.runners.remembering import namespace_of  # noqa: PLC0415 few graphs have one

        named = tuple(self.graph.nodes) if nodes is None else names_of(nodes)
        for name in named:
            if name not in self.graph.nodes:
                msg = (
                    f"Graph '{self.graph.name}' has no node '{name}' whose cache could be cleared."
                )
                raise ValueError(msg)
        return [namespace_of(self.graph.nodes[name]) for name in named if name != START]
