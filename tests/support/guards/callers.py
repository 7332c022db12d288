"""Guards of what callers ask for: runs, answers, retries, updates, cancels."""

from __future__ import annotations

from contextlib import suppress

from checkpoint_redis.layout import Field
from checkpoint_redis.records import (
    AnswerEntry,
)
from distgraph.errors import StoreError
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


def a_retry_tells_of_all_that_waits(d: Driver) -> None:
    ep = d.started("a", "b", "c")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    d.ledger.release(d.thread, "", ep, ("b",), owner="worker", max_lost=3)
    retried = d.go_on("retry")
    assert sorted(hint.tid for hint in retried.hints) == ["a", "b", "c"]
    assert not retried.more
    assert d.states() == {"a": "Q", "b": "Q", "c": "Q"}


def too_much_for_one_reply_is_read_from_the_outbox(d: Driver) -> None:
    tids = [f"t{n}" for n in range(1_002)]
    ep = d.started(*tids)
    d.claim(ep, "t0")
    d.fail(ep, "t0")
    retried = d.go_on("retry")
    assert (retried.hints, retried.more) == ((), True)
    _, part = d.ledger.outbox(d.thread, "", ep, count=5_000)
    assert {hint.tid for hint in part} == set(tids)


def a_run_has_an_id(d: Driver) -> None:
    for run in ("", "x" * 201):
        with suppress(StoreError):
            d.start(superstep("cp-0", "a"), run=run)
        assert d.stored() == set()


def a_run_without_a_record_ends_all_the_same(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.client.hdel(d.thread.checkpoints, f"{Field.run}run")
    assert d.fail(ep, "a") == "failed"
    assert (d.status, d.ledger.outcome(d.thread, "run")) == ("error", None)


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
    pair = AnswerEntry("", "a", "q1", b"yes")
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


def a_cancel_of_what_waits_is_known_again(d: Driver) -> None:
    for run in ("run", ""):
        d.start(superstep("cp-0", outcome="stop"))
        first, again = (d.ledger.cancel(d.thread, run, ep="n") for _ in range(2))
        assert (first.status, again) == ("cancelled", first)
        d.ledger.delete(d.thread)


def a_repeated_cancel_leaves_the_next_run_alone(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="stop"))
    first = d.ledger.cancel(d.thread, "", ep="n")
    d.start(superstep("cp-1", "a"), "run-2", "cp-0")
    assert d.ledger.cancel(d.thread, "", ep="n") == first
    assert (d.status, first.run) == ("busy", "run")


def a_run_that_was_cancelled_stays_so_beside_the_next(d: Driver) -> None:
    d.started("a")
    d.ledger.cancel(d.thread, "run", ep=nonce())
    d.start(superstep("cp-1", "a"), "run-2", "cp-0")
    again = d.ledger.cancel(d.thread, "run", ep=nonce())
    assert (again.status, again.run, d.status) == ("cancelled", "run", "busy")


def a_thread_at_rest_tells_that_its_last_run_was_cancelled(d: Driver) -> None:
    d.started("a")
    d.ledger.cancel(d.thread, "run", ep=nonce())
    again = d.ledger.cancel(d.thread, "", ep=nonce())
    assert (again.status, again.run) == ("cancelled", "run")


def a_thread_at_rest_has_nothing_to_cancel(d: Driver) -> None:
    assert d.ledger.cancel(d.thread, "", ep=nonce()).status == "idle"
    d.start(superstep("cp-0", outcome="end"))
    assert d.ledger.cancel(d.thread, "run", ep=nonce()).status == "idle"


