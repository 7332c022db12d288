"""Guards of frames that go up: what queues the task around, and how its next attempt is told."""

from __future__ import annotations

from checkpoint_redis.layout import HeaderField
from checkpoint_redis.replies import Committed, Recorded
from distgraph.checkpoint import formats
from tests.support.frame_driver import Frame, around
from tests.support.guards import Guard
from tests.support.guards.parked import parked
from tests.support.thread_driver import LEASE, Driver, superstep

UP = [("", "a")]


def ended(frame: Frame, *tids: str) -> Recorded:
    """Claim tasks and complete them; return what the last was answered."""
    frame.claim(*tids)
    return [frame.complete(tid) for tid in tids][-1]


def what_ends_sends_the_frame_up(d: Driver) -> None:
    ep, frame = parked(d, "x")
    ended(frame, "x")
    step = superstep("in-9", outcome="end")
    committed = frame.commit(step=step)
    assert (committed.status, around(committed.up)) == ("end", UP)
    again = d.ledger.commit(d.thread, frame.hash, "any", step, advtok="adv")
    assert again == Committed("again", step.ep, committed.up)
    assert (frame.keys(), d.status) == ({"f:"}, "busy")
    assert "o:" not in d.stored()
    assert d.claim(ep, "a", tok="t2").tasks[0].risen == frame.hash
    assert d.ledger.commit(d.thread, frame.hash, "any", step, advtok="adv").up == ()


def a_breakpoint_sends_it_up(d: Driver) -> None:
    _, frame = parked(d, "x")
    ended(frame, "x")
    assert around(frame.commit(outcome="stop").up) == UP
    assert (frame.states(), d.status) == ({}, "busy")


def what_cannot_go_on_sends_it_up_with_its_error(d: Driver) -> None:
    ep, frame = parked(d, "x")
    ended(frame, "x")
    d.client.hdel(d.thread.header, HeaderField.form)
    assert around(frame.commit(outcome="fail", error=b"too many").up) == UP
    assert (frame.load().failure, d.status) == (b"too many", "busy")
    header = d.ledger.header(d.thread)
    assert header is not None
    assert header.format == formats.FORMAT
    d.claim(ep, "a", tok="t2")
    frame.park(ep, "y", tok="t2")
    assert frame.load().failure == b""


def a_superstep_that_cannot_be_reduced_sends_it_up(d: Driver) -> None:
    _, frame = parked(d, "x")
    ended(frame, "x")
    fail = d.ledger.fail_advance(d.thread, frame.hash, frame.ep, advtok="adv", error=b"reducer")
    assert (fail.status, around(fail.up)) == ("failed", UP)
    assert (frame.load().failure, frame.states(), d.status) == (b"reducer", {"x": "D"}, "busy")


def an_advance_that_is_lost_too_often_sends_it_up(d: Driver) -> None:
    ep, frame = parked(d, "x")
    ended(frame, "x")
    d.sweep(LEASE + 1)
    failed = frame.claim_advance(max_advances=1)
    assert (failed.status, around(failed.up)) == ("failed", UP)
    assert frame.load().failure == b"lost"
    d.claim(ep, "a", tok="t2")
    d.fail(ep, "a", tok="t2", retry_in_ms=0)
    d.sweep(after_ms=1)
    d.claim(ep, "a", tok="t3")
    frame.park(ep, again=(), tok="t3")
    assert frame.claim_advance(max_advances=1).status == "advance"


