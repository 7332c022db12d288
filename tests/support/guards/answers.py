"""Guards of what goes on with an open superstep: answers, questions asked again, retries."""

from __future__ import annotations

from checkpoint_redis.layout import QuestionId, TaskField, ThreadKey
from tests.support.guards import Guard
from tests.support.thread_driver import Driver, nonce, superstep


def asking(d: Driver, *, deadline: int = 0) -> str:
    """Bring the thread to a pause: a asks q1."""
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1", deadline=deadline)
    return ep


def failed(d: Driver) -> str:
    """End the run: a failed for good, in its second attempt, with an error and a question."""
    ep = d.started("a")
    d.claim(ep, "a")
    d.fail(ep, "a", retry_in_ms=0)
    d.sweep()
    d.claim(ep, "a")
    d.fail(ep, "a")
    return ep


def stopped(d: Driver) -> str:
    """Leave the graphs that b and c call at breakpoints; a and d run."""
    ep = d.started("a", "b", "c", "d")
    d.claim(ep, "a", "b", "c", "d")
    d.ask(ep, "b", QuestionId.stopped)
    d.ask(ep, "c", QuestionId.stopped)
    return ep


def an_answer_names_a_question(d: Driver) -> None:
    asking(d)
    reply = d.go_on("resume")
    assert (reply.status, reply.pending) == ("no_interrupt", ("q1",))


def only_an_answer_joins_a_run(d: Driver) -> None:
    d.started("a")
    assert [d.go_on("reask").status, d.go_on("retry").run] == ["busy", "run"]


def nothing_is_asked_again_where_nothing_asks(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="stop"))
    reply = d.go_on("reask")
    assert (reply.status, reply.outcome) == ("nothing", "interrupted")


def an_answer_may_bring_a_config_and_a_limit(d: Driver) -> None:
    asking(d)
    d.ledger.answer(d.thread, "run-2", "reask", rnd=nonce(), cfg=b"new", metadata=b"about", stop=7)
    run = d.run()
    assert (run.cfg, run.metadata, run.stop) == (b"new", b"about", 7)


def an_answer_keeps_what_the_thread_was_told(d: Driver) -> None:
    step = superstep("cp-0", "a")
    d.ledger.start(
        d.thread, "run", step, expect="", graph="graph", fp="1", queue="queue",
        cfg=b"cfg", metadata=b"about", stop=25, released="cp-0", by="ann",
    )  # fmt: skip
    d.claim(step.ep, "a")
    d.ask(step.ep, "a", "q1")
    d.answer("a", "q1")
    run = d.run()
    assert (run.cfg, run.metadata) == (b"cfg", b"about")
    assert (run.stop, run.released, run.origin) == (25, "cp-0", "cp-0")
    assert (run.kind, run.status, run.by, run.ended, run.cp) == ("resume", "pending", "", 0, "")


def a_retry_counts_attempts_and_failures_anew(d: Driver) -> None:
    ep = failed(d)
    d.go_on("retry")
    task = d.claim(ep, "a").tasks[0]
    assert (task.att, task.failures) == (1, 0)


def a_retry_leaves_nothing_of_the_error(d: Driver) -> None:
    failed(d)
    d.go_on("retry")
    fields = d.client.hkeys(f"{d.thread.prefix}{ThreadKey.tasks}")
    assert f"{TaskField.error}a".encode() not in fields


def an_answer_lifts_the_deadline_and_has_its_outbox_looked_at(d: Driver) -> None:
    asking(d, deadline=10**15)
    d.answer("a", "q1")
    assert d.due() == {"|d"}


def an_answered_task_is_active_again(d: Driver) -> None:
    ep = asking(d)
    d.answer("a", "q1")
    assert d.client.smembers(f"{d.thread.prefix}{ThreadKey.active}") == {b"a"}
    context = d.claim(ep, "a").context
    assert context is not None
    assert context.head.active == 1


