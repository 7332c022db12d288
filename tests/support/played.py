"""A thread whose tasks a test plays itself, and somebody who is faster than its client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from checkpoint_redis.ledger import Ledger
from checkpoint_redis.readings import Loaded
from distgraph.core.model import Errored, Interrupted, Question
from distgraph.types import Interrupt
from tests.support.chains import built, log
from tests.support.site import on
from tests.support.thread_driver import Driver
from workers import CeleryBackend
from workers.shared.wire import Wire


class Two:
    """A thread whose tasks the test plays, and two clients of it."""

    def __init__(self, backend: CeleryBackend, client: redis.Redis, name: str = "t") -> None:
        self.backend, self.name = backend, name
        self.graph = built(a=log("a"), b=log("b")).compile(name="chain", backend=backend)
        self.d = Driver(client, backend.namespace, name)

    @property
    def wire(self) -> Wire:
        return self.backend.registry.common_wire()

    def loaded(self) -> Loaded:
        found = self.d.ledger.load(self.d.thread)
        assert found is not None
        return found

    def play(self, ends: str, *values: Any) -> None:
        """Let the task of the open superstep fail, or ask for ``values``."""
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
            asks = (Interrupt(value, f"{n:032x}") for n, value in enumerate(values or ["well?"], 1))
            asked = Interrupted(tuple(Question(each, "") for each in asks))
            entry = self.wire.finished(self.graph_task(task.tid), task.rnd, asked)
            self.d.ledger.complete(thread, "", ep, (entry,), tok="t", tok2="a", lease_ms=5_000)
        assert self.d.status == ends

    def graph_task(self, tid: str) -> Any:
        (found,) = [t for t in self.loaded().tasks if t.tid == tid]
        return self.wire.read_task(tid, found.blob)

    def begin(self, ends: str, *values: Any) -> None:
        self.graph.submit({"log": ["input"]}, on(self.name))
        self.play(ends, *values)

    def move_on(self, ends: str) -> None:
        """Leave the superstep for another one, which ends likewise."""
        self.backend.thread(self.name).cancel()
        self.graph.submit({"log": ["other"]}, on(self.name))
        self.play(ends)


def before(monkeypatch: pytest.MonkeyPatch, name: str, does: Callable[[], object]) -> None:
    """Let somebody else be faster: `does` comes before the next script `name`."""
    call, todo = Ledger.call, [does]

    def meddled(self: Ledger, command: Any) -> Any:
        if getattr(command, "name", "") == name and todo:
            todo.pop()()
        return call(self, command)

    monkeypatch.setattr(Ledger, "call", meddled)
