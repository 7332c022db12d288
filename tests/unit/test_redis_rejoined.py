"""What goes on below a task that parks again: nothing waits for ever, or is in a wrong round."""

from __future__ import annotations

import pytest
import redis

from checkpoint_redis.records import AgainEntry
from tests.support.frame_driver import Frame, around
from tests.support.thread_driver import Driver

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def parked(d: Driver, *tids: str) -> tuple[str, Frame]:
    """Start a run with the tasks a and b; a is parked for a graph with the tasks ``tids``."""
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    frame = Frame(d, "node:a")
    frame.park(ep, *tids)
    return ep, frame


def test_what_fails_in_a_failed_run_goes_up_when_its_task_parks_that_has_not_seen_it(
    d: Driver,
) -> None:
    ep, frame = parked(d, "x")
    frame.claim("x")
    d.fail(ep, "b")
    d.go_on("retry")
    d.claim(ep, "a", "b", tok="t2")
    d.fail(ep, "b", tok="t2")
    frame.fail("x")
    d.go_on("retry", "run-3")
    again = frame.park(ep, again=(), tok="t2")
    assert around(again.hints) == [("", "a")]
    assert [task.risen for task in d.claim(ep, "a", tok="t3").tasks] == [frame.hash]


def test_a_back_off_that_a_sweep_put_off_is_over_when_the_task_around_parks(d: Driver) -> None:
    ep, frame = parked(d, "x")
    frame.claim("x")
    frame.fail("x", retry_in_ms=1000)
    d.ledger.adopt(d.thread, ep=ep, new_ep="new", fp="1", queue="celery", restart=True)
    d.sweep(after_ms=2000)
    assert frame.states() == {"x": "B"}
    d.claim("new", "a", tok="t2")
    frame.park("new", again=(), tok="t2")
    d.sweep(after_ms=1000)
    assert frame.states() == {"x": "Q"}


def test_a_task_that_runs_again_without_an_answer_does_so_in_its_round(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    frame.complete("y", asks=("q",))
    frame.fail("x")
    d.claim(ep, "a", tok="t2")
    d.fail(ep, "a", tok="t2")
    d.go_on("retry")
    d.claim(ep, "a", tok="t3")
    frame.park(ep, again=(AgainEntry("x"), AgainEntry("y", (b"yes",))), tok="t3")
    rounds = {task.tid: task.rnd for task in frame.claim("x", "y", tok="t4").tasks}
    assert rounds == {"x": "", "y": "t3"}