def a_retry_looks_for_what_waits_though_nothing_failed(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    d.ledger.release(d.thread, "", ep, ("b",), owner="worker", max_lost=3)
    d.complete(ep, "a", tok="zombie")
    d.go_on("retry")
    assert d.due() == {"|d"}


def a_task_that_runs_on_through_a_retry_gets_time(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    d.sweep(after_ms=10_000)
    d.go_on("retry")
    assert d.due() == {"|d", "b|l"}


def an_answer_releases_graphs_at_breakpoints(d: Driver) -> None:
    ep = stopped(d)
    d.ask(ep, "a", "q1")
    d.ask(ep, "d", "q2")
    reply = d.answer("a", "q1")
    assert sorted(hint.tid for hint in reply.hints) == ["a", "b", "c"]
    assert d.states() == {"a": "Q", "b": "Q", "c": "Q", "d": "I"}


def a_graph_at_a_breakpoint_is_released_once(d: Driver) -> None:
    ep = stopped(d)
    d.ask(ep, "a", "q1")
    d.ask(ep, "d", "q2")
    d.answer("a", "q1")
    d.claim(ep, "c", tok="again")
    assert d.answer("d", "q2", run="run-3").status == "joined"
    assert d.states()["c"] == "R"


def asked_again_a_graph_at_a_breakpoint_goes_on_once(d: Driver) -> None:
    ep = stopped(d)
    d.ask(ep, "a", "q1")
    d.ask(ep, "d", "q2")
    assert sorted(hint.tid for hint in d.go_on("reask").hints) == ["a", "b", "c", "d"]


def a_retry_releases_graphs_at_breakpoints(d: Driver) -> None:
    ep = stopped(d)
    d.fail(ep, "a")
    d.complete(ep, "d")
    d.go_on("retry")
    assert d.states() == {"a": "Q", "b": "Q", "c": "Q", "d": "D"}
    # An attempt of before would stop it again.
    assert d.ask(ep, "b", QuestionId.stopped).statuses == ("stale",)
    assert d.complete(ep, "a").statuses == ("done",)


def an_answer_tells_its_run_and_may_bring_a_version(d: Driver) -> None:
    asking(d)
    reply = d.ledger.answer(d.thread, "run-2", "reask", rnd=nonce(), graph_fp="2")
    assert reply.run == "run-2"
    header = d.ledger.header(d.thread)
    assert header is not None
    assert header.fp == "2"


def a_breakpoint_is_no_question(d: Driver) -> None:
    ep = stopped(d)
    d.ask(ep, "a", "q1")
    d.ask(ep, "d", "q2")
    assert set(d.go_on("resume").pending) == {"q1", "q2"}


GUARDS = (
    Guard(
        an_answer_releases_graphs_at_breakpoints,
        "choosing.lua",
        "numbered(key, TASK_FIELD.stopped, first, last - first)",
        "{}",
    ),
    Guard(
        an_answer_releases_graphs_at_breakpoints,
        "finished.lua",
        " then note_stopped(tasks, tid) end\n",
        " then now() end\n",
    ),
    Guard(
        an_answer_releases_graphs_at_breakpoints,
        "finished.lua",
        " and questions[1][QUESTION.iid] == IID.stopped then",
        " then",
    ),
    Guard(
        a_graph_at_a_breakpoint_is_released_once,
        "choosing.lua",
        "  if stops then call('HDEL', key, TASK_FIELD.stops, TASK_FIELD.released) end\n",
        "",
    ),
    Guard(
        asked_again_a_graph_at_a_breakpoint_goes_on_once,
        "choosing.lua",
        "  if mode == MODE.reask then first = last end\n",
        "",
    ),
    Guard(
        a_retry_releases_graphs_at_breakpoints,
        "choosing.lua",
        "  if mode == MODE.reask then first = last end\n",
        "  if mode ~= MODE.resume then first = last end\n",
    ),
    Guard(
        a_retry_releases_graphs_at_breakpoints,
        "again.lua",
        "if not each.late then task[TASK.round]",
        "if said[MOVE.mode] ~= MODE.retry then task[TASK.round]",
    ),
    Guard(
        a_retry_releases_graphs_at_breakpoints,
        "again.lua",
        "if not each.late then task[TASK.round]",
        "if true then task[TASK.round]",
    ),
    Guard(an_answer_tells_its_run_and_may_bring_a_version, "answer.lua", "  run = A.run\n", ""),
    Guard(
        an_answer_tells_its_run_and_may_bring_a_version,
        "answer.lua",
        "  if A.fp ~= '' then call('HSET', H, HEADER.fingerprint, A.fp) end\n",
        "",
    ),
    Guard(
        a_breakpoint_is_no_question,
        "asks.lua",
        "question[QUESTION.iid] ~= IID.stopped and",
        "true and",
    ),
    Guard(
        an_answer_names_a_question,
        "answer.lua",
        "if unknown or #A.pairs == 0 then",
        "if unknown then",
    ),
    Guard(
        only_an_answer_joins_a_run,
        "answer.lua",
        "if st == STATUS.busy and not joins then return {REPLY.busy, run} end",
        "",
    ),
    Guard(
        nothing_is_asked_again_where_nothing_asks,
        "answer.lua",
        "  if #chosen == 0 and not wide then return {REPLY.nothing, st} end\n",
        "",
    ),
    Guard(
        an_answer_may_bring_a_config_and_a_limit,
        "answer.lua",
        "A.keep_cfg and last[RUN_ROW.config] or blob(A.cfg)",
        "last[RUN_ROW.config]",
    ),
    Guard(
        an_answer_may_bring_a_config_and_a_limit,
        "answer.lua",
        "A.stop < 0 and last[RUN_ROW.stop] or A.stop",
        "last[RUN_ROW.stop]",
    ),
    Guard(
        an_answer_keeps_what_the_thread_was_told,
        "answer.lua",
        "A.stop < 0 and last[RUN_ROW.stop] or A.stop",
        "A.stop",
    ),
    Guard(
        an_answer_keeps_what_the_thread_was_told,
        "answer.lua",
        "A.keep_cfg and last[RUN_ROW.config] or blob(A.cfg)",
        "blob(A.cfg)",
    ),
    Guard(
        an_answer_may_bring_a_config_and_a_limit,
        "answer.lua",
        "A.keep_cfg and last[RUN_ROW.metadata] or blob(A.metadata)",
        "last[RUN_ROW.metadata]",
    ),
    Guard(
        an_answer_keeps_what_the_thread_was_told,
        "answer.lua",
        "A.keep_cfg and last[RUN_ROW.metadata] or blob(A.metadata)",
        "blob(A.metadata)",
    ),
    Guard(
        an_answer_keeps_what_the_thread_was_told,
        "answer.lua",
        "released = last[RUN_ROW.released]",
        "released = ''",
    ),
    Guard(
        a_retry_counts_attempts_and_failures_anew,
        "again.lua",
        "  task[TASK.attempts], task[TASK.lost], task[TASK.failures] = 0, 0, 0\n",
        "",
    ),
    Guard(
        a_retry_counts_attempts_and_failures_anew,
        "again.lua",
        "task[TASK.lost], task[TASK.failures] = 0, 0, 0",
        "task[TASK.lost] = 0, 0",
    ),
    Guard(
        a_retry_leaves_nothing_of_the_error,
        "again.lua",
        "  call('HDEL', key, TASK_FIELD.error .. tid, TASK_FIELD.question .. tid)\n",
        "",
    ),
    Guard(
        an_answer_lifts_the_deadline_and_has_its_outbox_looked_at,
        "again.lua",
        "  not_due(ns, tid, DUE.back_off, DUE.deadline)\n",
        "",
    ),
    Guard(
        an_answer_lifts_the_deadline_and_has_its_outbox_looked_at,
        "answer.lua",
        "if #out > 0 then due_outbox('') end\n",
        "",
    ),
    Guard(
        an_answered_task_is_active_again,
        "requeue.lua",
        "  call('SADD', P .. KEY.active .. ns, tid)\n",
        "",
    ),
    Guard(
        a_retry_looks_for_what_waits_though_nothing_failed,
        "choosing.lua",
        "  due_outbox('')\n",
        "",
    ),
    Guard(
        a_task_that_runs_on_through_a_retry_gets_time,
        "again.lua",
        "then due('', tid, DUE.lease, now() + LIMIT.recheck_ms)",
        "then",
    ),
)
