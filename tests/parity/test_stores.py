"""A store, in memory and in Redis, answers as LangGraph's in memory does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langgraph.store import base as theirs
from langgraph.store.memory import InMemoryStore as Theirs

from checkpoint_redis.store import RedisStore
from distgraph.store import base as mine
from distgraph.store.memory import InMemoryStore
from tests.support.redis_server import RedisServer

USERS, DOCS = ("users", "1"), ("docs",)
Make = Callable[..., Any]
FIVE: Any = 5
"""A key that is no text."""


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def make(
    request: pytest.FixtureRequest, redis_server: RedisServer, namespace: str
) -> Iterator[Make]:
    if request.param == "memory":
        yield InMemoryStore
        return
    made: list[RedisStore] = []

    def in_redis(**options: Any) -> RedisStore:
        made.append(RedisStore(redis_server.url, namespace=namespace, **options))
        return made[-1]

    yield in_redis
    for store in made:
        store.client.close()


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


async def aembed(texts: list[str]) -> list[list[float]]:
    return embed(texts)


def filled(make: Make, **options: Any) -> Any:
    store = make(**options)
    store.put(DOCS, "x", {"text": "aab", "n": {"m": 1, "l": [{"k": 2}]}, "tags": ["a", "bc"]})
    store.put(DOCS, "y", {"text": "ccc"}, index=False)
    store.put(DOCS, "w", {"text": "bbb", "more": "a"}, index=["more", "text"])
    store.put(USERS, "b", {"name": "Bob", "age": 17})
    store.put(USERS, "a", {"name": "Ada", "age": 36})
    store.put(("users", "2"), "a", {"name": "Cy", "age": None})
    return store


CALLS: dict[str, Callable[[Any], Any]] = {
    "get": lambda s: [s.get(USERS, "a"), s.get(USERS, "c"), s.get(("none",), "a")],
    "get-nowhere": lambda s: [s.get((), "a"), s.get(("users.1",), "a")],
    "search-below": lambda s: s.search(("users",)),
    "search-all": lambda s: s.search((), limit=2, offset=2),
    "search-none": lambda s: [s.search(("user",)), s.search(USERS, limit=0)],
    "filter": lambda s: s.search(USERS, filter={"age": 17}),
    "filter-operators": lambda s: s.search(USERS, filter={"age": {"$gte": 17, "$lt": 36}}),
    "filter-not": lambda s: s.search(USERS, filter={"name": {"$ne": "Ada"}}),
    "filter-inside": lambda s: s.search((), filter={"n": {"m": {"$gt": 0}, "l": [{"k": 2}]}}),
    "filter-inside-other": lambda s: s.search((), filter={"n": {"m": 2}}),
    "filter-list": lambda s: s.search((), filter={"tags": ["a"]}),
    "filter-missing": lambda s: s.search(("users",), filter={"gone": None}, limit=1, offset=1),
    "filter-unknown": lambda s: s.search((), filter={"age": {"$near": 1}}),
    "namespaces": lambda s: s.list_namespaces(),
    "namespaces-cut": lambda s: s.list_namespaces(max_depth=1),
    "namespaces-prefix": lambda s: s.list_namespaces(prefix=("users", "*")),
    "namespaces-prefix-long": lambda s: s.list_namespaces(prefix=("users", "1", "2")),
    "namespaces-suffix": lambda s: s.list_namespaces(suffix=("1",)),
    "namespaces-both": lambda s: s.list_namespaces(prefix=("users",), suffix=("*", "2")),
    "namespaces-page": lambda s: s.list_namespaces(limit=1, offset=1),
    "delete": lambda s: [s.delete(USERS, "a"), s.get(USERS, "a"), s.search(USERS)],
    "overwrite": lambda s: [s.put(USERS, "b", {"name": "Eve"}), s.search(USERS)],
    "number-as-key": lambda s: [s.put(USERS, FIVE, {"a": 1}), s.get(USERS, FIVE)],
    "empty-namespace": lambda s: s.put((), "a", {}),
    "dotted-namespace": lambda s: s.put(("a.b",), "a", {}),
    "reserved-namespace": lambda s: s.put(("langgraph",), "a", {}),
    "async": lambda s: asyncio.run(s.aget(USERS, "b")),
    "async-namespaces": lambda s: asyncio.run(s.alist_namespaces(max_depth=1)),
    "async-search": lambda s: asyncio.run(s.asearch(USERS, filter={"age": 36})),
    "async-delete": lambda s: [asyncio.run(s.adelete(USERS, "a")), s.search(USERS)],
    "query-without-index": lambda s: s.search(DOCS, query="a"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_store_answers_as_langgraphs_does(name: str, make: Make) -> None:
    def answered(package: Make) -> Any:
        return seen(lambda: CALLS[name](filled(package)))

    assert answered(make) == answered(Theirs)


FIELDS = {
    "all": ["$"],
    "one": ["text"],
    "item": ["tags[-1]"],
    "items": ["n.l[*].k", "tags[*]"],
    "several": ["{text,tags}"],
    "each": ["n.*"],
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_what_is_nearest_to_a_query_comes_first(fields: list[str], make: Make) -> None:
    index = {"dims": 3, "embed": embed, "fields": fields}

    def found(package: Make) -> Any:
        store = filled(package, index=index)
        looks = {"limit": 2}, {"offset": 1}, {"filter": {"text": {"$ne": "aab"}}}
        return [plain(store.search(DOCS, query="abb", **look)) for look in looks]

    assert found(make) == found(Theirs)


def test_a_coroutine_function_embeds_on_a_loop(make: Make) -> None:
    async def found(package: Make) -> Any:
        store = package(index={"dims": 3, "embed": aembed})
        with pytest.raises(ValueError, match=r"async|coroutine"):
            store.put(DOCS, "x", {"text": "a"})
        await store.aput(DOCS, "x", {"text": "a"})
        await store.aput(DOCS, "y", {"text": "b"})
        return plain(await store.asearch(DOCS, query="b"))

    assert asyncio.run(found(make)) == asyncio.run(found(Theirs))


def test_what_is_asked_of_a_batch_was_there_before_it(make: Make) -> None:
    def answered(store: Any, ops: Any) -> Any:
        asked = [
            ops.PutOp(USERS, "a", {"a": 1}),
            ops.GetOp(USERS, "a"),
            ops.PutOp(USERS, "b", None),
            ops.ListNamespacesOp(),
            ops.SearchOp(USERS, limit=5),
            ops.PutOp(USERS, "a", {"a": 2}),
        ]
        return [plain(store.batch(asked)), plain(asyncio.run(store.abatch(asked)))]

    assert answered(filled(make), mine) == answered(filled(Theirs), theirs)
