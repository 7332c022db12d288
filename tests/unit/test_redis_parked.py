"""Frames on workers, by the ledger alone: a task is parked, its graph goes on, and goes up."""

from __future__ import annotations

import pytest
import redis

from checkpoint_redis.records import AgainEntry, ResultEntry
from checkpoint_redis.replies import Committed
from tests.support.frame_driver import Frame, around
from tests.support.thread_driver import LEASE, Driver, superstep

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def parked(d: Driver, *tids: str) -> tuple[str, Frame]:
    """Start a run with the task a, which is parked for a graph with the tasks ``tids``."""
    ep = d.started("a")
    d.claim(ep, "a")
    frame = Frame(d, "node:a")
    assert frame.park(ep, *tids).status == "parked"
    return ep, frame


def test_a_parked_task_holds_the_barrier_and_no_lease(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    assert d.states() == {"a": "P"}
    assert frame.states() == {"x": "Q", "y": "Q"}
    assert not [each for each in d.due() if each.endswith("|l")]
    assert d.claim(ep, "a", tok="other").status == "busy"
    claimed = frame.claim("x")
    assert claimed.context is not None
    head = claimed.context.head
    assert (head.graph, head.fp) == ("inner", "2")
    assert head.frame is not None
    assert (head.frame.name, head.frame.path, head.frame.stop) == ("node:a", "node", 25)
    assert (head.frame.released, head.frame.root_graph, head.frame.root_fp) == (
        "cp-r",
        "graph",
        "1",
    )


def test_parking_is_repeated_and_refused(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    frame = Frame(d, "node:a")
    step = superstep("cp-i", "x")
    assert frame.park(ep, step=step, tok="other").status == "gone"
    assert frame.park(ep, step=step, seen="other").status == "conflict"
    first = frame.park(ep, step=step)
    assert frame.park(ep, step=step, seen="") == first
    assert frame.park("other", step=step).status == "gone"


def test_a_finished_graph_goes_up(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x")
    assert frame.complete("x").closing == "open"
    frame.claim("y")
    assert frame.complete("y").closing == "advance"
    committed = frame.commit("z")
    assert (committed.status, committed.up) == ("go", ())
    frame.claim("z")
    last = frame.finish("z", superstep("cp-end", outcome="end"))
    assert isinstance(last, Committed)
    assert (last.status, around(last.up)) == ("end", [("", "a")])
    assert frame.states() == {}
    claimed = d.claim(ep, "a", tok="t2")
    assert [task.risen for task in claimed.tasks] == [frame.hash]
    assert d.complete(ep, "a", tok="t2").closing == "advance"


def test_questions_go_up_and_their_answers_come_down(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    assert frame.complete("x").up == ()
    asked = frame.complete("y", asks=("q1",))
    assert (asked.closing, around(asked.up)) == ("paused", [("", "a")])
    assert frame.complete("y", asks=("q1",)).statuses == ("gone",)
    d.claim(ep, "a", tok="t2")
    assert d.ask(ep, "a", "q1", tok="t2").closing == "paused"
    assert d.status == "interrupted"
    assert frame.states() == {"x": "D", "y": "I"}
    answered = d.answer("a", "q1")
    assert around(answered.hints) == [("", "a")]
    claimed = d.claim(answered.ep, "a", tok="t3")
    assert claimed.tasks[0].risen == ""
    down = frame.park(ep, again=(AgainEntry("y", (b"yes",)),), tok="t3")
    assert (down.status, around(down.hints)) == ("parked", [(frame.hash, "y")])
    again = frame.claim("y", tok="t4")
    assert again.tasks[0].answers == (b"yes",)
    assert frame.complete("y", tok="t4", rnd=again.tasks[0].rnd).closing == "advance"


def test_a_failure_goes_up_and_a_retry_comes_down(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    failed = frame.fail("x")
    assert (failed.status, around(failed.up)) == ("failed", [("", "a")])
    assert frame.fail("x") == failed
    assert frame.complete("y").closing == "open"
    d.claim(ep, "a", tok="t2")
    assert {task.tid: task.error for task in frame.load().tasks} == {"x": b"error", "y": None}
    d.fail(ep, "a", tok="t2")
    assert d.status == "error"
    d.go_on("retry")
    claimed = d.claim(ep, "a", tok="t3")
    assert claimed.tasks[0].risen == ""
    assert around(frame.park(ep, again=(AgainEntry("x"),), tok="t3").hints) == [(frame.hash, "x")]
    again = frame.claim("x", tok="t4")
    assert frame.complete("x", tok="t4", rnd=again.tasks[0].rnd).closing == "advance"


def test_two_levels_go_up_one_by_one(d: Driver) -> None:
    ep, outer = parked(d, "b")
    outer.claim("b")
    inner = Frame(d, "node:a|leaf:b", outer.hash, "b")
    inner.park(outer.ep, "c")
    inner.claim("c")
    assert around(inner.complete("c", asks=("q",)).up) == [(outer.hash, "b")]
    assert outer.claim("b", tok="t2").tasks[0].risen == inner.hash
    assert around(outer.complete("b", tok="t2", asks=("q",)).up) == [("", "a")]
    d.claim(ep, "a", tok="t2")
    assert d.ask(ep, "a", "q", tok="t2").closing == "paused"


def test_a_cancel_makes_everything_below_void(d: Driver) -> None:
    _, outer = parked(d, "b")
    outer.claim("b")
    inner = Frame(d, "node:a|leaf:b", outer.hash, "b")
    inner.park(outer.ep, "c", "c2")
    inner.claim("c")
    d.ledger.cancel(d.thread, "", ep="cancelled")
    assert inner.complete("c").closing == "gone"
    assert inner.claim("c2").status == "gone"
    d.sweep(600_000)
    assert inner.keys() == {"f:"}
    assert outer.keys() == {"f:"}
    assert d.due() == set()


def test_a_task_that_leaves_its_graph_goes_up_at_once(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    left = frame.complete("x", escapes=True)
    assert (left.closing, around(left.up)) == ("open", [("", "a")])
    assert frame.complete("x", escapes=True).up == left.up
    assert frame.complete("y").closing == "open"
    d.claim(ep, "a", tok="t2")
    d.fail(ep, "a", tok="t2", retry_in_ms=0)
    d.sweep(after_ms=1)
    d.claim(ep, "a", tok="t3")
    assert around(frame.park(ep, again=(AgainEntry("x"),), tok="t3").hints) == [(frame.hash, "x")]
    frame.claim("x", tok="t4")
    assert frame.complete("x", tok="t4").closing == "advance"


def test_what_was_collected_counts_from_the_present_attempt_alone(d: Driver) -> None:
    ep, frame = parked(d, "x")
    frame.claim("x")
    frame.complete("x", asks=("q",))
    d.claim(ep, "a", tok="t2")
    d.pass_time(10**6)
    d.sweep()
    result = ResultEntry("a", "", b"taken from it", collected=True)
    taken = d.ledger.complete(d.thread, "", ep, (result,), tok="t2", tok2="adv", lease_ms=LEASE)
    assert taken.statuses == ("stale",)
    assert d.claim(ep, "a", tok="t3").tasks[0].risen == frame.hash
