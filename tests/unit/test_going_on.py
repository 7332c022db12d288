"""Of two clients that go on with one thread, the slower changes nothing and is told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from checkpoint_redis.layout import FrameField
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.replies import Loaded
from checkpoint_redis.saver import RedisSaver
from distgraph.core.model import Errored, Interrupted, Question
from distgraph.errors import ThreadBusy, ThreadConflict
from distgraph.types import Command, Interrupt
from tests.support.chains import built, log
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.thread_driver import Driver
from workers import CeleryBackend
from workers.shared.wire import Wire

pytestmark = pytest.mark.redis
OPEN = ("error", "interrupted")
BROUGHT = Command(update={"log": ["brought"]}, goto="b")


class Two:
    """A thread whose tasks the test plays, and two clients of it."""

    def __init__(self, backend: CeleryBackend, client: redis.Redis) -> None:
        self.backend = backend
        self.graph = built(a=log("a"), b=log("b")).compile(name="chain", backend=backend)
        self.d = Driver(client, backend.namespace, "t")

    @property
    def wire(self) -> Wire:
        return self.backend.registry.common_wire()

    def loaded(self) -> Loaded:
        found = self.d.ledger.load(self.d.thread)
        assert found is not None
        return found

    def play(self, ends: str) -> None:
        """Let the task of the open superstep fail, or ask."""
        found = self.loaded()
        (task,) = found.tasks
        thread, ep, served = self.d.thread, found.header.ep, (f"chain@{found.header.fp}",)
        self.d.ledger.claim(
            thread, "", ep, (task.tid,), tok="t", owner="w", lease_ms=5_000, served=served
        )
        if ends == "error":
            error = self.wire.error(Errored("builtins.ValueError", "no"))
            self.d.ledger.fail(thread, "", ep, task.tid, tok="t", error=error, retry_in_ms=-1)
        else:
            asked = Interrupted((Question(Interrupt("well?", f"{1:032x}"), ""),))
            entry = self.wire.finished(self.graph_task(task.tid), task.rnd, asked, "")
            self.d.ledger.complete(thread, "", ep, (entry,), tok="t", tok2="a", lease_ms=5_000)
        assert self.d.status == ends

    def graph_task(self, tid: str) -> Any:
        (found,) = [t for t in self.loaded().tasks if t.tid == tid]
        return self.wire.read_task(tid, found.blob)

    def begin(self, ends: str) -> None:
        self.graph.submit({"log": ["input"]}, on("t"))
        self.play(ends)

    def move_on(self, ends: str) -> None:
        """Leave the superstep for another one, which ends likewise."""
        self.backend.thread("t").cancel()
        self.graph.submit({"log": ["other"]}, on("t"))
        self.play(ends)


@pytest.fixture
def two(redis_server: RedisServer, redis_client: redis.Redis, namespace: str) -> Two:
    return Two(CeleryBackend(redis_server.url, namespace=namespace), redis_client)


def before(monkeypatch: pytest.MonkeyPatch, name: str, does: Callable[[], object]) -> None:
    """Let somebody else be faster: `does` comes before the next script `name`."""
    call, todo = Ledger.call, [does]

    def meddled(self: Ledger, command: Any) -> Any:
        if getattr(command, "name", "") == name and todo:
            todo.pop()()
        return call(self, command)

    monkeypatch.setattr(Ledger, "call", meddled)


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