def a_retry_of_another_superstep_is_refused(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.fail(ep, "a")
    refused = d.ledger.answer(d.thread, "run-2", "retry", rnd="r", ep="another")
    assert (refused.status, d.status, d.states()) == ("conflict", "error", {"a": "X"})
    assert d.ledger.answer(d.thread, "run-2", "retry", rnd="r", ep=ep).status == "go"


def a_start_planned_on_another_superstep_is_refused(d: Driver) -> None:
    ep = d.start(superstep("cp-0", outcome="stop")).ep
    d.ledger.cancel(d.thread, "", ep="n")
    for seen, status in ((ep, "conflict"), ("n", "go")):
        reply = d.ledger.start(
            d.thread, "run-2", superstep("cp-1", "a"), expect="cp-0", seen=seen,
            graph="graph", fp="1", queue="queue",
        )  # fmt: skip
        assert reply.status == status


def custom_events_of_an_ended_run_are_dropped(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "b")
    d.go_on("retry")
    # It was not stopped when the run failed.
    assert d.states()["a"] == "R"
    assert not d.emit()
    assert d.emit(run="run-2")


def chunks_of_an_attempt_that_was_given_up_are_dropped(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.sweep(after_ms=LEASE + 1)
    d.claim(ep, "a", tok="t2")
    assert not d.emit()
    assert d.emit(tok="t2")


def no_chunk_comes_after_the_end_of_its_task(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.complete(ep, "a")
    assert not d.emit()


def a_repeated_chunk_is_not_told_twice(d: Driver) -> None:
    d.claim(d.started("a"), "a")
    assert d.emit(blobs=(b"1", b"2"))
    assert d.emit(blobs=(b"1", b"2"))
    assert d.emit(first=2, blobs=(b"2", b"3"))
    told = [entry[1].get(b"b") for entry in d.client.xrange(d.thread.events)]
    assert told == [None, None, b"1", b"2", b"3"]


def an_attempt_counts_its_own_chunks(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.emit()
    d.sweep(after_ms=LEASE + 1)
    d.claim(ep, "a", tok="t2")
    assert d.emit(tok="t2", blobs=(b"2",))
    assert d.client.xrevrange(d.thread.events, count=1)[0][1].get(b"b") == b"2"


def chunks_after_some_that_were_lost_are_told(d: Driver) -> None:
    d.claim(d.started("a"), "a")
    assert d.emit(first=5, blobs=(b"5",))
    assert d.emit(first=6, blobs=(b"6",))
    told = [entry[1].get(b"b") for entry in d.client.xrange(d.thread.events)][2:]
    assert told == [b"5", b"6"]


def a_removal_does_not_touch_a_busy_thread(d: Driver) -> None:
    ep = d.started("a")
    assert d.ledger.delete(d.thread, ep=ep).status == "busy"


def a_removal_of_what_has_changed_is_refused(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    assert d.ledger.delete(d.thread, ep="an older epoch").status == "conflict"


GUARDS = (
    Guard(
        a_removal_does_not_touch_a_busy_thread,
        "delete.lua",
        "if st == STATUS.busy then",
        "if false then",
    ),
    Guard(
        a_removal_of_what_has_changed_is_refused,
        "delete.lua",
        "if ep ~= A.ep then",
        "if false then",
    ),
    Guard(
        a_retry_tells_of_all_that_waits,
        "answer.lua",
        "if retries then out, more = waiting()",
        "if false then",
    ),
    Guard(
        too_much_for_one_reply_is_read_from_the_outbox,
        "answer.lua",
        "> LIMIT.hints then",
        "> 10 * LIMIT.hints then",
    ),
    Guard(a_run_has_an_id, "begin.lua", "run == '' or", "false or"),
    Guard(a_run_has_an_id, "begin.lua", " or #run > LIMIT.run_id then", " then"),
    Guard(a_run_without_a_record_ends_all_the_same, "ending.lua", "if row then", "if true then"),
    Guard(
        a_retry_finds_a_barrier_that_late_results_closed,
        "answer.lua",
        "local closing = retries and barrier",
        "local closing = false and barrier",
    ),
    Guard(
        an_answer_names_one_instance_of_a_question,
        "asks.lua",
        "if not asked[tid][iid] then return iid end",
        "if not next(asked[tid]) then return iid end",
    ),
    Guard(
        a_question_is_answered_once_in_a_call,
        "asks.lua",
        "asked[tid][iid] = nil",
        "",
    ),
    Guard(a_repeated_answer_is_known_again, "answer.lua", "if again then return again end", ""),
    Guard(a_repeated_start_is_known_again, "start.lua", "if again then return again end", ""),
    Guard(
        one_run_at_a_time, "start.lua", "if st == STATUS.busy then return {REPLY.busy, run} end", ""
    ),
    Guard(
        a_start_planned_on_another_head_is_refused,
        "start.lua",
        "if (head or '') ~= A.expect then",
        "if false then",
    ),
    Guard(
        an_update_does_not_touch_a_busy_thread,
        "update.lua",
        "if st == STATUS.busy then",
        "if false then",
    ),
    Guard(
        an_update_of_another_head_is_refused,
        "update.lua",
        "if head ~= A.expect then",
        "if false then",
    ),
    Guard(a_cancel_leaves_nothing_of_the_superstep, "cancel.lua", "drop_step('')", ""),
    Guard(a_cancel_names_its_run, "cancel.lua", " or named ~= run", ""),
    Guard(
        a_cancel_of_what_waits_is_known_again,
        "cancel.lua",
        "if ep == A.ep then return {REPLY.cancelled, cancelled} end\n",
        "",
    ),
    Guard(
        a_repeated_cancel_leaves_the_next_run_alone,
        "cancel.lua",
        ", HEADER.cancelled, A.ep .. ' ' .. run)",
        ")",
    ),
    Guard(
        a_run_that_was_cancelled_stays_so_beside_the_next,
        "cancel.lua",
        "  if outcome_of(named) == RUN.cancelled then return {REPLY.cancelled, named} end\n",
        "",
    ),
    Guard(
        a_thread_at_rest_tells_that_its_last_run_was_cancelled,
        "cancel.lua",
        "A.run == '' and run or A.run",
        "A.run",
    ),
    Guard(
        a_thread_at_rest_has_nothing_to_cancel,
        "cancel.lua",
        "if st == STATUS.idle or",
        "if",
    ),
    Guard(
        a_retry_of_another_superstep_is_refused,
        "answer.lua",
        "if A.ep ~= '' and A.ep ~= ep then return {REPLY.conflict} end\n",
        "",
    ),
    Guard(
        a_start_planned_on_another_superstep_is_refused,
        "start.lua",
        "if A.seen ~= '' and ep ~= A.seen then",
        "if false then",
    ),
    Guard(custom_events_of_an_ended_run_are_dropped, "emit.lua", " or run ~= A.run", ""),
    Guard(
        chunks_of_an_attempt_that_was_given_up_are_dropped,
        "emit.lua",
        " or task[TASK.token] ~= A.tok",
        "",
    ),
    Guard(
        no_chunk_comes_after_the_end_of_its_task,
        "emit.lua",
        "if task[TASK.state] ~= STATE.running then return 0 end\n",
        "",
    ),
    Guard(
        a_repeated_chunk_is_not_told_twice,
        "emit.lua",
        "math.max(1, task[TASK.chunks] - A.first + 2)",
        "1",
    ),
    Guard(an_attempt_counts_its_own_chunks, "claim.lua", ", task[TASK.chunks]", ""),
    Guard(chunks_after_some_that_were_lost_are_told, "emit.lua", "math.max(1, ", "(0 + "),
)
