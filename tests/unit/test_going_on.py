"""Of two clients that go on with one thread, the slower changes nothing and is told so."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from checkpoint_redis.layout import FrameField
from checkpoint_redis.readings import Loaded
from checkpoint_redis.saver import RedisSaver
from distgraph.errors import ThreadBusy, ThreadConflict
from distgraph.types import Command
from tests.support.played import Two, before
from tests.support.redis_server import RedisServer
from tests.support.site import on
from workers import CeleryBackend

pytestmark = pytest.mark.redis
OPEN = ("error", "interrupted")
BROUGHT = Command(update={"log": ["brought"]}, goto="b")


@pytest.fixture
def two(redis_server: RedisServer, redis_client: redis.Redis, namespace: str) -> Two:
    return Two(CeleryBackend(redis_server.url, namespace=namespace), redis_client)


@pytest.mark.parametrize("given", [None, BROUGHT], ids=["none", "command"])
@pytest.mark.parametrize("ends", OPEN)
def test_what_was_meant_for_another_superstep_is_refused(
    two: Two, monkeypatch: pytest.MonkeyPatch, ends: str, given: Any
) -> None:
    two.begin(ends)
    after: list[Loaded] = []

    def move_on() -> None:
        two.move_on(ends)
        after.append(two.loaded())

    before(monkeypatch, "answer", move_on)
    with pytest.raises(ThreadConflict, match="nothing was changed"):
        two.graph.submit(given, on("t"))
    assert two.loaded() == after[0]


@pytest.mark.parametrize("ends", OPEN)
def test_what_is_meant_for_this_superstep_is_taken(two: Two, ends: str) -> None:
    two.begin(ends)
    two.graph.submit(BROUGHT, on("t"))
    found = two.loaded()
    assert (two.d.status, len(found.caller_writes.blobs), len(found.tasks)) == ("busy", 1, 2)


def test_of_two_retries_of_one_failure_one_is_taken(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.begin("error")
    before(monkeypatch, "answer", lambda: two.graph.submit(None, on("t")))
    with pytest.raises(ThreadBusy):
        two.graph.submit(BROUGHT, on("t"))
    assert two.loaded().caller_writes.blobs == ()


def test_an_operators_retry_is_of_the_failure_that_was_seen(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.begin("error")
    before(monkeypatch, "answer", lambda: two.move_on("error"))
    with pytest.raises(ThreadConflict):
        two.backend.thread("t").retry()
    assert two.d.status == "error"
    assert two.backend.thread("t").retry().id
    assert two.d.status == "busy"


def test_an_answer_by_id_needs_no_epoch(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    two.begin("interrupted")
    epoch = two.loaded().header.ep

    def renew() -> None:
        two.d.client.hset(two.d.thread.header, FrameField.epoch, "another")

    before(monkeypatch, "answer", renew)
    two.graph.submit(Command(resume={f"{1:032x}": "yes"}), on("t"))
    assert (two.d.status, two.loaded().header.ep == epoch) == ("busy", False)


def test_a_start_does_not_drop_what_ran_from_the_same_head_meanwhile(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.begin("error")
    two.backend.thread("t").cancel()

    def fail_again() -> None:
        two.graph.submit(None, on("t"))
        two.play("error")

    before(monkeypatch, "start", fail_again)
    with pytest.raises(ThreadConflict):
        two.graph.submit(BROUGHT, on("t"))
    assert (two.d.status, two.loaded().caller_writes.blobs) == ("error", ())


def test_an_update_of_an_older_checkpoint_needs_what_it_read(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.begin("error")
    two.backend.thread("t").cancel()
    oldest = list(two.graph.get_state_history(on("t")))[-1].config
    saver = RedisSaver(two.d.client, namespace=two.backend.namespace)
    before(monkeypatch, "update", lambda: saver.prune(["t"]))
    with pytest.raises(ThreadConflict):
        two.graph.update_state(oldest, {"log": ["more"]}, as_node="a")
    assert len(list(two.graph.get_state_history(on("t")))) == 1
