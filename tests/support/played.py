"""A thread whose tasks a test plays itself, and somebody who is faster than its client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from checkpoint_redis.ledger import Ledger
from checkpoint_redis.replies import Loaded
from distgraph.core.model import Errored, Interrupted, Question
from distgraph.types import Interrupt
from tests.support.chains import built, log
from tests.support.site import on
from tests.support.thread_driver import Driver
from workers import CeleryBackend
from workers.shared.wire import Wire


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


def before(monkeypatch: pytest.MonkeyPatch, name: str, does: Callable[[], object]) -> None:
    """Let somebody else be faster: `does` comes before the next script `name`."""
    call, todo = Ledger.call, [does]

    def meddled(self: Ledger, command: Any) -> Any:
        if getattr(command, "name", "") == name and todo:
            todo.pop()()
        return call(self, command)

    monkeypatch.setattr(Ledger, "call", meddled)
