"""A cache in Redis keeps values apart, for a time, and forgets what it is told to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis

from checkpoint_redis.cache import RedisCache
from distgraph.cache.base import FullKey
from distgraph.errors import StoreUnavailable
from distgraph.func import entrypoint, task
from distgraph.types import CachePolicy
from tests.support.redis_server import RedisServer
from workers import CeleryBackend

A: FullKey = (("writes", "a"), "1")
B: FullKey = (("writes", "b"), "1")


@pytest.fixture
def cache(redis_server: RedisServer, thread_id: str) -> RedisCache[Any]:
    return RedisCache(redis_server.url, namespace=f"cache-{thread_id[-8:].lower()}")


def test_values_are_kept_and_forgotten(cache: RedisCache[Any]) -> None:
    cache.set({A: ({"x": 1}, None), B: (b"bytes", 60)})
    assert cache.get([A, B, (("writes", "c"), "1")]) == {A: {"x": 1}, B: b"bytes"}
    cache.clear([("writes", "a")])
    assert cache.get([A, B]) == {B: b"bytes"}
    cache.clear()
    assert cache.get([A, B]) == {}


def test_values_expire(cache: RedisCache[Any], redis_server: RedisServer) -> None:
    cache.set({A: (1, 60), B: (1, None)})
    client = redis.Redis.from_url(redis_server.url)
    names = list(client.scan_iter(match=f"{cache.namespace}:cache:*"))
    assert sorted(client.ttl(name) > 0 for name in names) == [False, True]
    cache.clear()


def test_loops_do_the_same(cache: RedisCache[Any]) -> None:
    async def played() -> list[Any]:
        await cache.aset({A: (1, None)})
        found = await cache.aget([A])
        await cache.aclear()
        return [found, await cache.aget([A])]

    assert asyncio.run(played()) == [{A: 1}, {}]


def test_a_redis_that_is_away_is_told_as_that() -> None:
    away: RedisCache[Any] = RedisCache("redis://127.0.0.1:1/0")
    calls = (lambda: away.get([A]), lambda: away.set({A: (1, None)}), away.clear)
    for call in calls:
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1"):
            call()


@task(cache_policy=CachePolicy(ttl=60))
def doubled(n: int) -> int:
    return n * 2


def test_what_jobs_return_counts_again(redis_server: RedisServer, cache: RedisCache[Any]) -> None:
    with CeleryBackend(redis_server.url, namespace=cache.namespace) as backend:

        @entrypoint(backend=backend, name="caching", cache=cache)
        def both(n: int) -> int:
            return doubled(n).result() + doubled(3).result()

        def streamed(name: str) -> list[Any]:
            config = {"configurable": {"thread_id": name}}
            return list(both.stream(1, config, stream_mode="updates"))

        with backend.worker():
            first, second = streamed("a"), streamed("b")
            doubled.clear_cache(cache)
            third = streamed("c")
    again = {"__metadata__": {"cached": True}}
    assert first == third == [{"doubled": 2}, {"doubled": 6}, {"both": 8}]
    assert second == [{"doubled": 2, **again}, {"doubled": 6, **again}, {"both": 8}]
