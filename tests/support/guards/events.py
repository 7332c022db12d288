"""Guards of what is told of attempts: which one it is, and that an earlier one is void."""

from __future__ import annotations

from checkpoint_redis import keys
from checkpoint_redis.events import decode_end, entry_id
from checkpoint_redis.layout import AwaitedRow
from tests.support.guards import Guard
from tests.support.guards.results import told
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


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


def ends(d: Driver) -> list[tuple[str, str, str]]:
    """Return what is told of ends in the thread's shard."""
    found = d.client.xrange(keys.ends(d.thread.namespace, d.thread.shard))
    told = [decode_end(entry) for entry in found]
    return [(end.x, end.run, end.status) for end in told]


def the_end_of_a_run_is_told_in_its_shard(d: Driver) -> None:
    step = superstep("cp-0", outcome="end")
    d.start(step)
    d.start(superstep("cp-1", "a"), "run-2", "cp-0")
    assert ends(d) == [(d.thread.x, "run", "success")]
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert ends(d)[1:] == [(d.thread.x, "run-2", "cancelled")]


def a_run_is_carried_while_its_thread_is_busy_with_it(d: Driver) -> None:
    def carried(run: str) -> tuple[bool, ...]:
        row = AwaitedRow(d.thread.x, run)
        return d.ledger.carried(d.thread.namespace, d.thread.shard, (row,))

    ep = d.started("a")
    assert (carried("run"), carried("another")) == ((True,), (False,))
    d.claim(ep, "a")
    d.fail(ep, "a")
    assert carried("run") == (False,)


def who_begins_is_told_the_time(d: Driver) -> None:
    """What ends later is told after that."""
    started = d.start(superstep("cp-0", "a"))
    again = d.start(superstep("cp-0", "a"))
    outcome = d.ledger.outcome(d.thread, "run")
    assert outcome is not None
    assert 0 < started.now <= again.now <= outcome.now
    d.claim(started.ep, "a")
    d.ask(started.ep, "a", "q1")
    ((name, _),) = d.client.xrange(keys.ends(d.thread.namespace, d.thread.shard))
    assert entry_id(name.decode()) > (outcome.now - 1, 0)
    assert d.answer("a", "q1").now >= outcome.now


GUARDS = (
    Guard(
        the_end_of_a_run_is_told_in_its_shard,
        "ending.lua",
        "call('XADD', SHARD .. SHARD_KEY.ends, 'MAXLEN', '~', LIMIT.ends, '*',",
        "call('PING'); tostring(",
    ),
    Guard(
        a_run_is_carried_while_its_thread_is_busy_with_it,
        "carried.lua",
        " and run == row[AWAITED.run]",
        "",
    ),
    Guard(
        a_run_is_carried_while_its_thread_is_busy_with_it,
        "carried.lua",
        "st == STATUS.busy and ",
        "",
    ),
    Guard(who_begins_is_told_the_time, "start.lua", "now = now()", "now = 0"),
    Guard(
        who_begins_is_told_the_time,
        "begin.lua",
        "run = carried, now = now()",
        "run = carried, now = 0",
    ),
    Guard(who_begins_is_told_the_time, "answer.lua", "now = now()", "now = 0"),
    Guard(who_begins_is_told_the_time, "outcome.lua", "now = now()", "now = 0"),
    Guard(
        an_attempt_whose_lease_ran_out_is_told_to_be_void,
        "sweep.lua",
        "    tell_superseded(ns, tid, task)\n",
        "",
    ),
    Guard(
        the_end_of_a_back_off_makes_no_attempt_void,
        "sweep.lua",
        "  if leased and not begins_again then\n",
        "  if true then\n",
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
