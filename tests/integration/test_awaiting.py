"""Who waits for the end of a run shares one read with all others of its process or loop."""

from __future__ import annotations

import asyncio
import json
import math
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from checkpoint_redis.commands import Script
from checkpoint_redis.keys import Thread
from distgraph.effects import carry
from distgraph.errors import RunTimeout, StoreUnavailable
from tests.support.apps.served import register
from tests.support.awaited import Runs
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE, wait_until
from workers.client import awaiting
from workers.client.carrier import perform
from workers.client.effects import AwaitEnd, Read, Rest, Wait
from workers.client.watched import Watched

pytestmark = pytest.mark.redis
LONG_AGO = 0.0


@pytest.fixture
def runs(redis_server: RedisServer, namespace: str) -> Runs:
    return Runs(redis_server, namespace)


@pytest.fixture
def own(new_redis: Callable[..., RedisServer], namespace: str) -> Runs:
    """Give runs on a server that nobody else uses."""
    return Runs(new_redis(), namespace)


def waiting(pool: ThreadPoolExecutor, runs: Runs, names: list[str]) -> dict[str, Any]:
    """Wait for each run in a thread of its own; return when all wait."""
    futures = {name: pool.submit(runs.wait, name) for name in names}
    reader = runs.backend._carrier._means().reader
    wait_until(lambda: len(reader.ends.waiters) == len(names), "all to wait")
    return futures


def test_threads_that_wait_share_one_read(own: Runs) -> None:
    names = own.start(120)
    with ThreadPoolExecutor(120) as pool:
        futures = waiting(pool, own, names)
        wait_until(lambda: own.reading() == 1, "one reader")
        for name in reversed(names):
            own.end(name)
        for future in futures.values():
            future.result(PATIENCE)
    assert own.reading() == 0


async def test_a_loop_that_waits_for_many_runs_blocks_one_connection(own: Runs) -> None:
    names = own.start(300)
    threads = threading.active_count()
    tasks = [asyncio.create_task(own.await_(name)) for name in names]
    reader = own.backend._carrier._async_means().reader
    await asyncio.to_thread(
        wait_until, lambda: len(reader.ends.waiters) == len(names), "all to wait"
    )
    await asyncio.to_thread(wait_until, own.reading, "a read to block")
    assert own.reading() == 1
    assert threading.active_count() <= threads + 1
    for name in names:
        await asyncio.to_thread(own.end, name)
    await asyncio.gather(*tasks)
    assert not reader.ends.waiters


def test_a_look_asks_once_for_each_shard_however_many_wait(runs: Runs) -> None:
    reader = runs.backend._carrier._means().reader
    asked: list[int] = []
    for n in range(10_000):
        of = Watched(runs.served, Thread(runs.namespace, f"thread-{n}"), f"run-{n}")
        reader.wait(of, (n, 0), 0.0, 0.0)
    of = Watched(runs.served, Thread(runs.namespace, "thread"), "run")

    def look(effect: Any) -> Any:
        match effect:
            case Read(after=after):
                assert len(after) == 64 + 1
                if asked:
                    raise KeyboardInterrupt
                return {}
            case Script(name="carried", args=(given,)):
                asked.append(len(json.loads(given)["runs"]))
                return (True,) * asked[-1]
            case _:
                return ()

    reader.look_at = 0.0
    with pytest.raises(KeyboardInterrupt):
        carry(awaiting.awaited(reader, AwaitEnd(of, (0, 0), None)), look)
    assert len(asked) == 64
    assert sum(asked) == 10_001


def test_a_run_that_ended_before_its_waiter_came_is_caught_up_with(runs: Runs) -> None:
    early, late = same_shard(runs)
    with ThreadPoolExecutor(2) as pool:
        futures = waiting(pool, runs, [early])
        runs.end(late)
        reader = runs.backend._carrier._means().reader
        shard = runs.need(late).of.thread.shard
        wait_until(lambda: reader.ends.positions[shard] > runs.since[late], "the end to be read")
        runs.wait(late)
        runs.end(early)
        futures[early].result(PATIENCE)


def same_shard(runs: Runs) -> tuple[str, str]:
    """Return two runs whose threads are in one shard."""
    seen: dict[int, str] = {}
    while True:
        (name,) = runs.start(1)
        shard = runs.need(name).of.thread.shard
        if shard in seen:
            return seen[shard], name
        seen[shard] = name


def test_nobody_waits_longer_than_he_wants_to(runs: Runs) -> None:
    (name,) = runs.start(1)
    with pytest.raises(RunTimeout, match="did not finish in time"):
        runs.wait(name, LONG_AGO)
    assert not runs.backend._carrier._means().reader.ends.waiters


