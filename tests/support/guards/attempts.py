"""Guards of claims and results: one attempt at a task counts, and once."""

from __future__ import annotations

from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


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


def a_thread_that_is_not_there_is_told_from_one_that_went_on(d: Driver) -> None:
    ep = d.started("a")
    d.ledger.delete(d.thread)
    assert (d.claim(ep, "a").status, d.claim_advance(ep).status) == ("missing", "missing")
    assert d.complete(ep, "a").closing == "gone"


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


def a_failure_is_counted_and_a_kill_is_not(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a", tok="killed")
    d.sweep(after_ms=LEASE + 1)
    assert d.claim(ep, "a", tok="fails").tasks[0].failures == 0
    assert [d.fail(ep, "a", tok="fails", retry_in_ms=0) for _ in range(2)] == ["retry", "retry"]
    d.sweep()
    task = d.claim(ep, "a", tok="killed too").tasks[0]
    assert (task.att, task.failures) == (3, 1)
    d.ledger.release(d.thread, "", ep, ("a",), owner="worker", max_lost=3)
    task = d.claim(ep, "a", tok="last").tasks[0]
    assert (task.att, task.failures) == (4, 1)


GUARDS = (
    Guard(
        a_failure_is_counted_and_a_kill_is_not,
        "fail.lua",
        "task[TASK.failures] = task[TASK.failures] + 1\n",
        "",
    ),
    Guard(an_old_epoch_changes_nothing, "fence.lua", " or epoch ~= ep or", " or"),
    Guard(a_thread_at_rest_hands_out_no_task, "fence.lua", "not allowed[st] or ", ""),
    Guard(
        a_thread_that_is_not_there_is_told_from_one_that_went_on,
        "fence.lua",
        "  if not st then return nil, {REPLY.missing} end\n",
        "",
    ),
    Guard(
        an_unserved_graph_is_left_alone,
        "claim.lua",
        "frame and not_served(A.ns, frame, A.served)",
        "nil",
    ),
    Guard(
        a_doubled_hint_finds_the_task_taken,
        "claim.lua",
        "if task[TASK.state] ~= STATE.queued then return nil, REPLY.busy end",
        "",
    ),
    Guard(
        a_claim_with_the_same_token_repeats_its_answer,
        "claim.lua",
        "if running and task[TASK.token] == A.tok then return task, given end",
        "",
    ),
    Guard(
        a_result_is_taken_once,
        "finished.lua",
        "if not UNFINISHED[task[TASK.state]] then return REPLY.stale end",
        "",
    ),
    Guard(
        a_repeated_result_is_known_again,
        "finished.lua",
        "if task[TASK.state] == final and task[TASK.token] == token then return REPLY.dup end",
        "",
    ),
    Guard(
        a_result_of_an_earlier_round_is_refused,
        "finished.lua",
        "if task[TASK.round] ~= result[RESULT.round] then return REPLY.stale end",
        "",
    ),
    Guard(
        a_late_failure_of_a_superseded_attempt_is_noise,
        "fail.lua",
        " or task[TASK.token] ~= A.tok then",
        " then",
    ),
    Guard(
        a_failure_after_the_end_of_the_run_is_kept_for_its_retry,
        "fail.lua",
        "if frame.st ~= STATUS.busy then",
        "if false then",
    ),
)
