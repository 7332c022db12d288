"""What the saver stores in Redis, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import redis
import redis.asyncio

from checkpoint_redis import about, commands, keys
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.records import SuperstepEntry, TaskEntry
from checkpoint_redis.saver import AsyncRedisSaver, RedisSaver
from distgraph.checkpoint.conformance import at, id_of, make, put
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import CorruptRecord, StoreError, ThreadBusy, ThreadNotFound
from tests.support.redis_server import RedisServer
from tests.support.thread_driver import Driver, nonce

pytestmark = pytest.mark.redis
TASK = "11111111-0000-0000-0000-000000000000"


@pytest.fixture
def saver(redis_client: redis.Redis, namespace: str) -> RedisSaver:
    return RedisSaver(redis_client, namespace=namespace)


@pytest.fixture
def busy(saver: RedisSaver) -> Driver:
    """Give a thread 't' that workers carry."""
    driver = Driver(saver.client, saver.namespace, "t")
    driver.started("a")
    return driver


def channel_fields(saver: RedisSaver, thread_id: str) -> set[bytes]:
    fields: Any = saver.client.hkeys(keys.Thread(saver.namespace, thread_id).checkpoints)
    return {field for field in fields if field.startswith(b"v|")}


def test_a_channel_is_written_only_when_it_changed(saver: RedisSaver) -> None:
    config = put(saver, at("t"), {f"c{n}": n for n in range(100)})
    first = channel_fields(saver, "t")
    assert len(first) == 100
    checkpoint = make({f"c{n}": n for n in range(100)}, id_of(config))
    old = saver.get(config)
    assert old is not None
    new = {f"c{n}": checkpoint["id"] for n in range(10)}
    checkpoint["channel_versions"] = {**old["channel_versions"], **new}
    saver.put(config, checkpoint, {"source": "loop", "step": 2, "parents": {}}, new)
    assert len(channel_fields(saver, "t") - first) == 10


def test_a_thread_that_workers_carry_takes_no_checkpoint(saver: RedisSaver, busy: Driver) -> None:
    with pytest.raises(ThreadBusy, match="Workers carry run run of thread 't'"):
        put(saver, at("t"), {"n": 1})
    assert busy.status == "busy"


def test_a_thread_that_workers_carry_takes_no_writes(saver: RedisSaver, busy: Driver) -> None:
    with pytest.raises(ThreadBusy):
        saver.put_writes(at("t", "cp-0"), [("n", 1)], TASK)
    assert busy.states() == {"a": "Q"}


def test_a_thread_that_workers_carry_is_not_pruned(busy: Driver) -> None:
    forget = commands.forget(busy.thread, ("k||cp-0",), (), ep="any", new_ep="new")
    assert busy.ledger.call(forget).status == "busy"


def test_a_thread_that_grew_meanwhile_is_not_pruned_by_what_was_seen_before(
    saver: RedisSaver,
) -> None:
    put(saver, at("t"), {"n": 1})
    thread = keys.Thread(saver.namespace, "t")
    stale = commands.forget(thread, ("k||x",), (), ep="an older epoch", new_ep="new")
    assert Ledger(saver.client).call(stale).status == "conflict"


def test_a_thread_that_began_to_run_meanwhile_is_not_removed_with_its_last_checkpoints(
    busy: Driver,
) -> None:
    header = busy.ledger.header(busy.thread)
    assert header is not None
    assert busy.ledger.delete(busy.thread, ep=header.ep).status == "busy"
    assert busy.states() == {"a": "Q"}


def test_a_thread_that_grew_meanwhile_is_not_removed_with_its_last_checkpoints(
    saver: RedisSaver,
) -> None:
    put(saver, at("t"), {"n": 1})
    ledger, thread = Ledger(saver.client), keys.Thread(saver.namespace, "t")
    assert ledger.delete(thread, ep="an older epoch").status == "conflict"
    assert saver.get_tuple(at("t")) is not None


def test_writes_for_a_thread_that_was_deleted_are_refused(saver: RedisSaver) -> None:
    config = put(saver, at("t"), {})
    saver.delete_thread("t")
    with pytest.raises(ThreadNotFound, match="'t'"):
        saver.put_writes(config, [("n", 1)], TASK)
    assert saver.client.keys(f"{saver.namespace}{{*") == []


def test_a_new_checkpoint_fences_off_what_workers_left(saver: RedisSaver) -> None:
    first = put(saver, at("t"), {"n": 0})
    driver = Driver(saver.client, saver.namespace, "t")
    step = SuperstepEntry(nonce(), (), (TaskEntry("a", b"task"),), "go")
    assert driver.start(step, expect=id_of(first)).status == "go"
    driver.claim(step.ep, "a")
    driver.fail(step.ep, "a")
    second = put(saver, first, {"n": 1})
    assert driver.complete(step.ep, "a").closing == "gone"
    found = saver.get_tuple(at("t"))
    assert found is not None
    assert (found.config, found.pending_writes) == (second, [])


def test_a_waiting_thread_is_listed_among_those_that_wait(saver: RedisSaver) -> None:
    config = put(saver, at("t"), {})
    saver.put_writes(config, [("__interrupt__", [])], TASK)
    thread = keys.Thread(saver.namespace, "t")
    sought = about.Sought((about.by_status("interrupted"),))
    waiting = commands.threads(saver.namespace, thread.shard, sought, "", 10)
    assert [each.thread_id for each in Ledger(saver.client).call(waiting).threads] == ["t"]
    put(saver, config, {})
    assert Ledger(saver.client).call(waiting).threads == ()


class Reversed:
    """A serializer of somebody else's, with a format of its own."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        return "reversed", JsonPlusSerializer().dumps(obj)[::-1]

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        assert data[0] == "reversed"
        return JsonPlusSerializer().loads(data[1][::-1])


