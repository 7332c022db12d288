"""Guards of what is told of attempts: which one it is, and that an earlier one is void."""

from __future__ import annotations

from tests.support.guards import Guard
from tests.support.guards.results import told
from tests.support.thread_driver import LEASE, Driver


def superseded(d: Driver) -> list[tuple[str, int]]:
    """Return the attempts, as task and number, that are told to be void."""
    return [(event.payload[1], event.payload[2]) for event in told(d, "retry")]


def an_attempt_whose_lease_ran_out_is_told_to_be_void(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.emit()
    d.sweep(after_ms=LEASE + 1)
    assert superseded(d) == [("a", 1)]
    d.claim(ep, "a", tok="t2")
    d.emit(tok="t2")
    assert [event.payload[2] for event in told(d, "custom")] == [1, 2]


def the_end_of_a_back_off_makes_no_attempt_void(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.fail(ep, "a", retry_in_ms=0)
    d.sweep()
    assert superseded(d) == [("a", 1)]


def an_attempt_of_a_worker_that_went_is_told_to_be_void(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    for tid, given_back in (("a", False), ("b", True)):
        d.ledger.release(
            d.thread, "", ep, (tid,), owner="worker", max_lost=3, given_back=given_back
        )
    assert superseded(d) == [("a", 1), ("b", 1)]


def a_run_that_has_ended_is_told_nothing_more(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    d.ledger.release(d.thread, "", ep, ("b",), owner="worker", max_lost=3)
    assert superseded(d) == []


GUARDS = (
    Guard(
        an_attempt_whose_lease_ran_out_is_told_to_be_void,
        "sweep.lua",
        "  if leased then tell_superseded(ns, tid, task) end\n",
        "",
    ),
    Guard(
        the_end_of_a_back_off_makes_no_attempt_void,
        "sweep.lua",
        "if leased then tell_superseded",
        "if true then tell_superseded",
    ),
    Guard(
        an_attempt_of_a_worker_that_went_is_told_to_be_void,
        "release.lua",
        "    if busy then tell_superseded(A.ns, tid, task) end\n",
        "",
    ),
    Guard(
        a_run_that_has_ended_is_told_nothing_more,
        "release.lua",
        "if busy then tell_superseded",
        "if true then tell_superseded",
    ),
)
