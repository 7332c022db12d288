"""Guards of the barrier: a superstep is reduced by one worker, and committed once."""

from __future__ import annotations

from checkpoint_redis.records import (
    AnswerEntry,
)
from checkpoint_redis.replies import Committed, Recorded
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, superstep


def the_barrier_waits_for_every_task(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    assert d.complete(ep, "a").closing == "open"
    assert d.complete(ep, "a").closing == "open"
    assert d.complete(ep, "b").closing == "advance"


def a_question_pauses_the_run(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.ask(ep, "a", "q1")
    assert d.complete(ep, "b").closing == "paused"
    assert d.status == "interrupted"


def one_worker_at_a_time_reduces(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="first")
    assert d.complete(ep, "a", tok2="second").closing == "open"
    assert d.claim_advance(ep, "third").status == "busy"


def a_closing_answer_that_got_lost_is_repeated(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    first = d.complete(ep, "a", blob=b"w")
    again = d.complete(ep, "a", blob=b"w")
    assert again.advance == first.advance
    assert again.closing == "advance"


def only_the_present_reducer_commits(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="first")
    d.sweep(after_ms=LEASE + 1)
    d.claim_advance(ep, "second")
    assert d.commit(ep, superstep("cp-1", "b"), "first").status == "stale"
    assert d.commit(ep, superstep("cp-1", "b"), "second").status == "go"


def a_lost_advance_is_not_committed_before_it_is_claimed(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="first")
    d.sweep(after_ms=LEASE + 1)
    assert d.commit(ep, superstep("cp-1", "b"), "").status == "stale"


def a_repeated_commit_is_known_again(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    step = superstep("cp-1", "b")
    assert d.commit(ep, step) == Committed("go", step.ep)
    assert d.commit(ep, step) == Committed("again", step.ep)


def a_repeated_finish_is_known_again(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    step = superstep("cp-1", outcome="end")
    assert d.finish(ep, "a", step) == Committed("end", step.ep)
    assert d.finish(ep, "a", step) == Committed("again", step.ep)


def finish_does_not_commit_over_other_active_tasks(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    reply = d.finish(ep, "a", superstep("cp-1", "c"))
    assert isinstance(reply, Recorded)
    assert reply.closing == "open"


def finish_does_not_commit_over_writes_it_has_not_seen(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    reply = d.finish(ep, "b", superstep("cp-1", "c"))
    assert isinstance(reply, Recorded)
    assert reply.advance is not None
    assert reply.advance.writes == {"a": b"writes", "b": b"writes"}


def finish_does_not_commit_over_caller_writes_it_has_not_seen(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    pair = AnswerEntry("", "a", "q1", b"yes")
    d.ledger.answer(d.thread, "run-2", "resume", (pair,), rnd="r", caller_writes=(b"written",))
    (task,) = d.claim(ep, "a").tasks
    assert isinstance(d.finish(ep, "a", superstep("cp-1"), rnd=task.rnd), Recorded)


def only_the_present_reducer_gives_up(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="first")
    assert d.ledger.fail_advance(d.thread, "", ep, advtok="other", error=b"e").status == "stale"
    assert d.ledger.fail_advance(d.thread, "", ep, advtok="first", error=b"e").status == "failed"


def a_reducer_that_vanishes_every_time_ends_the_run(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="first")
    d.sweep(after_ms=LEASE + 1)
    assert d.claim_advance(ep, "second", max_advances=2).status == "advance"
    d.sweep(after_ms=400_000)
    assert d.claim_advance(ep, "third", max_advances=2).status == "failed"
    assert d.outcome() == "error"


GUARDS = (
    Guard(
        the_barrier_waits_for_every_task,
        "barrier.lua",
        " or call('SCARD', P .. KEY.active .. ns) > 0 then",
        " then",
    ),
    Guard(
        a_question_pauses_the_run,
        "barrier.lua",
        "if call('EXISTS', P .. KEY.questions .. ns) == 1 then",
        "if false then",
    ),
    Guard(
        one_worker_at_a_time_reduces,
        "barrier.lua",
        "if frame.advance ~= '' then return REPLY.open, {} end",
        "",
    ),
    Guard(
        one_worker_at_a_time_reduces,
        "claim_advance.lua",
        "if frame.advance ~= ADVANCE.waiting then return {REPLY.busy} end",
        "",
    ),
    Guard(
        a_closing_answer_that_got_lost_is_repeated,
        "finished.lua",
        "local mine = frame.advance == ADVANCE.leased and frame.token == A.tok2",
        "local mine = false",
    ),
    Guard(only_the_present_reducer_commits, "commit.lua", " or frame.token ~= A.tok then", " then"),
    Guard(
        a_lost_advance_is_not_committed_before_it_is_claimed,
        "commit.lua",
        "if frame.advance ~= ADVANCE.leased or ",
        "if ",
    ),
    Guard(
        a_repeated_commit_is_known_again,
        "open.lua",
        "~= s.ep then",
        "~= '' then",
    ),
    Guard(
        a_repeated_finish_is_known_again,
        "open.lua",
        "~= s.ep then",
        "~= '' then",
    ),
    Guard(
        finish_does_not_commit_over_other_active_tasks,
        "alone.lua",
        "call('SCARD', P .. KEY.active .. ns) == 1",
        "true",
    ),
    Guard(
        finish_does_not_commit_over_writes_it_has_not_seen,
        "alone.lua",
        "and call('EXISTS', P .. KEY.writes .. ns, P .. KEY.questions .. ns) == 0",
        "",
    ),
    Guard(
        finish_does_not_commit_over_caller_writes_it_has_not_seen,
        "finish.lua",
        "and caller_write_count(A.ns) == A.caller_writes",
        "",
    ),
    Guard(only_the_present_reducer_gives_up, "fail_advance.lua", " or frame.token ~= A.tok", ""),
    Guard(
        a_reducer_that_vanishes_every_time_ends_the_run,
        "claim_advance.lua",
        ">= A.max then",
        ">= 1000 then",
    ),
)
