"""Guards of frames that have gone up: nothing of them begins, the task around takes them once."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis.records import AgainEntry, ResultEntry
from checkpoint_redis.replies import Committed, Recorded
from tests.support.frame_driver import around
from tests.support.guards import Guard
from tests.support.guards.going_up import ended
from tests.support.guards.parked import parked, running
from tests.support.thread_driver import LEASE, Driver, superstep

UP = [("", "a")]


def a_task_that_leaves_sends_it_up(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    left = frame.complete("x", escapes=True)
    assert (left.closing, around(left.up)) == ("open", UP)
    assert frame.complete("x", escapes=True).up == left.up
    d.claim(ep, "a", tok="t2")
    d.fail(ep, "a", tok="t2", retry_in_ms=0)
    d.sweep(after_ms=1)
    assert d.claim(ep, "a", tok="t3").tasks[0].risen == ""
    assert frame.complete("y").closing == "open"
    assert around(frame.park(ep, again=(AgainEntry("x"),), tok="t3").hints) == [(frame.hash, "x")]
    frame.claim("x", tok="t4")
    assert frame.complete("x", tok="t4").closing == "advance"


def a_task_of_the_root_that_leaves_ends_as_it_does(d: Driver) -> None:
    ep, _ = running(d)
    result = ResultEntry("a", "", b"left", escapes=True)
    done = d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    assert (done.closing, done.up) == ("advance", ())


def only_a_parked_task_is_queued(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    frame.fail("x")
    d.claim(ep, "a", tok="t2")
    assert frame.fail("y").up == ()
    assert d.states() == {"a": "R"}


def of_a_frame_that_has_gone_up_nothing_begins(d: Driver) -> None:
    _, frame = parked(d, "x", "y", "z")
    frame.claim("x", "y")
    frame.fail("x")
    assert frame.claim("z").status == "gone"
    assert frame.complete("x").statuses == ("done",)
    late = frame.complete("y")
    assert (late.statuses, late.closing) == (("done",), "open")


def its_superstep_is_not_closed_meanwhile(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    frame.fail("x")
    frame.complete("y")
    closed = frame.complete("x")
    assert (closed.closing, around(closed.up)) == ("open", UP)
    assert frame.claim_advance().status == "gone"
    d.claim(ep, "a", tok="t2")
    assert around(frame.park(ep, again=(), tok="t2").hints) == [(frame.hash, "@")]
    assert frame.claim_advance().status == "advance"


def who_reduces_finds_the_task_begun_again(d: Driver) -> None:
    ep, frame = running(d, "b")
    frame.park(ep, "x")
    ended(frame, "x")
    d.fail(ep, "b")
    d.go_on("retry")
    assert frame.commit("y").status == "gone"
    d.claim(ep, "a", tok="t2")
    assert around(frame.park(ep, again=(), tok="t2").hints) == [(frame.hash, "@")]
    assert frame.claim_advance(tok="adv").status == "advance"
    assert frame.commit("y").status == "go"


def a_later_run_takes_nothing_as_it_stands(d: Driver) -> None:
    ep, frame = running(d, "b")
    frame.park(ep, "x")
    frame.claim("x")
    frame.fail("x")
    d.fail(ep, "b")
    assert d.go_on("retry").status == "go"
    assert d.claim(ep, "a", tok="t2").tasks[0].risen == ""


def an_attempt_that_was_lost_leaves_it_to_the_next(d: Driver) -> None:
    ep, frame = parked(d, "x")
    frame.claim("x")
    frame.fail("x")
    assert d.claim(ep, "a", tok="t2").tasks[0].risen == frame.hash
    d.sweep(LEASE + 1)
    assert d.claim(ep, "a", tok="t3").tasks[0].risen == frame.hash
    d.fail(ep, "a", tok="t3", retry_in_ms=0)
    d.sweep(after_ms=1)
    assert d.claim(ep, "a", tok="t4").tasks[0].risen == ""


def what_was_collected_is_of_the_present_attempt(d: Driver) -> None:
    ep, frame = parked(d, "x")
    frame.claim("x")
    frame.complete("x", asks=("q",))
    d.claim(ep, "a", tok="t2")
    result = ResultEntry("a", "", b"taken", collected=True)

    def complete(tok: str) -> Recorded:
        return d.ledger.complete(d.thread, "", ep, (result,), tok=tok, tok2="adv", lease_ms=LEASE)

    assert complete("other").statuses == ("stale",)
    d.sweep(LEASE + 1)
    assert complete("t2").statuses == ("stale",)
    d.claim(ep, "a", tok="t3")
    assert complete("t3").statuses == ("done",)


def finishing_needs_a_parked_task_around(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    ended(frame, "x", "y")
    frame.commit("z")
    frame.claim("z")
    step = replace(superstep("in-9", outcome="end"))
    d.ledger.adopt(d.thread, ep=ep, new_ep="ep-2", fp="1", queue="queue", restart=True)
    assert frame.finish("z", step) == Committed("gone")


GUARDS = (
    Guard(
        who_reduces_finds_the_task_begun_again,
        "commit.lua",
        "if not is_parked(A.ns) then return {REPLY.gone} end\n",
        "",
    ),
    Guard(
        a_task_that_leaves_sends_it_up,
        "finished.lua",
        " and A.ns ~= '' and result[RESULT.escapes] then up",
        " and false then up",
    ),
    Guard(
        a_task_that_leaves_sends_it_up,
        "finished.lua",
        "statuses[i] == REPLY.done or statuses[i] == REPLY.dup",
        "statuses[i] == REPLY.done",
    ),
    Guard(
        a_task_that_leaves_sends_it_up,
        "finished.lua",
        "  if not holds then call('SREM'",
        "  if true then call('SREM'",
    ),
    Guard(
        a_task_that_leaves_sends_it_up,
        "again_rows.lua",
        "  return left or WAITING",
        "  return WAITING",
    ),
    Guard(
        a_task_that_leaves_sends_it_up,
        "again_rows.lua",
        "  if left then call('HDEL', P .. KEY.writes .. ns, tid) end\n",
        "  if left then return false end\n",
    ),
    Guard(
        a_task_of_the_root_that_leaves_ends_as_it_does,
        "finished.lua",
        "local holds = ns ~= '' and result",
        "local holds = result",
    ),
    Guard(
        only_a_parked_task_is_queued,
        "rising.lua",
        "  if task and task[TASK.state] == STATE.parked then\n    task[TASK.risen]",
        "  if task then\n    task[TASK.risen]",
    ),
    Guard(
        of_a_frame_that_has_gone_up_nothing_begins,
        "claim.lua",
        "if not frame or not is_parked(A.ns) then",
        "if not frame then",
    ),
    Guard(
        its_superstep_is_not_closed_meanwhile,
        "barrier.lua",
        "  if not is_parked(ns) then",
        "  if false then",
    ),
    Guard(
        its_superstep_is_not_closed_meanwhile,
        "rejoin.lua",
        "  local closing, up = barrier(ns, {st = st, advance = ''}, '', A.lease)\n",
        "  local closing, up = REPLY.open, {}\n",
    ),
    Guard(
        its_superstep_is_not_closed_meanwhile,
        "claim_advance.lua",
        " or not is_parked(A.ns) then",
        " then",
    ),
    Guard(
        a_later_run_takes_nothing_as_it_stands,
        "claim.lua",
        "call('HGET', frame_key(ns), FRAME.up) == call('HGET', H, HEADER.run)",
        "true",
    ),
    Guard(
        a_later_run_takes_nothing_as_it_stands,
        "rising.lua",
        "    call('HSET', frame_key(ns), FRAME.up, current_run())\n",
        "    call('HSET', frame_key(ns), FRAME.up, 'run-2')\n",
    ),
    Guard(
        an_attempt_that_was_lost_leaves_it_to_the_next,
        "rising.lua",
        "    task[TASK.risen] = ns\n",
        "",
    ),
    Guard(
        an_attempt_that_was_lost_leaves_it_to_the_next,
        "fail.lua",
        "task[TASK.risen] = STATE.backing_off, '', ''",
        "task[TASK.risen] = STATE.backing_off, '', task[TASK.risen]",
    ),
    Guard(
        what_was_collected_is_of_the_present_attempt,
        "finished.lua",
        "if result[RESULT.collected] and task[TASK.token] ~= token then return REPLY.stale end",
        "",
    ),
    Guard(
        finishing_needs_a_parked_task_around, "fence.lua", " or not is_current(ns) then", " then"
    ),
)
