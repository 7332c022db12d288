"""Calls of functions on workers, by the ledger alone: a task is parked until they have ended."""

from __future__ import annotations

import pytest
import redis

from checkpoint_redis.records import (
    STAGE_ABOVE,
    AgainEntry,
    CallsEntry,
    InnerEntry,
    ParkEntry,
    TaskEntry,
)
from tests.support.calls_driver import Calls
from tests.support.frame_driver import around
from tests.support.guards.calls import ended, waiting
from tests.support.thread_driver import LEASE, Driver, nonce, superstep

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def test_a_wave_of_calls_stands_beside_those_before(d: Driver) -> None:
    ep, calls = waiting(d, "x")
    before = calls.ep
    ended(calls, "x")
    d.claim(ep, "a", tok="t2")
    assert calls.wait(ep, "y", "own", tok="t2").hints == ()
    assert calls.ep == before
    assert calls.states() == {"x": "D", "y": "Q", "own": "Q"}
    assert ended(calls, "y") == []
    assert ended(calls, "own") == [("", "a")]


def test_the_last_call_to_fail_has_its_task_go_on(d: Driver) -> None:
    _, calls = waiting(d, "x")
    calls.claim("x")
    failed = calls.fail("x")
    assert around(failed.up) == [("", "a")]
    assert calls.fail("x") == failed


def test_a_call_whose_workers_vanish_has_ended(d: Driver) -> None:
    _, calls = waiting(d, "x")
    calls.claim("x")
    assert around(calls.release("x", max_lost=0).up) == [("", "a")]
    assert calls.states() == {"x": "X"}


def test_failed_calls_run_again_where_the_task_names_them(d: Driver) -> None:
    ep, calls = waiting(d, "x", "y")
    calls.claim("x", "y")
    calls.fail("x")
    calls.complete("y")
    d.claim(ep, "a", tok="t2")
    d.fail(ep, "a", tok="t2", retry_in_ms=0)
    d.sweep(after_ms=1)
    assert d.claim(ep, "a", tok="t3").tasks[0].risen == ""
    down = calls.wait(ep, again=(AgainEntry("x"),), tok="t3")
    assert around(down.hints) == [(calls.hash, "x")]
    assert ended(calls, "x", tok="t4") == [("", "a")]


def test_questions_of_calls_wait_for_the_other_calls(d: Driver) -> None:
    ep, calls = waiting(d, "x", "y")
    calls.claim("x", "y")
    assert calls.complete("x", asks=("q",)).up == ()
    assert around(calls.complete("y").up) == [("", "a")]
    d.claim(ep, "a", tok="t2")
    assert d.ask(ep, "a", "q", tok="t2").closing == "paused"
    assert calls.states() == {"x": "I", "y": "D"}
    answered = d.answer("a", "q")
    assert d.claim(answered.ep, "a", tok="t3").tasks[0].risen == ""
    down = calls.wait(answered.ep, again=(AgainEntry("x", (b"yes",)),), tok="t3")
    assert around(down.hints) == [(calls.hash, "x")]
    again = calls.claim("x", tok="t4")
    assert again.tasks[0].answers == (b"yes",)
    assert around(calls.complete("x", tok="t4", rnd=again.tasks[0].rnd).up) == [("", "a")]


def test_a_task_that_parks_when_all_has_ended_goes_on_at_once(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    calls = Calls(d, "node:a|0")
    calls.wait(ep, "x", "y")
    calls.claim("x", "y")
    d.fail(ep, "b")
    calls.complete("x")
    d.go_on("retry")
    d.claim(ep, "a", tok="t2")
    calls.complete("y")
    assert around(calls.wait(ep, tok="t2").hints) == [("", "a")]


def test_a_cancel_makes_calls_void(d: Driver) -> None:
    _, calls = waiting(d, "x", "y")
    calls.claim("x")
    d.ledger.cancel(d.thread, "", ep="cancelled")
    assert calls.complete("x").closing == "gone"
    assert calls.claim("y").status == "gone"
    d.sweep(600_000)
    assert calls.keys() == set()
    assert d.due() == set()


def test_parking_for_calls_is_repeated_and_refused(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    calls = Calls(d, "node:a|0")
    assert calls.wait(ep, "x", tok="other").status == "gone"
    assert calls.wait(ep, "x", seen="other").status == "conflict"
    first = calls.wait(ep, "x", seen="", ep="first")
    again = calls.wait(ep, "x", seen="", ep="first")
    assert (again.status, again.ep) == ("parked", first.ep)
    assert calls.states() == {"x": "Q"}


def test_many_calls_are_staged(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    calls, own = Calls(d, "node:a|0"), nonce()
    many = tuple(TaskEntry(f"t{n}", b"t") for n in range(STAGE_ABOVE + 1))
    assert calls.wait(ep, staged=True, ep=own).status == "unstaged"
    for first in range(0, len(many), STAGE_ABOVE):
        d.ledger.stage(d.thread, own, many[first : first + STAGE_ABOVE])
    assert calls.wait(ep, staged=True, ep=own).status == "parked"
    assert len(calls.states()) == len(many)
    assert ended(calls, "t0") == []


def test_calls_of_a_call_go_up_one_by_one(d: Driver) -> None:
    ep, outer = waiting(d, "b")
    outer.claim("b")
    inner = Calls(d, "node:a|f:b|0", outer.hash, "b")
    inner.wait(outer.ep, "c", "e")
    inner.claim("c", "e")
    inner.fail("c")
    assert around(inner.complete("e").up) == [(outer.hash, "b")]
    assert outer.claim("b", tok="t2").tasks[0].risen == inner.hash
    assert around(outer.fail("b", tok="t2").up) == [("", "a")]
    assert d.claim(ep, "a", tok="t2").tasks[0].risen == outer.hash


def test_a_frame_is_of_a_graph_or_of_calls(d: Driver) -> None:
    entry = ParkEntry(
        InnerEntry(Calls(d, "node:a|0")._frame, "", ""),
        superstep("cp", "x"),
        calls=CallsEntry(nonce(), ()),
    )
    with pytest.raises(ValueError, match="not of both"):
        d.ledger.park(d.thread, "", "ep", "a", tok="t", entry=entry, lease_ms=LEASE)
