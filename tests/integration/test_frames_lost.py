"""Graphs that are nodes, on workers: what is lost on the way up costs time alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from distgraph.errors import JobFailed
from distgraph.types import Command
from tests.support.frames import adds, asks, config, deep
from tests.support.redis_server import RedisServer
from workers import CeleryBackend
from workers.worker import jobs
from workers.worker.attempt import Attempt
from workers.worker.desk import Desk
from workers.worker.running import run_all


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> Iterator[CeleryBackend]:
    """A backend with a worker inside this process, with one slot alone, that looks often."""
    quick = {"lease": 4.0, "heartbeat": 0.5, "sweep": 0.3}
    made = CeleryBackend(redis_server.url, namespace=namespace, **quick)  # type: ignore[arg-type]
    with made.worker(pool="threads", concurrency=1):
        yield made


def test_a_lost_hint_of_what_has_gone_up_is_sent_again(
    backend: CeleryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Desk, "_send", lambda *_: None)
    graph = deep(2, ("a", adds("a")), ("b", adds("b"))).on(backend, "top")
    assert graph.invoke({"xs": []}, config())["xs"][-2:] == ["a", "b"]


def test_an_attempt_that_vanishes_before_it_takes_what_has_gone_up(
    backend: CeleryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    vanished: list[str] = []

    def vanish(desk: Desk, attempts: Sequence[Attempt]) -> tuple[JobFailed, ...]:
        (attempt,) = attempts
        if attempt.called.has_risen and attempt.task.node not in vanished:
            vanished.append(attempt.task.node)
            return ()
        return run_all(desk, attempts)

    monkeypatch.setattr(jobs, "run_all", vanish)
    graph = deep(2, ("a", adds("a")), ("ask", asks("well?"))).on(backend, "top")
    where = config()
    asked: Any = graph.invoke({"xs": []}, where)["__interrupt__"]
    assert [each.value for each in asked] == ["well?"]
    assert vanished == ["in2", "in1"]
    assert graph.invoke(Command(resume="yes"), where)["xs"][-2:] == ["a", "yes"]


def test_what_was_parked_twice_runs_once(
    backend: CeleryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []
    park = Desk.park

    def again(desk: Desk, *given: Any) -> None:
        park(desk, *given)
        park(desk, *given)

    def node(_: Any) -> Any:
        ran.append(1)
        return {"xs": ["once"]}

    monkeypatch.setattr(Desk, "park", again)
    graph = deep(2, ("a", node)).on(backend, "top")
    assert graph.invoke({"xs": []}, config())["xs"][-1:] == ["once"]
    assert ran == [1]
