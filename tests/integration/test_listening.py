"""Who follows the events of runs shares one read with all others of its process or loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from checkpoint_redis.commands import Script
from checkpoint_redis.layout import EventField
from distgraph.errors import RunCancelled, StoreUnavailable
from tests.support.redis_server import RedisServer
from tests.support.streamed import Streamed, Streams
from tests.support.waiting import PATIENCE, wait_until
from workers.client import awaiting, listeners
from workers.client.effects import AwaitEvents, Read, Rest
from workers.client.listeners import Listener
from workers.client.reader import Reader
from workers.shared.clients import CONNECTIONS, READERS

pytestmark = pytest.mark.redis
MANY, CHUNKS = 300, 5


@pytest.fixture
def here(redis_server: RedisServer, namespace: str) -> Iterator[Streams]:
    with closing(Streams(redis_server, namespace)) as streams:
        yield streams


@pytest.fixture
def own(new_redis: Callable[..., RedisServer], namespace: str) -> Streams:
    """Give here on a server that nobody else uses."""
    return Streams(new_redis(), namespace)


def reader_of(here: Streams) -> Reader:
    return here.backend._carrier._means().reader


def all_listen(reader: Reader, count: int) -> None:
    wait_until(lambda: len(reader.listeners.streams) == count, "all to listen")


async def test_a_loop_that_follows_many_streams_blocks_one_connection(own: Streams) -> None:
    runs = own.start(MANY)
    reader = own.backend._carrier._async_means().reader
    before = len(own.client.client_list())
    tasks = [asyncio.create_task(own.ahear(one)) for one in runs]
    await asyncio.to_thread(all_listen, reader, MANY)
    for first in range(1, CHUNKS + 1):
        for one in runs:
            await asyncio.to_thread(own.tell, one, first, first)
        await asyncio.to_thread(wait_until, lambda: own.reading() == 1, "one read")
    assert len(own.client.client_list()) <= before + CONNECTIONS + 1
    for one in runs:
        await asyncio.to_thread(own.end, one)
    assert await asyncio.gather(*tasks) == [list(range(1, CHUNKS + 1))] * MANY
    assert not reader.listeners.streams
    assert reader.leader is None


def test_threads_that_follow_streams_and_wait_for_ends_share_one_read(own: Streams) -> None:
    runs = own.start(40)
    reader = reader_of(own)
    with ThreadPoolExecutor(80) as pool:
        chunks = [pool.submit(lambda each: list(own.hear(each)), one) for one in runs]
        ends = [pool.submit(one.run.result) for one in runs]
        all_listen(reader, 40)
        wait_until(lambda: len(reader.ends.waiters) == 40, "all to wait")
        for one in runs:
            own.tell(one, 1, 3)
        wait_until(lambda: own.reading() == 1, "one read")
        for one in runs:
            own.tell(one, 4, 6)
            own.end(one)
        assert [future.result(PATIENCE) for future in chunks] == [[1, 2, 3, 4, 5, 6]] * 40
        for future in ends:
            with pytest.raises(RunCancelled):
                future.result(PATIENCE)
    assert not reader.listeners.streams
    assert len(own.client.client_list()) <= 2 + CONNECTIONS + READERS


def test_two_who_follow_one_stream_hear_the_same(here: Streams) -> None:
    (one,) = here.start(1)
    here.tell(one, 1, 2)
    first, second = here.hear(one), here.hear(one)
    assert [next(first), next(first), next(second)] == [1, 2, 1]
    here.tell(one, 3, 3)
    assert [next(first), next(second), next(second)] == [3, 2, 3]
    here.end(one)
    assert [*first, *second] == []


def test_one_thread_reads_for_the_streams_that_it_comes_back_to(here: Streams) -> None:
    runs = here.start(5)
    streams = [here.hear(one) for one in runs]
    for n in range(1, 4):
        for one in runs:
            here.tell(one, n, n)
        assert [next(stream) for stream in streams] == [n] * 5
    for stream in streams:
        stream.close()  # type: ignore[attr-defined]
    assert not reader_of(here).listeners.streams


def listener_of(reader: Reader, one: Streamed) -> Listener:
    (found,) = reader.listeners.streams[one.stream]
    return found


def test_of_who_is_slow_little_is_kept_and_he_hinders_nobody(here: Streams) -> None:
    slow, fast = here.start(2)
    lazy, eager = here.hear(slow), here.hear(fast)
    here.tell(slow, 1, 1)
    here.tell(fast, 1, 1)
    assert (next(lazy), next(eager)) == (1, 1)
    of_slow = listener_of(reader_of(here), slow)
    for n in range(2, 20):
        here.tell(slow, 1_000 * (n - 2) + 2, 1_000 * (n - 1) + 1)
        here.tell(fast, n, n)
        assert next(eager) == n
        assert len(of_slow.held) < 2 * listeners.HELD
    assert of_slow.full
    here.tell(fast, 20, 20)
    assert next(eager) == 20
    assert of_slow.stream not in reader_of(here).listeners.reads
    here.end(slow)
    assert list(lazy) == list(range(2, 18_002))


def test_of_who_is_slow_few_bytes_are_kept(here: Streams) -> None:
    slow, fast = here.start(2)
    lazy, eager = here.hear(slow), here.hear(fast)
    here.tell(slow, 1, 1)
    assert next(lazy) == 1
    of_slow = listener_of(reader_of(here), slow)
    for n in range(1, 60):
        here.tell(slow, n + 1, n + 1, "x" * 100_000)
        here.tell(fast, n, n)
        assert next(eager) == n
    assert listeners.HELD_BYTES <= of_slow.bytes <= listeners.HELD_BYTES + 300_000
    here.end(slow)
    assert list(lazy) == list(range(2, 61))


async def test_a_stream_that_is_cancelled_leaves_nothing_behind(here: Streams) -> None:
    runs = here.start(3)
    reader = here.backend._carrier._async_means().reader
    tasks = [asyncio.create_task(here.ahear(one)) for one in runs]
    await asyncio.to_thread(all_listen, reader, 3)
    others = asyncio.all_tasks() - set(tasks)
    for task in tasks[:2]:
        task.cancel()
    await asyncio.wait(tasks[:2], timeout=PATIENCE)
    assert list(reader.listeners.streams) == [runs[2].stream]
    here.tell(runs[2], 1, 1)
    await asyncio.to_thread(here.end, runs[2])
    assert await tasks[2] == [1]
    assert set(reader.listeners.reads) <= {runs[2].stream}
    assert asyncio.all_tasks() <= others
    assert not reader.listeners.streams
    assert not reader.resting


def test_a_stream_that_is_dropped_leaves_nothing_behind(here: Streams) -> None:
    (one,) = here.start(1)
    here.tell(one, 1, 1)
    stream = here.hear(one)
    assert next(stream) == 1
    assert reader_of(here).listeners.streams
    del stream
    gc.collect()
    assert not reader_of(here).listeners.streams


async def test_connections_that_are_lost_lose_and_double_nothing(own: Streams) -> None:
    runs = own.start(30)
    reader = own.backend._carrier._async_means().reader
    tasks = [asyncio.create_task(own.ahear(one)) for one in runs]
    await asyncio.to_thread(all_listen, reader, 30)
    for n in range(1, 11):
        for one in runs:
            await asyncio.to_thread(own.tell, one, n, n)
            if one is runs[n]:
                await asyncio.to_thread(own.client.execute_command, *_KILL)
    for one in runs:
        await asyncio.to_thread(own.end, one)
    assert await asyncio.gather(*tasks) == [list(range(1, 11))] * 30


_KILL = ("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def test_a_stream_that_lost_its_last_events_goes_on_with_what_comes(own: Streams) -> None:
    """As after a fail-over to a replica that was behind: ids that were seen are not there."""
    (one,) = own.start(1)
    own.tell(one, 1, 1)
    stream, number = one.run.stream(), EventField.number.encode()
    assert next(stream) == ("custom", [1, ""])
    ((_, fields),) = own.client.xrevrange(one.stream, count=1)
    fields[number] = int(fields[number]) + 1
    own.client.xadd(one.stream, fields, id="9999999999999-0")
    assert next(stream) == ("custom", [1, ""])
    own.client.delete(one.stream)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(next, stream)
        wait_until(own.reading, "a read to block")
        own.client.execute_command(*_KILL)
        mode, chunk = future.result(PATIENCE)
    assert (mode, chunk["after"], chunk["status"]) == ("gap", "9999999999999-0", "pending")
    own.tell(one, 2, 2)
    assert next(stream) == ("custom", [2, ""])
    own.end(one)


def test_what_cannot_be_read_is_told_to_all_who_listen(
    here: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "FAIL_OVER", 0.0)
    runs = here.start(3)
    reader = reader_of(here)
    listening = [awaiting.listen(reader, one.of) for one in runs]
    flows = [awaiting.listened(reader, AwaitEvents(each, (0, 0))) for each in listening]
    assert isinstance(next(flows[0]), Read)
    for flow in flows[1:]:
        step = next(flow)
        while not isinstance(step, Rest):
            step = flow.send(True)
    look = flows[0].send(None)
    assert isinstance(look, Script)
    assert look.name == "carried"
    with pytest.raises(StoreUnavailable, match="away"):
        flows[0].throw(StoreUnavailable("away"))
    for flow in flows[1:]:
        with pytest.raises(StoreUnavailable, match="away"):
            flow.send(None)
    assert reader.leader is None


def reads(here: Streams, reader: Reader, count: int) -> Iterator[Any]:
    """Listen to so many streams, and yield what the first listener reads for all of them."""
    runs = here.start(count)
    first, *_ = [awaiting.listen(reader, one.of) for one in runs]
    flow = awaiting.listened(reader, AwaitEvents(first, (0, 0)))
    read = next(flow)
    while True:
        yield read
        read = flow.send({})


def test_streams_that_are_too_many_for_one_read_take_turns(
    here: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "STREAMS", 4)
    reader, seen = reader_of(here), set[str]()
    turns = reads(here, reader, 10)
    for _ in range(3):
        read = next(turns)
        streams = read.after.keys() - {reader.wake}
        assert len(streams) == 4
        assert read.block_ms <= 1000 * awaiting.SHORT
        seen |= streams
    assert len(seen) == 10


def test_many_streams_bring_few_entries_each(
    here: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "ENTRIES", 50)
    assert next(reads(here, reader_of(here), 10)).count == 5


# --- what is known of where each one stands ------------------------------------------------------


def test_who_goes_back_is_not_given_what_a_read_from_further_on_brings(here: Streams) -> None:
    reader = reader_of(here)
    (one,) = here.start(1)
    listener = awaiting.listen(reader, one.of)
    reader.stand(listener, (9, 0))
    reading = reader.turn(listener)
    reader.stand(listener, (5, 0))
    entry = (b"10-0", {b"n": b"1"})
    reader.took(reading, {listener.stream: [entry]}, None)  # type: ignore[arg-type]
    assert not listener.served
    again = reader.turn(listener)
    reader.took(again, {listener.stream: [(b"6-0", {}), entry]}, None)  # type: ignore[arg-type]
    assert [name for name, _ in reader.take(listener)] == [b"6-0", b"10-0"]
    listener.leave()
