"""Guards of what tasks leave: results, failures, and what is stored and told of them."""

from __future__ import annotations

from checkpoint_redis import events
from checkpoint_redis.layout import ThreadKey
from checkpoint_redis.readings import OpenTask
from checkpoint_redis.records import QuestionEntry, ResultEntry
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver


def told(d: Driver, kind: str) -> list[events.StreamEvent]:
    found = (events.decode(entry) for entry in d.client.xrange(d.thread.events))
    return [event for event in found if event.kind == kind]


def stored(d: Driver, tid: str) -> OpenTask:
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    return next(task for task in loaded.tasks if task.tid == tid)


def a_failure_is_told_and_kept(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.fail(ep, "a", retry_in_ms=0)
    d.sweep()
    d.claim(ep, "a")
    d.ledger.fail(d.thread, "", ep, "a", tok="t", error=b"why", retry_in_ms=-1)
    assert [event.payload for event in told(d, "retry")] == [(1, "a", 1, "")]
    assert [event.payload for event in told(d, "fail")] == [(1, "a", 2)]
    task = stored(d, "a")
    assert (task.st, task.error, task.owner) == ("X", b"why", "")


def a_repeated_failure_is_known_again(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    assert [d.fail(ep, "a"), d.fail(ep, "a")] == ["failed", "failed"]
    assert len(told(d, "fail")) == 1


def a_failure_after_the_result_is_noise(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.complete(ep, "a")
    assert d.fail(ep, "a") == "stale"
    assert d.status == "busy"


def a_result_of_no_task_is_gone(d: Driver) -> None:
    ep = d.started("a")
    assert d.complete(ep, "unknown").statuses == ("gone",)


def the_first_deadline_counts(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    asks = ResultEntry(
        "a",
        "",
        b"q",
        questions=(QuestionEntry("q1"), QuestionEntry("q2", 900), QuestionEntry("q3", 800)),
    )
    d.ledger.complete(d.thread, "", ep, (asks,), tok="t", tok2="adv", lease_ms=LEASE)
    assert d.client.zscore(d.due_key, f"{d.thread.x}||a|i") == 800


def a_result_of_a_task_that_is_queued_again_takes_it_out_of_the_outbox(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.sweep(after_ms=LEASE + 1)
    d.complete(ep, "a")
    assert d.client.smembers(f"{d.thread.prefix}{ThreadKey.queued}") == {b"b"}


def a_late_result_takes_the_place_of_an_error(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.fail(ep, "a")
    d.complete(ep, "a", tok="zombie")
    assert (stored(d, "a").st, stored(d, "a").error) == ("D", None)


def results_of_an_ended_run_are_not_told(d: Driver) -> None:
    ep = d.started("a", "b", "c")
    d.claim(ep, "a", "b", "c")
    d.fail(ep, "a")
    d.complete(ep, "b")
    d.ask(ep, "c", "q1")
    assert (told(d, "task"), told(d, "ask")) == ([], [])
    assert d.states() == {"a": "X", "b": "D", "c": "I"}


def what_is_released_is_looked_for(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.client.delete(d.outboxes_key)
    d.ledger.release(d.thread, "", ep, ("a",), owner="worker", max_lost=3)
    assert d.due() == {"|d"}


GUARDS = (
    Guard(
        a_failure_is_told_and_kept,
        "fail.lua",
        "tell_superseded(A.ns, A.tid, task)\n",
        "",
    ),
    Guard(
        a_failure_is_told_and_kept,
        "failing.lua",
        "  call('HSET', P .. KEY.tasks .. ns, TASK_FIELD.error .. tid, err)\n",
        "",
    ),
    Guard(
        a_failure_is_told_and_kept,
        "failing.lua",
        "  event(EVENT.fail, ns, FAIL_EVENT{tid = tid, attempt = task[TASK.attempts]})\n",
        "",
    ),
    Guard(
        a_repeated_failure_is_known_again,
        "fail.lua",
        "if task[TASK.state] == STATE.failed then\n",
        "if false then\n",
    ),
    Guard(
        a_failure_after_the_result_is_noise,
        "fail.lua",
        "if task[TASK.state] ~= STATE.running then return {REPLY.stale} end\n",
        "",
    ),
    Guard(
        a_result_of_no_task_is_gone,
        "finished.lua",
        "  if not task then return REPLY.gone end\n",
        "",
    ),
    Guard(
        the_first_deadline_counts,
        "deadlines.lua",
        "(not first or at < first)",
        "not first",
    ),
    Guard(
        a_result_of_a_task_that_is_queued_again_takes_it_out_of_the_outbox,
        "finished.lua",
        "if before == STATE.queued then",
        "if false then",
    ),
    Guard(
        a_late_result_takes_the_place_of_an_error,
        "finished.lua",
        "if before == STATE.failed then",
        "if false then",
    ),
    Guard(
        results_of_an_ended_run_are_not_told,
        "finished.lua",
        "  if st ~= STATUS.busy then return REPLY.done end\n",
        "",
    ),
    Guard(what_is_released_is_looked_for, "release.lua", "      due_outbox(A.ns)\n", ""),
)