def a_failure_sends_it_up(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x")
    assert around(frame.fail("x").up) == UP
    assert d.status == "busy"
    assert frame.claim("y").status == "gone"
    (task,) = [task for task in frame.load().tasks if task.tid == "x"]
    assert (task.st, task.error) == ("X", b"error")
    assert around(frame.fail("x").up) == UP
    d.claim(ep, "a", tok="t2")
    assert frame.fail("x").up == ()


def a_task_that_is_lost_too_often_sends_it_up(d: Driver) -> None:
    _, frame = parked(d, "x")
    frame.claim("x")
    (found,) = [due for due in d.sweep(LEASE + 1, max_lost=0) if due.tid == "x"]
    assert around(found.hints) == UP
    assert (frame.states(), d.status) == ({"x": "X"}, "busy")


def a_task_whose_worker_died_too_often_sends_it_up(d: Driver) -> None:
    _, frame = parked(d, "x")
    frame.claim("x")
    released = frame.release("x", max_lost=0)
    assert (released.status, around(released.up)) == ("failed", UP)


def questions_send_it_up_once_all_are_done(d: Driver) -> None:
    _, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    assert frame.complete("x", asks=("q",), deadline=10**14).up == ()
    asked = frame.complete("y")
    assert (asked.closing, around(asked.up), d.status) == ("paused", UP, "busy")
    assert around(frame.complete("y").up) == UP
    assert not [each for each in d.due() if each.endswith("|i")]
    assert not [f for f in d.client.hkeys(d.thread.tasks("")) if f.startswith(b"q|")]


GUARDS = (
    Guard(
        what_ends_sends_the_frame_up,
        "open.lua",
        "  else up = leave(ns, STATUS.idle, RUN.success) end",
        "  end",
    ),
    Guard(
        what_ends_sends_the_frame_up,
        "open.lua",
        "call('HDEL', P .. KEY.inner .. (task_around(ns)), ns)",
        "now()",
    ),
    Guard(what_ends_sends_the_frame_up, "open.lua", "ns == '' and {} or hint_around(ns)}", "{}}"),
    Guard(
        what_ends_sends_the_frame_up,
        "rising.lua",
        "task[TASK.state] == STATE.queued and task[TASK.risen] == ns",
        "true",
    ),
    Guard(
        a_breakpoint_sends_it_up,
        "open.lua",
        "    up = leave(ns, STATUS.interrupted, RUN.interrupted)\n",
        "",
    ),
    Guard(
        what_cannot_go_on_sends_it_up_with_its_error,
        "over.lua",
        "    call('HSET', frame_key(ns), FRAME.error, err)\n",
        "",
    ),
    Guard(
        what_cannot_go_on_sends_it_up_with_its_error,
        "open.lua",
        "then up = leave(ns, STATUS.error, RUN.error, blob(s.error))",
        "then now()",
    ),
    Guard(
        what_cannot_go_on_sends_it_up_with_its_error,
        "park.lua",
        "call('HDEL', key, FRAME.error, FRAME.missed)\n",
        "",
    ),
    Guard(
        a_superstep_that_cannot_be_reduced_sends_it_up,
        "over.lua",
        "  if ns == '' then\n",
        "  if true then\n",
    ),
    Guard(
        an_advance_that_is_lost_too_often_sends_it_up,
        "claim_advance.lua",
        "return {REPLY.failed, come_to_end(A.ns, STATUS.error, RUN.error, blob(A.error))}",
        "return {REPLY.failed, {}}",
    ),
    Guard(
        a_failure_sends_it_up,
        "failing.lua",
        "mark_failed(ns, tid, task, ns == '' and '' or err)",
        "mark_failed(ns, tid, task, '')",
    ),
    Guard(a_failure_sends_it_up, "fail.lua", "A.ns == '' and {} or hint_around(A.ns)}", "{}}"),
    Guard(
        a_task_that_is_lost_too_often_sends_it_up,
        "sweep.lua",
        "if failed then return found(ns, kind, tid, up) end",
        "if failed then return found(ns, kind, tid, {}) end",
    ),
    Guard(
        a_task_whose_worker_died_too_often_sends_it_up,
        "release.lua",
        "return {REPLY.failed, up}",
        "return {REPLY.failed, {}}",
    ),
    Guard(
        questions_send_it_up_once_all_are_done,
        "barrier.lua",
        "return REPLY.open, hint_around(ns) end",
        "return REPLY.open, {} end",
    ),
    Guard(
        questions_send_it_up_once_all_are_done,
        "finished.lua",
        "    if ns == '' then note_asking(tid, questions) end\n",
        "    note_asking(tid, questions)\n",
    ),
    Guard(
        questions_send_it_up_once_all_are_done,
        "finished.lua",
        "local deadline = ns == '' and first_deadline",
        "local deadline = first_deadline",
    ),
    Guard(
        an_advance_that_is_lost_too_often_sends_it_up,
        "rejoin.lua",
        "  call('HDEL', key, FRAME.advance, FRAME.advance_token, FRAME.advances)\n",
        "",
    ),
)