def test_a_read_blocks_until_the_next_look_or_the_deadline(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = runs.start(1)
    reader, blocks = runs.backend._carrier._means().reader, list[int]()
    clock = SimpleNamespace(monotonic=lambda: sum(blocks) / 1000)
    monkeypatch.setattr(awaiting, "time", clock)

    def pass_time(effect: Any) -> Any:
        match effect:
            case Read(block_ms=int(block)):
                blocks.append(block)
                return {}
            case Script(name="carried"):
                return (True,)
            case _:
                return ()

    with pytest.raises(RunTimeout):
        carry(awaiting.awaited(reader, runs.need(name, 12.0)), pass_time)
    assert blocks == [5_000, 7_000]
    assert not reader.ends.waiters


async def test_who_leads_may_be_cancelled(runs: Runs) -> None:
    first, second = runs.start(2)
    tasks = [asyncio.create_task(runs.await_(name)) for name in (first, second)]
    reader = runs.backend._carrier._async_means().reader
    await asyncio.to_thread(wait_until, lambda: len(reader.ends.waiters) == 2, "both to wait")
    leader = reader.leader
    assert leader is not None
    mine = tasks[0] if leader.of.run == first else tasks[1]
    other = tasks[1] if mine is tasks[0] else tasks[0]
    mine.cancel()
    runs.end(first if leader.of.run == second else second)
    await asyncio.wait_for(other, PATIENCE)
    await asyncio.wait((mine,), timeout=PATIENCE)
    assert mine.cancelled()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RunTimeout(), GeneratorExit()])
def test_a_leader_that_gives_up_disturbs_nobody(runs: Runs, error: BaseException) -> None:
    first, second = runs.start(2)
    reader = runs.backend._carrier._means().reader
    flow = awaiting.awaited(reader, runs.need(first))
    next(flow)
    assert reader.leader is not None
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(runs.wait, second)
        wait_until(lambda: len(reader.ends.waiters) == 2, "both to wait")
        with pytest.raises(type(error)):
            flow.throw(error)
        runs.end(second)
        future.result(PATIENCE)


def test_who_is_not_part_of_the_read_wakes_it(runs: Runs) -> None:
    reader = runs.backend._carrier._means().reader
    alone, apart_, wide = (awaiting.awaited(reader, runs.need(name)) for name in apart(runs, 3))
    one, wake = next(alone), next(apart_)
    assert isinstance(one, Read)
    assert isinstance(wake, Script)
    assert (len(one.after), wake.name) == (1 + 1, "wake")
    # It is about to be woken: nobody else has to do so, nor has who did it already.
    assert isinstance(next(wide), Rest)
    assert isinstance(apart_.send(True), Rest)
    all_shards = alone.send({reader.wake: [(b"7-0", {})]})
    assert isinstance(all_shards, Read)
    assert (len(all_shards.after), all_shards.after[reader.wake]) == (64 + 1, "7-0")
    for flow in (wide, apart_, alone):
        flow.close()


def test_when_a_read_could_not_be_woken_somebody_else_tries(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "FAIL_OVER", 0.0)
    reader = runs.backend._carrier._means().reader
    leads, fails, rests = (awaiting.awaited(reader, runs.need(name)) for name in apart(runs, 3))
    next(leads), next(fails)
    bell = next(rests)
    assert isinstance(bell, Rest)
    with pytest.raises(StoreUnavailable):
        fails.throw(StoreUnavailable("away"))
    assert bell.bell.is_set()
    wake = rests.send(None)
    assert isinstance(wake, Script)
    assert wake.name == "wake"
    leads.close()
    rests.close()


def test_the_lead_goes_to_somebody_who_rests(runs: Runs) -> None:
    reader = runs.backend._carrier._means().reader
    names = [*same_shard(runs), *runs.start(1)]
    leads, rests, wakes = (awaiting.awaited(reader, runs.need(name)) for name in names)
    first, bell, _ = next(leads), next(rests), next(wakes)
    assert isinstance(first, Read)
    assert isinstance(bell, Rest)
    leads.close()
    assert bell.bell.is_set()
    following = rests.send(None)
    assert isinstance(following, Read)
    assert len(following.after) > 2
    rests.close()
    wakes.close()


def apart(runs: Runs, count: int) -> list[str]:
    """Return runs whose threads are all in different shards."""
    seen: dict[int, str] = {}
    while len(seen) < count:
        (name,) = runs.start(1)
        seen.setdefault(runs.need(name).of.thread.shard, name)
    return list(seen.values())


def test_a_run_that_was_lost_is_found_by_the_look(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "FIRST_LOOK", 0.05)
    monkeypatch.setattr(awaiting, "LOOK_EVERY", 0.05)
    lost, kept = runs.start(2)
    with ThreadPoolExecutor(2) as pool:
        futures = waiting(pool, runs, [lost, kept])
        runs.client.delete(runs.drivers[lost].thread.header)
        futures[lost].result(PATIENCE)
        assert not futures[kept].done()
        runs.end(kept)
        futures[kept].result(PATIENCE)


