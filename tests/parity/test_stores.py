"""A store in memory answers as LangGraph's does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

MINE, THEIRS = "distgraph", "langgraph"
USERS, DOCS = ("users", "1"), ("docs",)


def seen(call: Callable[[], Any]) -> Any:
    """What a call gives, without times, or what it raises."""
    try:
        return plain(call())
    except Exception as error:  # noqa: BLE001 the class is what is compared
        return type(error).__name__


def plain(found: Any) -> Any:
    if isinstance(found, list):
        return [plain(each) for each in found]
    if hasattr(found, "namespace"):
        score = getattr(found, "score", None)
        return [found.namespace, found.key, found.value, score and round(score, 6)]
    return found


def embed(texts: list[str]) -> list[list[float]]:
    return [[float(text.count(letter)) for letter in "abc"] for text in texts]


def filled(package: str, **options: Any) -> Any:
    store = import_module(f"{package}.store.memory").InMemoryStore(**options)
    store.put(USERS, "a", {"name": "Ada", "age": 36})
    store.put(USERS, "b", {"name": "Bob", "age": 17})
    store.put(("users", "2"), "a", {"name": "Cy", "age": None})
    store.put(DOCS, "x", {"text": "aab", "n": {"m": 1}})
    store.put(DOCS, "y", {"text": "ccc"}, index=False)
    return store


CALLS: dict[str, Callable[[Any], Any]] = {
    "get": lambda s: [s.get(USERS, "a"), s.get(USERS, "c"), s.get(("none",), "a")],
    "search-below": lambda s: s.search(("users",)),
    "search-all": lambda s: s.search((), limit=2, offset=1),
    "filter": lambda s: s.search(USERS, filter={"age": 17}),
    "filter-operators": lambda s: s.search(USERS, filter={"age": {"$gte": 17, "$lt": 36}}),
    "filter-not": lambda s: s.search(USERS, filter={"name": {"$ne": "Ada"}}),
    "namespaces": lambda s: s.list_namespaces(),
    "namespaces-cut": lambda s: s.list_namespaces(max_depth=1),
    "namespaces-prefix": lambda s: s.list_namespaces(prefix=("users", "*")),
    "namespaces-suffix": lambda s: s.list_namespaces(suffix=("1",)),
    "namespaces-page": lambda s: s.list_namespaces(limit=1, offset=1),
    "delete": lambda s: [s.delete(USERS, "a"), s.get(USERS, "a"), s.search(USERS)],
    "overwrite": lambda s: [s.put(USERS, "a", {"name": "Eve"}), s.get(USERS, "a")],
    "empty-namespace": lambda s: s.put((), "a", {}),
    "dotted-namespace": lambda s: s.put(("a.b",), "a", {}),
    "reserved-namespace": lambda s: s.put(("langgraph",), "a", {}),
    "async": lambda s: asyncio.run(s.aget(USERS, "b")),
    "async-namespaces": lambda s: asyncio.run(s.alist_namespaces(max_depth=1)),
    "async-search": lambda s: asyncio.run(s.asearch(USERS, filter={"age": 36})),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_store_answers_as_langgraphs_does(name: str) -> None:
    def answered(package: str) -> Any:
        return seen(lambda: CALLS[name](filled(package)))

    assert answered(MINE) == answered(THEIRS)


@pytest.mark.parametrize("fields", [["$"], ["text"]], ids=["all", "one-field"])
def test_what_is_nearest_to_a_query_comes_first(fields: list[str]) -> None:
    index = {"dims": 3, "embed": embed, "fields": fields}
    mine, theirs = (
        plain(filled(package, index=index).search(DOCS, query="ab")) for package in (MINE, THEIRS)
    )
    assert mine == theirs