def test_a_serializer_of_another_format_is_kept_to(
    redis_client: redis.Redis, namespace: str
) -> None:
    saver = RedisSaver(redis_client, namespace=namespace, serde=Reversed())
    config = put(saver, at("t"), {"n": [1], "none": None})
    saver.put_writes(config, [("n", {"x": 2})], TASK)
    found = saver.get_tuple(at("t"))
    assert found is not None
    assert found.checkpoint["channel_values"] == {"n": [1], "none": None}
    assert found.pending_writes == [(TASK, "n", {"x": 2})]


@pytest.mark.parametrize("field", ["k", "p"])
def test_a_damaged_record_is_reported(saver: RedisSaver, field: str) -> None:
    config = put(saver, at("t"), {})
    saver.put_writes(config, [("n", 1)], TASK)
    suffix = "|0" if field == "p" else ""
    name = f"{field}||{id_of(config)}{suffix}"
    key = keys.Thread(saver.namespace, "t").checkpoints
    saver.client.hset(key, name, JsonPlusSerializer().dumps({"no": "record"}))
    with pytest.raises(CorruptRecord):
        saver.get_tuple(at("t"))


def test_another_format_of_the_namespace_is_refused(saver: RedisSaver) -> None:
    saver.client.hset(keys.meta(saver.namespace), mapping={"v": "9", "shards": "64", "id": "x"})
    with pytest.raises(StoreError, match="format 9"):
        saver.get_tuple(at("t"))


def test_the_namespace_is_described_once(saver: RedisSaver) -> None:
    saver.setup()
    RedisSaver(saver.client, namespace=saver.namespace).setup()
    stored: Any = saver.client.hgetall(keys.meta(saver.namespace))
    assert (stored[b"v"], stored[b"shards"], len(stored[b"id"])) == (b"1", b"64", 16)


def test_a_client_that_decodes_is_refused(redis_server: RedisServer) -> None:
    with pytest.raises(ValueError, match="decode_responses=False"):
        RedisSaver(redis.Redis.from_url(redis_server.url, decode_responses=True))


@pytest.fixture
def ledger(redis_client: redis.Redis) -> Ledger:
    return Ledger(redis_client)


def test_the_server_tells_what_it_does_when_it_is_full(ledger: Ledger) -> None:
    info = ledger.call(commands.info())
    assert info.version.startswith(("6.", "7.", "8."))
    assert info.policy == ledger.call(commands.policy()) == "noeviction"
    assert info.used_bytes > 0


@pytest.mark.parametrize("scheme", ["redis", "rediss", "unix"])
async def test_the_blocking_twin_connects_to_the_same_place(scheme: str) -> None:
    url = "unix:///run/r.sock?db=2" if scheme == "unix" else f"{scheme}://u:p@host:7/2"
    async with AsyncRedisSaver.from_conn_string(url) as saver:
        here = saver.client.connection_pool
        there = saver.aclient.connection_pool
        assert here.connection_class.__name__ == there.connection_class.__name__
        for name in ("host", "port", "path", "db", "username", "password"):
            assert here.connection_kwargs.get(name) == there.connection_kwargs.get(name)
