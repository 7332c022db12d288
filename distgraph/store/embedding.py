"""The vectors of texts, by what the user gave as ``embed``: blocking or on an event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distgraph._arguments import shortly
from distgraph.store.ops import Op, PutOp, SearchOp
from distgraph.store.paths import texts_at
from distgraph.store.ranking import Vector


@dataclass(frozen=True, slots=True)
class Embed:
    """Asks for a vector of each text; ``is_query``: they are what is looked for."""

    texts: tuple[str, ...]
    is_query: bool = False


class Embedder:
    """Answers ``Embed``; TypeError for an ``index`` without what makes vectors of texts.

    Without an index nothing has a vector.
    """

    def __init__(self, index: Mapping[str, Any] | None) -> None:
        self._embed: Any = None
        if index is None:
            return
        embed = index.get("embed")
        if not callable(embed) and not hasattr(embed, "embed_documents"):
            msg = (
                "index= of a store is {'embed': a function that returns a vector for each of "
                f"a list of texts, or an object with embed_documents}}, not {shortly(index)}."
            )
            raise TypeError(msg)
        self._embed, self._dims = embed, index.get("dims")
        self._fields: Sequence[str] = index.get("fields") or ["$"]

    def vectors(self, ops: Iterable[Op]) -> Generator[Embed, list[Vector], list[Sequence[Vector]]]:
        """Return what each of ``ops`` has: a query one vector, a value one for each text."""
        found: list[Sequence[Vector]] = []
        for op in ops:
            need = Embed(()) if self._embed is None else self._need(op)
            found.append((yield need) if need.texts else ())
        return found

    def _need(self, op: Op) -> Embed:
        match op:
            case SearchOp(query=str(query)) if query:
                return Embed((query,), is_query=True)
            case PutOp(value=dict(value), index=index) if index is not False:
                paths = self._fields if index is None else index
                return Embed(tuple(text for path in paths for text in texts_at(value, path)))
            case _:
                return Embed(())

    def perform(self, need: Embed) -> list[Vector]:
        """Return the vectors; ValueError for other ones than announced, or a coroutine function."""
        call = self._call(need)
        if inspect.iscoroutinefunction(call):
            msg = (
                "embed of the store is a coroutine function, for which there is no blocking call: "
                "use the store's a... methods, such as aput and asearch, or give a plain function."
            )
            raise ValueError(msg)
        return self._checked(need, call(list(need.texts)))

    async def aperform(self, need: Embed) -> list[Vector]:
        """Do what ``perform`` does; a blocking function does so in a thread."""
        call = self._acall(need)
        if inspect.iscoroutinefunction(call):
            return self._checked(need, await call(list(need.texts)))
        return self._checked(need, await asyncio.to_thread(call, list(need.texts)))

    def _call(self, need: Embed) -> Callable[[list[str]], Any]:
        if not hasattr(self._embed, "embed_documents"):
            # An object with a coroutine as its __call__ is one, too.
            is_plain = inspect.isroutine(self._embed)
            call: Callable[[list[str]], Any] = self._embed if is_plain else self._embed.__call__
            return call
        documents: Callable[[list[str]], Any] = self._embed.embed_documents
        query = getattr(self._embed, "embed_query", None)
        return documents if query is None or not need.is_query else _each(query)

    def _acall(self, need: Embed) -> Callable[[list[str]], Any]:
        query = getattr(self._embed, "aembed_query", None)
        if need.is_query and query is not None:
            return _aeach(query)
        documents = None if need.is_query else getattr(self._embed, "aembed_documents", None)
        return documents or self._call(need)

    def _checked(self, need: Embed, made: Any) -> list[Vector]:
        vectors: list[Vector] = list(made)
        if len(vectors) != len(need.texts):
            msg = f"embed of the store returned {len(vectors)} vectors of {len(need.texts)} texts."
            raise ValueError(msg)
        for vector in vectors:
            if self._dims is not None and len(vector) != self._dims:
                msg = (
                    f"embed of the store returned a vector of {len(vector)} numbers, and dims of "
                    f"its index says {self._dims}."
                )
                raise ValueError(msg)
        return vectors


def _each(query: Callable[[str], Vector]) -> Callable[[list[str]], list[Vector]]:
    return lambda texts: [query(text) for text in texts]


def _aeach(query: Callable[[str], Any]) -> Callable[[list[str]], Any]:
    async def all_of(texts: list[str]) -> list[Vector]:
        return list(await asyncio.gather(*map(query, texts)))

    return all_of
