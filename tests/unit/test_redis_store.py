"""Stores in Redis: what is listed, what lapses, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
import redis

from checkpoint_redis import kept
from checkpoint_redis.store import RedisStore
from distgraph.errors import CorruptRecord, SerializationError, StoreError
from distgraph.store.base import InvalidNamespaceError, PutOp
from tests.support.waiting import wait_until

pytestmark = pytest.mark.redis
NS = ("notes", "ada")
SOON = 1 / 60_000
"""A millisecond, in minutes."""


@pytest.fixture
def store(redis_client: redis.Redis, namespace: str) -> RedisStore:
    return RedisStore(redis_client, namespace=namespace)


def left(store: RedisStore) -> set[str]:
    """Everything that a store has in Redis, but what tells the format."""
    found = store.client.scan_iter(f"{store.namespace}*")
    return {key.decode().partition(":")[2] for key in found} - {"meta"}


def test_nothing_is_left_of_what_was_removed(store: RedisStore) -> None:
    store.put(NS, "key", {"a": 1})
    store.put(("notes",), "key", {"a": 1}, ttl=5)
    store.delete(NS, "key")
    store.delete(NS, "never")
    store.put(("notes",), "key", {"a": 1}, ttl=0)
    assert left(store) == set()


def test_what_has_lapsed_is_in_no_list(store: RedisStore) -> None:
    store.put(("a",), "over", {"a": 1}, ttl=SOON)
    store.put(NS, "over", {"a": 1}, ttl=SOON)
    store.put(NS, "kept", {"a": 1}, ttl=60)
    wait_until(lambda: [i.key for i in store.search(())] == ["kept"], "values that lapse")
    assert store.get(NS, "over") is None
    assert store.list_namespaces() == [NS]
    assert {key.rpartition(":")[2] for key in left(store)} == {
        "kept",
        "due",
        "notes.ada.",
        "notes.ada.kept",
    }


def test_a_value_that_comes_again_after_it_lapsed_stands_last(store: RedisStore) -> None:
    store.put(NS, "first", {"a": 1}, ttl=SOON)
    store.put(NS, "second", {"a": 1})
    wait_until(lambda: store.get(NS, "first") is None, "a value that lapses")
    store.put(NS, "first", {"a": 2})
    assert [item.key for item in store.search(NS)] == ["second", "first"]


def ttl_of(store: RedisStore, key: str) -> int:
    place = kept.place_of(store.namespace, kept.space_of(NS) or b"", key.encode())
    left: int = store.client.pttl(f"{place.home}:i:{len(place.space)}:notes.ada.{key}")
    return left


@pytest.mark.parametrize("refresh", [True, False])
def test_reading_begins_the_time_anew_where_it_is_to(
    redis_client: redis.Redis, namespace: str, refresh: bool
) -> None:
    ttl: Any = {"default_ttl": 1.0, "refresh_on_read": refresh}
    store = RedisStore(redis_client, namespace=namespace, ttl=ttl)
    store.put(NS, "got", {"a": 1})
    store.put(NS, "found", {"a": 1})
    store.put(NS, "ever", {"a": 1}, ttl=None)
    assert ttl_of(store, "ever") == -1
    for key in ("got", "found"):
        place = kept.place_of(namespace, b"notes.ada.", key.encode())
        redis_client.pexpire(f"{place.home}:i:10:notes.ada.{key}", 30_000)
    store.get(NS, "got")
    store.search(NS)
    for key in ("got", "found"):
        assert (ttl_of(store, key) > 30_000) is refresh
    store.put(NS, "got", {"a": 2}, ttl=None)
    assert ttl_of(store, "got") == -1


def test_what_was_read_since_is_not_taken_out_when_it_was_due(store: RedisStore) -> None:
    store.put(NS, "read", {"a": 1}, ttl=60)
    due = f"{kept.home(store.namespace, b'notes.ada.')}:due"
    store.client.zadd(due, {b"10:notes.ada.read": 1})
    assert store.list_namespaces() == [NS]
    assert store.client.zscore(due, b"10:notes.ada.read") > 1
    assert [item.key for item in store.search(NS)] == ["read"]


def test_whoever_puts_takes_out_of_the_lists_what_has_lapsed(store: RedisStore) -> None:
    store.put(NS, "over", {"a": 1}, ttl=SOON)
    wait_until(lambda: store.get(NS, "over") is None, "a value that lapses")
    store.put(NS, "kept", {"a": 1}, ttl=60)
    home = kept.home(store.namespace, b"notes.ada.")
    assert store.client.zrange(f"{home}:k:notes.ada.", 0, -1) == [b"kept"]
    store.put(NS, "kept", {"a": 1}, ttl=None)
    assert store.client.exists(f"{home}:due") == 0


def test_created_stays_and_updated_follows(store: RedisStore) -> None:
    store.put(NS, "key", {"a": 1})
    first = store.get(NS, "key")
    store.put(NS, "key", {"a": 2})
    second = store.get(NS, "key")
    assert first is not None
    assert second is not None
    assert first.created_at == first.updated_at == second.created_at < second.updated_at


def test_many_are_read_in_pages(store: RedisStore) -> None:
    keys = [str(number) for number in range(60)]
    store.batch([PutOp(("many",), key, {"n": int(key)}) for key in keys])
    store.batch([PutOp(("many", key), "in", {"n": 0}) for key in keys])
    with patch("checkpoint_redis.keeping._FEW", 7), patch("checkpoint_redis.keeping._MANY", 7):
        found = store.search(("many",), filter={"n": {"$gte": 20}}, limit=100)
        assert [item.key for item in found] == keys[20:]
    assert [item.key for item in store.search(("many",), limit=10, offset=55)][:5] == keys[55:]
    assert len(store.search((), limit=1_000)) == 120
    assert len(store.list_namespaces(prefix=("many",), limit=1_000)) == 61
    assert len(store.list_namespaces(prefix=("many", "*"), max_depth=1)) == 1


@dataclass
class Seen:
    """A class that a value has."""

    at: int


def test_values_come_back_as_they_were(redis_client: redis.Redis, namespace: str) -> None:
    store = RedisStore(redis_client, namespace=namespace, types=[Seen])
    value = {"seen": Seen(3), "tuple": (1, 2), "set": {1}, "bytes": b"x", "big": 2**70}
    place = ("notes", "zoë \ud83d"), "a:b.c \udc00"
    store.put(*place, value)
    assert [(item.namespace, item.key, item.value) for item in store.search(())] == [
        (*place, value)
    ]
    assert store.list_namespaces() == [place[0]]
    plain = RedisStore(redis_client, namespace=namespace)
    with pytest.raises(Exception, match="not allowed here"):
        plain.get(*place)


def test_a_namespace_does_not_reach_into_another(store: RedisStore) -> None:
    store.put(("a",), "b.:c", {"n": 1})
    store.put(("a", ":b"), "c", {"n": 2})
    store.put(("ab",), "c", {"n": 3})
    assert [item.value["n"] for item in store.search(("a",))] == [1, 2]
    found = store.get(("a",), "b.:c")
    assert found is not None
    assert found.value == {"n": 1}


BAD: dict[str, tuple[PutOp, type[Exception], str]] = {
    "key": (PutOp(NS, "k" * 1_025, {}), ValueError, "takes 1,025 bytes, and may take 1,024"),
    "namespace": (PutOp(("n" * 1_025,), "k", {}), ValueError, "The namespace .* 1,026 bytes"),
    "part": (PutOp(("a.b",), "k", {}), InvalidNamespaceError, "have no dot"),
    "value": (PutOp(NS, "k", {"a": object()}), SerializationError, "of 'k' in .*notes"),
    "no-dict": (PutOp(NS, "k", [1]), TypeError, "must be a dict"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_put_is_named_and_nothing_else_is_put(case: str, store: RedisStore) -> None:
    op, kind, says = BAD[case]
    with pytest.raises(kind, match=says):
        store.batch([PutOp(NS, "good", {"a": 1}), op])
    assert left(store) == set()


def test_what_is_stored_wrongly_is_told(redis_client: redis.Redis, namespace: str) -> None:
    index = {"embed": lambda texts: [[1.0, 2.0] for _ in texts]}
    store = RedisStore(redis_client, namespace=namespace, index=index)
    store.put(NS, "key", {"a": 1})
    item = f"{kept.home(namespace, b'notes.ada.')}:i:10:notes.ada.key"
    redis_client.hset(item, "e", b"\x02bad")
    with pytest.raises(CorruptRecord, match="vectors"):
        store.search(NS, query="x")
    redis_client.hset(item, "v", store._shelf.serializer.dumps([1]))
    with pytest.raises(CorruptRecord, match="no dict"):
        store.get(NS, "key")


def test_what_connects_is_checked(redis_client: redis.Redis, namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        RedisStore(redis_client, namespace="no such")
    with pytest.raises(ValueError, match="decode_responses=False"):
        RedisStore(redis.Redis(decode_responses=True))
    redis_client.hset(f"{namespace}:meta", mapping={"v": "99", "shards": "64", "id": "x"})
    with pytest.raises(StoreError, match="format"):
        RedisStore(redis_client, namespace=namespace).setup()


@pytest.fixture(autouse=True)
def _forget(redis_client: redis.Redis, namespace: str) -> Iterator[None]:
    yield
    for key in redis_client.scan_iter(f"{namespace}*"):
        redis_client.delete(key)
