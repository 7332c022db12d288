"""Each guard of a script keeps one rule; with the guard taken out, its test fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import redis

from checkpoint_redis import commands
from checkpoint_redis.records import (
    Answer,
    Custom,
    Finished,
    Lease,
    Outcome,
    Superstep,
    TaskEntry,
)
from checkpoint_redis.replies import Committed, Completed, Nulls
from distgraph.errors import StoreError
from tests.support.thread_driver import LEASE, Driver, mutated, nonce, superstep

pytestmark = pytest.mark.redis


def an_old_epoch_changes_nothing(d: Driver) -> None:
    old = d.started("a")
    d.claim(old, "a")
    d.ledger.cancel(d.thread, "", ep=nonce())
    new = d.start(superstep("cp-1", "a"), "run-2", "cp-0").ep
    d.claim(new, "a", tok="other")
    assert d.complete(old, "a").closing == "gone"
    assert d.writes() == {}


def a_thread_at_rest_hands_out_no_task(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.fail(ep, "a")
    assert d.claim(ep, "b").status == "gone"


def an_unserved_graph_is_left_alone(d: Driver) -> None:
    ep = d.started("a")
    claimed = d.ledger.claim(
        d.thread, "", ep, ("a",), tok="t", owner="w", lease_ms=LEASE, served=("graph@2", "other@1")
    )
    assert (claimed.status, claimed.graph, claimed.fp) == ("unserved", "graph", "1")
    assert d.states() == {"a": "Q"}


def a_doubled_hint_finds_the_task_taken(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a", tok="first")
    assert d.claim(ep, "a", tok="second").status == "busy"


def a_claim_with_the_same_token_repeats_its_answer(d: Driver) -> None:
    ep = d.started("a")
    assert d.claim(ep, "a") == d.claim(ep, "a")


def a_result_is_taken_once(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", tok="first")
    d.complete(ep, "a", tok="first", blob=b"one")
    assert d.complete(ep, "a", tok="zombie", blob=b"two").statuses == ("stale",)
    assert d.writes() == {"a": b"one"}


def a_repeated_result_is_known_again(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.complete(ep, "a")
    assert d.complete(ep, "a").statuses == ("dup",)


def a_result_of_an_earlier_round_is_refused(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    d.answer("a", "q1")
    assert d.complete(ep, "a", tok="zombie").statuses == ("stale",)
    assert d.states() == {"a": "Q"}


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
    assert isinstance(reply, Completed)
    assert reply.closing == "open"


def finish_does_not_commit_over_writes_it_has_not_seen(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    reply = d.finish(ep, "b", superstep("cp-1", "c"))
    assert isinstance(reply, Completed)
    assert reply.advance is not None
    assert reply.advance.writes == {"a": b"writes", "b": b"writes"}


def finish_does_not_commit_over_null_task_writes_it_has_not_seen(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    pair = Answer("", "a", "q1", b"yes")
    d.ledger.answer(d.thread, "run-2", "resume", (pair,), rnd="r", nulls=(b"null",))
    (task,) = d.claim(ep, "a").tasks
    assert isinstance(d.finish(ep, "a", superstep("cp-1"), rnd=task.rnd), Completed)


def a_late_failure_of_a_superseded_attempt_is_noise(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a", tok="first")
    d.sweep(after_ms=LEASE + 1)
    d.claim(ep, "a", tok="second")
    assert d.fail(ep, "a", tok="first") == "stale"
    assert d.status == "busy"


def a_failure_after_the_end_of_the_run_is_kept_for_its_retry(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    ended = d.client.xlen(d.thread.events)
    assert d.fail(ep, "b", retry_in_ms=10) == "failed"
    assert (d.states(), d.due()) == ({"a": "X", "b": "X"}, set())
    assert (d.outcome(), d.client.xlen(d.thread.events)) == ("error", ended)
    assert {hint.tid for hint in d.go_on("retry").hints} == {"a", "b"}


def a_retry_tells_of_all_that_waits(d: Driver) -> None:
    ep = d.started("a", "b", "c")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    d.ledger.release(d.thread, "", ep, ("b",), owner="worker", max_lost=3)
    retried = d.go_on("retry")
    assert sorted(hint.tid for hint in retried.hints) == ["a", "b", "c"]
    assert not retried.more
    assert d.states() == {"a": "Q", "b": "Q", "c": "Q"}


def a_release_from_a_failed_run_starts_nothing(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    reply = d.ledger.release(d.thread, "", ep, ("b",), owner="worker", max_lost=0)
    assert (reply.status, reply.hints, d.due()) == ("released", (), set())
    assert (d.status, d.states()) == ("error", {"a": "X", "b": "Q"})


def too_much_for_one_reply_is_read_from_the_outbox(d: Driver) -> None:
    tids = [f"t{n}" for n in range(1_002)]
    ep = d.started(*tids)
    d.claim(ep, "t0")
    d.fail(ep, "t0")
    retried = d.go_on("retry")
    assert (retried.hints, retried.more) == ((), True)
    _, part = d.ledger.outbox(d.thread, "", ep, count=5_000)
    assert {hint.tid for hint in part} == set(tids)


def what_a_caller_wrote_stays_with_the_checkpoint(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), nulls=(b"null",))).ep
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.commit(ep, superstep("cp-1", outcome="end"))
    assert d.nulls("cp-0") == (b"null",)
    assert d.nulls("cp-1") == ()


def what_a_caller_wrote_is_over_once_it_is_committed(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), nulls=(b"null",))).ep
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.commit(ep, replace(superstep("cp-1", "b"), nulls=(b"other",)))
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.start(superstep("cp-2", "a"), "run-2", "cp-1")
    dropped = Nulls((b"other",), over=False)
    assert d.ledger.nulls(d.thread, "", ("cp-0", "cp-1")) == (Nulls((b"null",), over=True), dropped)


def what_a_caller_wrote_is_over_once_it_is_finished(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), nulls=(b"null",))).ep
    d.claim(ep, "a")
    step = superstep("cp-1", outcome="end")
    d.ledger.finish(
        d.thread, "", ep, Finished("a", "", b"w"), step,
        tok="t", tok2="adv", lease_ms=LEASE, nulls=1,
    )  # fmt: skip
    assert d.ledger.nulls(d.thread, "", ("cp-0",)) == (Nulls((b"null",), over=True),)


def what_a_caller_wrote_at_the_end_is_kept(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    d.start(continued("end", b"two"), "run-3", "cp-0")
    assert d.nulls("cp-0") == (b"one", b"two")


def what_a_caller_wrote_is_seen_by_the_tasks_that_follow(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    ep = d.start(continued("go", b"two"), "run-3", "cp-0").ep
    context = d.claim(ep, "t").context
    assert context is not None
    assert context.nulls == (b"one", b"two")


def what_a_caller_wrote_outlives_a_cancel_of_a_pause(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), nulls=(b"null",))).ep
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert d.nulls("cp-0") == (b"null",)


def writes_of_a_saver_take_in_what_a_caller_wrote(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    put = commands.put_writes(d.thread, "", "cp-0", (b"log",), asks=False)
    assert d.ledger.call(put).status == "conflict"


def a_run_has_an_id(d: Driver) -> None:
    with suppress(StoreError):
        d.start(superstep("cp-0", "a"), run="")
    assert d.stored() == set()


def no_outcome_is_written_of_no_run(d: Driver) -> None:
    ep = d.started("a")
    d.client.hset(d.thread.header, "run", "")
    d.claim(ep, "a")
    d.fail(ep, "a")
    assert d.ledger.outcome(d.thread, "") is None
    assert d.outcome() == "pending"


def continued(outcome: Outcome, *nulls: bytes) -> Superstep:
    """Return a superstep that goes on from the head, with a task when it goes on at all."""
    tasks = (TaskEntry("t", b"t"),) if outcome == "go" else ()
    return Superstep(nonce(), (), tasks, outcome, 25, nulls=nulls)


def only_the_present_reducer_gives_up(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="first")
    assert d.ledger.fail_advance(d.thread, "", ep, advtok="other", error=b"e") == "stale"
    assert d.ledger.fail_advance(d.thread, "", ep, advtok="first", error=b"e") == "failed"


def a_reducer_that_vanishes_every_time_ends_the_run(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="first")
    d.sweep(after_ms=LEASE + 1)
    assert d.claim_advance(ep, "second", max_advances=2).status == "advance"
    d.sweep(after_ms=400_000)
    assert d.claim_advance(ep, "third", max_advances=2).status == "failed"
    assert d.outcome() == "error"


def a_retry_finds_a_barrier_that_late_results_closed(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.fail(ep, "a")
    d.complete(ep, "a", tok="zombie")
    assert d.go_on("retry").advance
    assert d.claim_advance(ep).status == "advance"


def an_answer_names_one_instance_of_a_question(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q2")
    reply = d.answer("a", "q1")
    assert (reply.status, reply.pending) == ("no_interrupt", ("q2",))
    assert d.status == "interrupted"


def a_question_is_answered_once_in_a_call(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    pair = Answer("", "a", "q1", b"yes")
    reply = d.ledger.answer(d.thread, "run-2", "resume", (pair, pair), rnd="r")
    assert reply.status == "no_interrupt"


def a_repeated_answer_is_known_again(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    first, again = d.answer("a", "q1"), d.answer("a", "q1")
    assert (first.status, again.status) == ("go", "dup")
    assert (again.ep, again.event_id, again.run) == (first.ep, first.event_id, "run-2")


def a_repeated_start_is_known_again(d: Driver) -> None:
    step = superstep("cp-0", "a")
    first, again = d.start(step), d.start(step)
    assert (again.status, again.outcome, again.ep) == ("dup", "pending", first.ep)


def one_run_at_a_time(d: Driver) -> None:
    d.started("a")
    reply = d.start(superstep("cp-1", "b"), "run-2", "cp-0")
    assert (reply.status, reply.run) == ("busy", "run")


def a_start_planned_on_another_head_is_refused(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    reply = d.start(superstep("cp-1", "b"), "run-2", "cp-older")
    assert (reply.status, reply.head) == ("conflict", "cp-0")


def an_update_does_not_touch_a_busy_thread(d: Driver) -> None:
    d.started("a")
    checkpoints = superstep("cp-1").checkpoints
    reply = d.ledger.update(d.thread, checkpoints, expect="cp-0", ep=nonce(), waiting=False)
    assert (reply.status, reply.run) == ("busy", "run")


def an_update_of_another_head_is_refused(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    checkpoints = superstep("cp-1").checkpoints
    reply = d.ledger.update(d.thread, checkpoints, expect="", ep=nonce(), waiting=False)
    assert (reply.status, reply.head) == ("conflict", "cp-0")


def a_cancel_leaves_nothing_of_the_superstep(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    assert d.ledger.cancel(d.thread, "run", ep=nonce()).status == "cancelled"
    assert d.complete(ep, "a").closing == "gone"
    assert (d.stored(), d.due(), d.status) == ({"h", "c", "e"}, set(), "idle")


def a_cancel_names_its_run(d: Driver) -> None:
    d.started("a")
    assert d.ledger.cancel(d.thread, "another run", ep=nonce()).status == "idle"
    assert d.status == "busy"


def a_worker_releases_only_what_it_still_holds(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a", tok="first", owner="dead")
    d.sweep(after_ms=LEASE + 1)
    d.claim(ep, "a", tok="second", owner="alive")
    reply = d.ledger.release(d.thread, "", ep, ("a",), owner="dead", max_lost=3)
    assert reply.hints == ()
    assert d.states() == {"a": "R"}


def a_task_that_kills_its_workers_ends_the_run(d: Driver) -> None:
    ep = d.started("a")
    for _ in range(2):
        d.claim(ep, "a", tok=nonce())
        d.sweep(after_ms=LEASE + 1, max_lost=1)
    assert d.outcome() == "error"


def a_beat_renews_only_the_present_attempt(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a", tok="first")
    d.sweep(after_ms=LEASE + 1)
    d.claim(ep, "a", tok="second")
    leases = tuple(Lease(d.thread.x, "", ep, "a", tok) for tok in ("first", "second"))
    namespace, shard = d.thread.namespace, d.thread.shard
    assert d.ledger.beat(namespace, shard, leases, lease_ms=LEASE) == (False, True)


def a_beat_renews_only_the_present_reducer(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="adv")
    leases = tuple(Lease(d.thread.x, "", ep, "@", tok) for tok in ("other", "adv"))
    namespace, shard = d.thread.namespace, d.thread.shard
    assert d.ledger.beat(namespace, shard, leases, lease_ms=LEASE) == (False, True)


def a_sweep_leaves_a_task_that_is_done(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.client.zadd(d.due_key, {f"{d.thread.x}||a|l": 1})
    assert d.sweep() == ()
    assert d.states() == {"a": "D", "b": "Q"}


def a_sweep_lets_a_thread_at_rest_rest(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    assert d.sweep(after_ms=LEASE + 1) == ()
    assert d.states() == {"a": "X", "b": "R"}
    assert d.due() == set()


def custom_events_of_an_ended_run_are_dropped(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(superstep("cp-1", "a"), "run-2", "cp-0")
    assert not d.ledger.emit(d.thread, "run", (Custom("", "a", "t", b"x"),))
    assert d.ledger.emit(d.thread, "run-2", (Custom("", "a", "t", b"x"),))


class Guard(NamedTuple):
    keeps: Callable[[Driver], None]
    script: str
    guard: str
    without: str


GUARDS = (
    Guard(an_old_epoch_changes_nothing, "lib.lua", " or f[2] ~= ep then", " then"),
    Guard(a_thread_at_rest_hands_out_no_task, "lib.lua", " or not allowed[f[1]]", ""),
    Guard(an_unserved_graph_is_left_alone, "claim.lua", "if not ok then", "if false then"),
    Guard(
        a_doubled_hint_finds_the_task_taken,
        "claim.lua",
        "if f[ST] ~= 'Q' then return nil, 'busy' end",
        "",
    ),
    Guard(
        a_claim_with_the_same_token_repeats_its_answer,
        "claim.lua",
        "if f[ST] == 'R' and f[TOK] == A.tok then return f, 'ok', found end",
        "",
    ),
    Guard(
        a_result_is_taken_once,
        "finished.lua",
        "if not string.find('QRBX', f[ST], 1, true) then return 'stale' end",
        "",
    ),
    Guard(
        a_repeated_result_is_known_again,
        "finished.lua",
        "if f[ST] == final and f[TOK] == tok then return 'dup' end",
        "",
    ),
    Guard(
        a_result_of_an_earlier_round_is_refused,
        "finished.lua",
        "if f[RND] ~= rnd then return 'stale' end",
        "",
    ),
    Guard(
        the_barrier_waits_for_every_task,
        "rest.lua",
        " or call('SCARD', P .. 'a:' .. ns) > 0 then return 'open'",
        " then return 'open'",
    ),
    Guard(
        a_question_pauses_the_run,
        "rest.lua",
        "if call('EXISTS', P .. 'u:' .. ns) == 1 then",
        "if false then",
    ),
    Guard(
        one_worker_at_a_time_reduces,
        "rest.lua",
        "if f.adv ~= '' then return 'open' end",
        "",
    ),
    Guard(
        one_worker_at_a_time_reduces,
        "claim_advance.lua",
        "if f.adv ~= 'q' then return {'busy'} end",
        "",
    ),
    Guard(
        a_closing_answer_that_got_lost_is_repeated,
        "finished.lua",
        "if f.adv == 'l' and f.advtok == A.tok2 then",
        "if false then",
    ),
    Guard(only_the_present_reducer_commits, "commit.lua", " or f.advtok ~= A.tok then", " then"),
    Guard(
        a_lost_advance_is_not_committed_before_it_is_claimed,
        "commit.lua",
        "if f.adv ~= 'l' or ",
        "if ",
    ),
    Guard(
        a_repeated_commit_is_known_again,
        "commit.lua",
        "== A.step.ep then",
        "== '' then",
    ),
    Guard(
        a_repeated_finish_is_known_again,
        "finish.lua",
        "== A.step.ep then",
        "== '' then",
    ),
    Guard(
        finish_does_not_commit_over_other_active_tasks,
        "finish.lua",
        "and call('SCARD', P .. 'a:' .. A.ns) == 1",
        "",
    ),
    Guard(
        finish_does_not_commit_over_writes_it_has_not_seen,
        "finish.lua",
        "and call('EXISTS', P .. 'w:' .. A.ns, P .. 'u:' .. A.ns) == 0",
        "",
    ),
    Guard(
        finish_does_not_commit_over_null_task_writes_it_has_not_seen,
        "finish.lua",
        "and tonumber(call('HGET', H, A.ns .. '/nulls') or 0) == A.nulls",
        "",
    ),
    Guard(
        a_late_failure_of_a_superseded_attempt_is_noise,
        "fail.lua",
        " or f[TOK] ~= A.tok then",
        " then",
    ),
    Guard(
        a_failure_after_the_end_of_the_run_is_kept_for_its_retry,
        "fail.lua",
        "if frame.st ~= 'busy' then",
        "if false then",
    ),
    Guard(
        a_retry_tells_of_all_that_waits,
        "answer.lua",
        "if A.mode == 'retry' then hints, more = waiting() end",
        "",
    ),
    Guard(a_release_from_a_failed_run_starts_nothing, "release.lua", "busy and lose", "lose"),
    Guard(
        too_much_for_one_reply_is_read_from_the_outbox,
        "answer.lua",
        "> WIDE - #out then",
        "> 10 * WIDE then",
    ),
    Guard(
        what_a_caller_wrote_stays_with_the_checkpoint,
        "step.lua",
        "    keep_nulls(ns, nulls, committed and 'over' or 'open')\n",
        "",
    ),
    Guard(
        what_a_caller_wrote_is_over_once_it_is_committed,
        "commit.lua",
        "drop_step(A.ns, true)",
        "drop_step(A.ns)",
    ),
    Guard(
        what_a_caller_wrote_is_over_once_it_is_finished,
        "finish.lua",
        "drop_step(A.ns, true)",
        "drop_step(A.ns)",
    ),
    Guard(
        what_a_caller_wrote_at_the_end_is_kept,
        "step.lua",
        "else keep_nulls(ns, list, 'open') end",
        "end",
    ),
    Guard(
        what_a_caller_wrote_is_seen_by_the_tasks_that_follow,
        "step.lua",
        "#s.checkpoints == 0 and kept_nulls(ns) or {}",
        "{}",
    ),
    Guard(
        what_a_caller_wrote_outlives_a_cancel_of_a_pause,
        "step.lua",
        "named['z|' .. n] or ",
        "",
    ),
    Guard(
        writes_of_a_saver_take_in_what_a_caller_wrote,
        "put_writes.lua",
        "(opened or cget(kept))",
        "opened",
    ),
    Guard(a_run_has_an_id, "step.lua", "if run == '' then", "if false then"),
    Guard(no_outcome_is_written_of_no_run, "rest.lua", "if run and run ~= '' then", "if true then"),
    Guard(only_the_present_reducer_gives_up, "fail_advance.lua", " or f.advtok ~= A.tok", ""),
    Guard(
        a_reducer_that_vanishes_every_time_ends_the_run,
        "claim_advance.lua",
        ">= A.max then",
        ">= 1000 then",
    ),
    Guard(
        a_retry_finds_a_barrier_that_late_results_closed,
        "answer.lua",
        "if A.mode == 'retry' then closing =",
        "if false then closing =",
    ),
    Guard(
        an_answer_names_one_instance_of_a_question,
        "answer.lua",
        " and asked[ns][tid][iid]) then return",
        ") then return",
    ),
    Guard(
        a_question_is_answered_once_in_a_call,
        "answer.lua",
        "asked[ns][tid][iid] = nil",
        "",
    ),
    Guard(a_repeated_answer_is_known_again, "answer.lua", "if again then return again end", ""),
    Guard(a_repeated_start_is_known_again, "start.lua", "if again then return again end", ""),
    Guard(one_run_at_a_time, "start.lua", "if h[1] == 'busy' then return {'busy', h[2]} end", ""),
    Guard(
        a_start_planned_on_another_head_is_refused,
        "start.lua",
        "if (h[3] or '') ~= A.expect then",
        "if false then",
    ),
    Guard(
        an_update_does_not_touch_a_busy_thread,
        "update.lua",
        "if st == 'busy' then",
        "if false then",
    ),
    Guard(
        an_update_of_another_head_is_refused,
        "update.lua",
        "if head ~= A.expect then",
        "if false then",
    ),
    Guard(a_cancel_leaves_nothing_of_the_superstep, "cancel.lua", "drop_frames()", ""),
    Guard(a_cancel_names_its_run, "cancel.lua", " or (A.run ~= '' and A.run ~= run)", ""),
    Guard(
        a_worker_releases_only_what_it_still_holds,
        "release.lua",
        " and f[OWNER] == A.owner",
        "",
    ),
    Guard(
        a_task_that_kills_its_workers_ends_the_run,
        "failing.lua",
        "if f[LOST] <= max then",
        "if true then",
    ),
    Guard(a_beat_renews_only_the_present_attempt, "beat.lua", " and f[TOK] == tok", ""),
    Guard(a_beat_renews_only_the_present_reducer, "beat.lua", " and frame.advtok == tok", ""),
    Guard(
        a_sweep_leaves_a_task_that_is_done,
        "sweep.lua",
        "if not f or f[ST] ~= (kind == 'l' and 'R' or 'B') then return end",
        "",
    ),
    Guard(
        a_sweep_lets_a_thread_at_rest_rest,
        "sweep.lua",
        "elseif st ~= 'busy' then",
        "elseif false then",
    ),
    Guard(custom_events_of_an_ended_run_are_dropped, "emit.lua", " or h[2] ~= A.run", ""),
)
ALL = pytest.mark.parametrize("guard", GUARDS, ids=[guard.keeps.__name__ for guard in GUARDS])


@ALL
def test_the_scripts_keep(redis_client: redis.Redis, namespace: str, guard: Guard) -> None:
    guard.keeps(Driver(redis_client, namespace))


@ALL
def test_only_by_its_guard(
    redis_client: redis.Redis, namespace: str, guard: Guard, tmp_path: Path
) -> None:
    driver = Driver(redis_client, namespace)
    with (
        mutated(tmp_path, guard.script, guard.guard, guard.without),
        pytest.raises((AssertionError, StoreError)),
    ):
        guard.keeps(driver)
