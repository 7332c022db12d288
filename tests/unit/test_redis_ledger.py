"""The ledger's ways with a connection: repetition, missing scripts, errors that say what to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import fakeredis
import pytest
import redis
import redis.asyncio
from redis._parsers.base import BaseParser
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff

from checkpoint_redis import about, commands, events, keys, source
from checkpoint_redis.about import Sought
from checkpoint_redis.ledger import AsyncLedger, Ledger, address, heeding_cancellation, passes
from distgraph.errors import CorruptRecord, StoreError, StoreUnavailable
from tests.support.redis_server import HOST, RedisServer, free_port
from tests.support.thread_driver import Driver, superstep

SCRIPTS = sorted(path.stem for path in source.FOLDER.glob("*.lua"))

BUSY = (about.by_status("busy"),)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path).start()
    yield server
    if server.alive:
        server.process.end()


@pytest.mark.redis
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_compiles_on_the_oldest_redis(redis_client: redis.Redis, name: str) -> None:
    assert redis_client.script_load(source.lua(name)) == source.sha(name)


@pytest.mark.redis
def test_a_script_that_vanished_is_sent_again(redis_client: redis.Redis, namespace: str) -> None:
    driver = Driver(redis_client, namespace)
    redis_client.script_flush()
    assert driver.start(superstep("cp-0", "a")).status == "go"


@pytest.mark.redis
def test_many_commands_go_in_one_round_trip(redis_client: redis.Redis, namespace: str) -> None:
    driver = Driver(redis_client, namespace)
    looks = [commands.threads(namespace, n, Sought(BUSY), "", 9) for n in range(keys.SHARDS)]
    list(driver.ledger.together(looks))
    driver.started("a")
    (listed,) = (thread for page in driver.ledger.together(looks) for thread in page.threads)
    assert listed.x == driver.thread.x


@pytest.mark.redis
def test_of_many_commands_those_that_fail_are_repeated(
    redis_client: redis.Redis, namespace: str
) -> None:
    driver = Driver(redis_client, namespace)
    driver.started("a")
    redis_client.script_flush()
    looks = [commands.threads(namespace, n, Sought(BUSY), "", 9) for n in range(keys.SHARDS)]
    assert sum(len(page.threads) for page in driver.ledger.together(looks)) == 1
    redis_client.set(keys.index(namespace, 0, *BUSY), "not a set")
    with pytest.raises(StoreError, match="WRONGTYPE"):
        list(driver.ledger.together(looks))


def test_many_commands_to_a_redis_that_is_gone_say_so() -> None:
    ledger = Ledger(
        redis.Redis.from_url(f"redis://127.0.0.1:{free_port()}", retry=None), retry_for=0.2
    )
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        list(ledger.together([commands.threads("t", 0, Sought(BUSY), "", 9)]))


@pytest.mark.redis
def test_a_call_waits_for_redis_to_come_back(own_server: RedisServer, namespace: str) -> None:
    with own_server.client(retry=None) as client:
        driver = Driver(client, namespace)
        driver.started("a")
        own_server.kill()
        with pytest.raises(StoreUnavailable):
            driver.ledger.header(driver.thread)
        own_server.start()
        header = Ledger(client, retry_for=5).header(driver.thread)
        assert header is not None
        assert header.st == "busy"


@pytest.mark.redis
def test_a_call_that_is_to_go_on_waits_for_longer(own_server: RedisServer, namespace: str) -> None:
    asked: list[int] = []

    def goes_on() -> bool:
        asked.append(len(asked))
        if len(asked) == 2:
            own_server.start()
        return True

    with own_server.client(retry=None) as client:
        driver = Driver(client, namespace)
        driver.started("a")
        own_server.kill()
        header = Ledger(client, retry_for=0, goes_on=goes_on).header(driver.thread)
        assert header is not None
        own_server.kill()
        with pytest.raises(StoreUnavailable):
            Ledger(client, retry_for=0, goes_on=lambda: False).header(driver.thread)


def _as_redis_py_reads(said: str) -> redis.ResponseError:
    error: redis.ResponseError = BaseParser.parse_error(said)  # type: ignore[no-untyped-call]
    return error


IN_A_SCRIPT = "ERR Error running script (call to f_1a): @user_script:12: @user_script: 12: -"


@pytest.mark.parametrize("inside", ["", IN_A_SCRIPT, IN_A_SCRIPT.removeprefix("ERR ")])
@pytest.mark.parametrize(
    "said",
    [
        "READONLY You can't write against a read only replica.",
        "MISCONF Redis is configured to save RDB snapshots, but it is not able to persist on disk.",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "LOADING Redis is loading the dataset in memory",
        "UNBLOCKED force unblock from blocking operation, instance state changed",
        "NOREPLICAS Not enough good replicas to write.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "BUSY Redis is busy running a script.",
    ],
)
def test_what_redis_refuses_for_a_while_is_asked_again(said: str, inside: str) -> None:
    assert passes(redis.ResponseError(f"{inside}{said}"))
    assert passes(_as_redis_py_reads(f"{inside}{said}"))


@pytest.mark.parametrize(
    "said",
    [
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "NOPERM this user has no permissions",
        "WRONGPASS invalid username-password pair",
        f"{IN_A_SCRIPT}WRONGTYPE Operation against a key holding the wrong kind of value",
        "ERR user_script:1: a value that says READONLY and OOM",
    ],
)
def test_what_redis_refuses_for_good_is_not_asked_again(said: str) -> None:
    assert not passes(_as_redis_py_reads(said))


@pytest.mark.redis
def test_a_script_waits_until_redis_may_be_written_again(
    own_server: RedisServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_server.client() as client:
        driver = Driver(client, namespace)
        client.replicaof(HOST, free_port())
        with pytest.raises(StoreUnavailable, match="takes nothing at the moment"):
            driver.started("a")
        pauses: list[float] = []

        def promote(pause: float) -> None:
            pauses.append(pause)
            client.replicaof("NO", "ONE")

        monkeypatch.setattr(time, "sleep", promote)
        driver.ledger = Ledger(client)
        driver.started("a")
        assert len(pauses) == 1


def test_a_ledger_that_repeats_nothing_fails_without_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    client = redis.Redis.from_url(f"redis://127.0.0.1:{free_port()}", retry=None)
    with pytest.raises(StoreUnavailable):
        Ledger(client).once().header(keys.Thread("t", "thread"))
    assert pauses == []


def test_an_unreachable_redis_is_named_without_its_password() -> None:
    url = f"redis://user:secret@127.0.0.1:{free_port()}/3"
    ledger = Ledger(redis.Redis.from_url(url, retry=None), retry_for=0.2)
    with pytest.raises(StoreUnavailable) as caught:
        ledger.header(keys.Thread("t", "thread"))
    assert f"{url.rpartition('@')[2]}" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_client_of_a_socket_is_named_by_its_path() -> None:
    assert address(redis.Redis(unix_socket_path="/run/redis.sock")) == "/run/redis.sock"
    assert address(object()) == "its configured address"


@pytest.mark.redis
def test_a_wrong_password_is_reported_at_once(tmp_path: Path) -> None:
    server = RedisServer(tmp_path).start()
    try:
        with server.client() as admin:
            admin.config_set("requirepass", "right")
        with (
            server.client(password="wrong", retry=None) as client,
            pytest.raises(StoreUnavailable) as caught,
        ):
            Ledger(client).header(keys.Thread("t", "thread"))
        assert "password" in str(caught.value)
    finally:
        server.process.end()


@pytest.mark.redis
def test_what_redis_refuses_is_a_store_error(redis_client: redis.Redis, namespace: str) -> None:
    thread = keys.Thread(namespace, "thread")
    redis_client.set(thread.header, "not a hash")
    with pytest.raises(StoreError, match="WRONGTYPE"):
        Ledger(redis_client).header(thread)


@pytest.mark.redis
def test_what_a_script_cannot_read_is_no_refusal_that_passes(
    redis_client: redis.Redis, namespace: str
) -> None:
    driver = Driver(redis_client, namespace)
    ep = driver.started("a")
    redis_client.hset(f"{driver.thread.prefix}s:", "t|a", "{")
    with pytest.raises(CorruptRecord, match="A script failed on what Redis at"):
        driver.claim(ep, "a")
    redis_client.set(driver.thread.header, "no hash")
    with pytest.raises(CorruptRecord, match="WRONGTYPE"):
        driver.claim(ep, "a")


@pytest.mark.redis
def test_a_full_redis_refuses_a_start_and_takes_a_delete(
    own_server: RedisServer, namespace: str
) -> None:
    with own_server.client() as client:
        driver = Driver(client, namespace)
        ep = driver.started("a")
        driver.claim(ep, "a")
        driver.complete(ep, "a")
        client.config_set("maxmemory", "1")
        with pytest.raises(StoreError, match="memory"):
            Driver(client, namespace, "another").started("a")
        assert driver.commit(ep, superstep("cp-1", "b")).status == "go"
        assert driver.ledger.delete(driver.thread).status == "ok"
        assert client.keys(f"{namespace}*") == []


@pytest.mark.redis
async def test_the_asyncio_ledger_does_the_same(redis_server: RedisServer, namespace: str) -> None:
    client = redis.asyncio.Redis.from_url(redis_server.url)
    async with client:
        ledger, thread = AsyncLedger(client), keys.Thread(namespace, "thread")
        await client.script_flush()
        started = await ledger.start(
            thread, "run", superstep("cp", "a"), expect="", graph="g", fp="1", queue="q"
        )
        claimed = await ledger.claim(
            thread, "", started.ep, ("a",), tok="t", owner="w", lease_ms=1, served=("g@1",)
        )
        assert claimed.status == "ok"


@pytest.mark.redis
async def test_of_many_commands_on_a_loop_those_that_fail_are_repeated(
    redis_server: RedisServer, redis_client: redis.Redis, namespace: str
) -> None:
    driver = Driver(redis_client, namespace)
    driver.started("a")
    redis_client.script_flush()
    looks = [commands.threads(namespace, n, Sought(BUSY), "", 9) for n in range(keys.SHARDS)]
    async with redis.asyncio.Redis.from_url(redis_server.url) as client:
        found = await AsyncLedger(client, retry_for=0).together(looks)
    (listed,) = (thread for page in found for thread in page.threads)
    assert listed.x == driver.thread.x


async def test_the_asyncio_ledger_reports_an_unreachable_redis() -> None:
    client = redis.asyncio.Redis(port=free_port(), retry=AsyncRetry(NoBackoff(), 0))
    async with client:
        with pytest.raises(StoreUnavailable):
            await AsyncLedger(client, retry_for=0.2).header(keys.Thread("t", "thread"))


@pytest.mark.redis
@pytest.mark.parametrize("garbage", [b"{}", b"[1]", b"[", b"\xff", b'[1,"Q","",""]'])
def test_a_damaged_task_record_is_reported(
    redis_client: redis.Redis, namespace: str, garbage: bytes
) -> None:
    driver = Driver(redis_client, namespace)
    driver.started("a")
    redis_client.hset(f"{driver.thread.prefix}s:", "t|a", garbage)
    with pytest.raises(CorruptRecord, match="cannot read"):
        driver.ledger.load(driver.thread)


def test_a_damaged_event_is_reported() -> None:
    with pytest.raises(CorruptRecord):
        events.decode((b"1-0", {b"k": b"run"}))


def test_the_scripts_run_on_fakeredis() -> None:
    driver = Driver(fakeredis.FakeRedis(), "fake")
    ep = driver.started("a", "b")
    driver.claim(ep, "a", "b")
    driver.complete(ep, "a")
    assert driver.ask(ep, "b", "q1").closing == "paused"
    assert driver.answer("b", "q1").status == "go"
    (task,) = driver.claim(ep, "b").tasks
    assert driver.complete(ep, "b", rnd=task.rnd).closing == "advance"
    assert driver.commit(ep, superstep("cp-1", outcome="end")).status == "end"


@pytest.mark.parametrize("namespace", ["", "A", "a b", "a{b}", "a:b", "x" * 33])
def test_a_namespace_cannot_break_a_key(namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        keys.Thread(namespace, "thread")


@pytest.mark.parametrize("x", ["short", "A" * 24, "a" * 25, "a" * 23 + "|"])
def test_a_forged_thread_hash_is_refused(x: str) -> None:
    with pytest.raises(ValueError, match="hash"):
        keys.Thread.from_x("dg", x)


def test_a_thread_is_found_again_by_its_hash() -> None:
    thread = keys.Thread("dg", "thread")
    assert keys.Thread.from_x("dg", thread.x).prefix == thread.prefix
    assert keys.thread_of_header("dg", thread.header).x == thread.x
    assert 0 <= thread.shard < keys.SHARDS


@pytest.mark.parametrize("error", [None, ConnectionError()])
async def test_a_cancellation_that_the_client_loses_is_heeded(error: Exception | None) -> None:
    begun = asyncio.Event()

    async def loses() -> str:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if error:
            raise error
        return "the reply"

    task = asyncio.create_task(heeding_cancellation(loses()))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
