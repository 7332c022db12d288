"""A small thread that waits is one text; whatever is done to it finds all that is in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from checkpoint_redis import commands
from checkpoint_redis.records import CheckpointEntry, NewHead, ResultEntry, SuperstepEntry
from checkpoint_redis.replies import CallerWrites, Loaded
from tests.support.thread_driver import LEASE, Driver, nonce, superstep

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    """Give a thread that waits: a is done, b asks q1, and a caller wrote something."""
    driver = Driver(redis_client, namespace)
    ep = driver.start(replace(superstep("cp-0", "a", "b"), caller_writes=(b"written",))).ep
    driver.claim(ep, "a", "b")
    driver.complete(ep, "a")
    driver.ask(ep, "b", "q1")
    assert driver.stored() == {"h", "z", "e"}
    return driver


def epoch(d: Driver) -> str:
    header = d.ledger.header(d.thread)
    assert header is not None
    return header.ep


def loaded(d: Driver) -> Loaded:
    found = d.ledger.load(d.thread)
    assert found is not None
    return found


def test_its_checkpoints_are_read(d: Driver) -> None:
    assert d.ledger.checkpoints(d.thread, "", ("cp-?", "cp-0")) == (None, b"cp-0")
    assert d.ledger.history(d.thread, "", 0) == (0, ("cp-0",))
    assert d.ledger.channels(d.thread, "", ("c@cp-0",)) == (b"value",)


def test_a_delete_leaves_no_key(d: Driver) -> None:
    assert d.ledger.delete(d.thread).status == "ok"
    assert d.client.keys(f"{d.thread.namespace}*") == []


def test_an_update_drops_the_superstep_and_keeps_the_history(d: Driver) -> None:
    checkpoints = superstep("cp-1").checkpoints
    update = d.ledger.update(d.thread, checkpoints, expect="cp-0", ep=nonce(), waiting=False)
    found = loaded(d)
    assert (update.status, found.header.cp, found.tasks) == ("ok", "cp-1", ())
    assert d.ledger.checkpoints(d.thread, "", ("cp-0", "cp-1")) == (b"cp-0", b"cp-1")
    assert d.caller_writes("cp-0") == CallerWrites((b"written",))
    assert d.stored() == {"h", "c", "e"}


def test_a_checkpoint_of_a_saver_drops_the_superstep_and_keeps_the_history(d: Driver) -> None:
    put = commands.put(d.thread, "", CheckpointEntry("cp-1", b"cp-1", 1), ep=nonce())
    assert d.ledger.call(put).status == "ok"
    assert (loaded(d).header.cp, loaded(d).tasks) == ("cp-1", ())
    assert d.ledger.checkpoints(d.thread, "", ("cp-0", "cp-1")) == (b"cp-0", b"cp-1")
    assert d.stored() == {"h", "c", "e"}


def test_writes_of_a_saver_take_the_place_of_the_superstep(d: Driver) -> None:
    put = commands.put_writes(d.thread, "", "cp-0", (b"log",), asks=True, ep=epoch(d))
    assert d.ledger.call(put).status == "ok"
    found = loaded(d)
    assert (found.log, found.tasks, found.caller_writes) == ((b"log",), (), CallerWrites())
    assert (d.stored(), d.status) == ({"h", "c", "e"}, "interrupted")


def test_pruning_its_head_leaves_the_one_before(d: Driver) -> None:
    older = commands.put(
        d.thread, "", CheckpointEntry("cp-", b"cp-", 3, ("x@1",), {"x@1": b"x"}), ep="e"
    )
    d.ledger.call(older)
    head = NewHead("", "cp-", 3, ("x@1",))
    forget = commands.forget(d.thread, ("k||cp-0", "f|"), (head,), ep="e")
    assert d.ledger.call(forget).status == "ok"
    found = loaded(d)
    assert (found.header.cp, found.header.step, found.header.st) == ("cp-", 3, "idle")
    assert (found.checkpoint, found.channels, found.tasks) == (b"cp-", {"x@1": b"x"}, ())
    assert d.ledger.caller_writes(d.thread, "", ("cp-0",)) == (CallerWrites(),)


def test_pruning_all_of_it_leaves_no_head(d: Driver) -> None:
    forget = commands.forget(d.thread, ("k||cp-0",), (NewHead(""),), ep=epoch(d))
    assert d.ledger.call(forget).status == "ok"
    found = loaded(d)
    assert (found.header.cp, found.header.step, found.channels) == ("", 0, {})
    assert (found.checkpoint, found.tasks, d.status) == (None, (), "idle")
    assert d.ledger.history(d.thread, "", 0) == (0, ())


@pytest.mark.parametrize(("channels", "size"), [(70, 1), (1, 9_000)])
def test_what_is_not_small_stays_as_it_is(
    redis_client: redis.Redis, namespace: str, channels: int, size: int
) -> None:
    d = Driver(redis_client, namespace)
    blobs = {f"c{n}@1": b"x" * size for n in range(channels)}
    checkpoint = CheckpointEntry("cp-0", b"k", 0, tuple(blobs), blobs)
    d.start(SuperstepEntry(nonce(), (checkpoint,), (), "stop", 25))
    assert d.stored() == {"h", "c", "e"}


def test_a_superstep_of_many_tasks_stays_as_it_is(
    redis_client: redis.Redis, namespace: str
) -> None:
    d = Driver(redis_client, namespace)
    tids = [f"t{n}" for n in range(40)]
    ep = d.started(*tids)
    d.claim(ep, *tids)
    asked = [ResultEntry(tid, "", b"q", questions=((f"q-{tid}", 0),)) for tid in tids]
    d.ledger.complete(d.thread, "", ep, tuple(asked), tok="t", tok2="adv", lease_ms=LEASE)
    assert {"s:", "u:"} <= d.stored()


def test_an_id_stands_once_in_a_packed_superstep(redis_client: redis.Redis, namespace: str) -> None:
    d = Driver(redis_client, namespace)
    tid = "a-long-id-of-a-task"
    ep = d.start(SuperstepEntry(nonce(), (), (superstep("", tid).tasks), "go", 25)).ep
    d.claim(ep, tid)
    d.ask(ep, tid, "q1")
    blobs = 1  # the driver's task has its id as its blob
    assert d.client.get(f"{d.thread.prefix}z").count(tid.encode()) == 1 + blobs