def of_graph(runs: Runs, name: str, graph: str) -> AwaitEnd:
    """Return the need for the end of a run, as if it were of another graph."""
    register(runs.backend, (graph,))
    served, need = runs.backend.registry.get(graph), runs.need(name)
    assert served is not None
    return replace(need, of=replace(need.of, served=served))


def test_each_graph_is_looked_for_as_soon_as_the_first_one(runs: Runs) -> None:
    reader = runs.backend._carrier._means().reader
    (name,) = runs.start(1)
    steps, other = runs.need(name).of, of_graph(runs, name, "approval").of

    def look_by(of: Watched, now: float) -> float:
        return reader.wait(of, (0, 0), now, now + 5.0).look_by

    assert look_by(steps, 0.0) == 5.0
    assert look_by(steps, 2.0) == math.inf  # the first one looks for both
    assert look_by(other, 3.0) == 8.0
    assert reader.listen(other, 4.0, 9.0).look_by == math.inf
    assert look_by(steps, 6.0) == 11.0
    assert reader.listen(other, 9.0, 14.0).look_by == 14.0


def test_who_waits_beside_others_looks_whether_his_graph_is_served(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = runs.backend._carrier._means().reader
    first, second, third = runs.start(3)
    needs = runs.need(first), of_graph(runs, second, "approval"), of_graph(runs, third, "fan")
    reads, rests, looks = (awaiting.awaited(reader, need) for need in needs)
    assert isinstance(next(reads), Read)
    resting = next(effect for effect in rests if isinstance(effect, Rest))
    assert resting.seconds is not None
    assert 0 < resting.seconds <= awaiting.FIRST_LOOK
    monkeypatch.setattr(awaiting, "FIRST_LOOK", 0.0)
    look: Any = next(looks)
    assert look.name == "workers"
    for flow in (reads, rests, looks):
        flow.close()


def test_reads_that_fail_are_begun_anew_ever_later(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 1.0)
    (name,) = runs.start(1)
    reader = runs.backend._carrier._means().reader
    pauses, looks = [], 0

    def lose(effect: Any) -> Any:
        nonlocal looks
        match effect:
            case Read():
                return None
            case Wait(seconds):
                pauses.append(seconds)
                if len(pauses) == 8:
                    raise KeyboardInterrupt
                return None
            case _:
                looks += 1
                return (True,) if effect.name == "carried" else ()

    with pytest.raises(KeyboardInterrupt):
        carry(awaiting.awaited(reader, runs.need(name)), lose)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0]
    monkeypatch.undo()
    assert len({awaiting._length(3) for _ in range(9)}) > 1  # not all at the same time
    assert looks <= 2


def test_a_store_that_cannot_be_asked_for_a_while_ends_no_wait(runs: Runs) -> None:
    (name,) = runs.start(1)
    flow = awaiting.awaited(runs.backend._carrier._means().reader, runs.need(name))
    assert isinstance(next(flow), Read)
    for _ in range(3):
        look: Any = flow.send(None)
        assert look.name == "carried"
        assert isinstance(flow.throw(StoreUnavailable("away")), Wait)
        assert isinstance(flow.send(None), Read)
    flow.close()


def test_who_cannot_wake_the_read_for_a_while_tries_again(runs: Runs) -> None:
    reader = runs.backend._carrier._means().reader
    leads, wakes = (awaiting.awaited(reader, runs.need(name)) for name in apart(runs, 2))
    next(leads)
    for _ in range(3):
        wake: Any = next(wakes)
        assert wake.name == "wake"
        assert isinstance(wakes.throw(StoreUnavailable("read-only")), Wait)
    leads.close()
    wakes.close()


def test_a_store_that_cannot_be_asked_is_told_to_all_who_wait(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "FAIL_OVER", 0.0)
    names = runs.start(3)
    reader = runs.backend._carrier._means().reader
    means, all_wait = runs.backend._carrier._means(), threading.Event()

    def away(effect: Any) -> Any:
        if isinstance(effect, Rest) or getattr(effect, "name", "") == "wake":
            return perform(means, effect)
        if isinstance(effect, Read):
            wait_until(lambda: all_wait.is_set() or len(reader.ends.waiters) == 3, "all to wait")
            all_wait.set()
            return None
        raise StoreUnavailable("away")

    with ThreadPoolExecutor(3) as pool:
        flows = [awaiting.awaited(reader, runs.need(name)) for name in names]
        futures = [pool.submit(carry, flow, away) for flow in flows]
        for future in futures:
            with pytest.raises(StoreUnavailable, match="away"):
                future.result(PATIENCE)
    assert not reader.ends.waiters
