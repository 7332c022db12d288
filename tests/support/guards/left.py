"""Guards of what the tasks of a superstep left: it stands beside the checkpoint they ran from."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.bundles import Bundle, packet_name
from checkpoint_redis.layout import Field, Limit
from checkpoint_redis.readings import LeftTask
from checkpoint_redis.records import (
    AnswerEntry,
    CheckpointEntry,
    NewHead,
    ResultEntry,
    SuperstepEntry,
)
from checkpoint_redis.replies import Committed
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


def left(d: Driver, cp: str = "cp-0") -> tuple[LeftTask, ...] | None:
    """Return what was left at a checkpoint; both ways of reading it agree."""
    loaded = d.ledger.load(d.thread, "", cp)
    assert loaded is not None
    assert d.ledger.left(d.thread, "", (cp,)) == (loaded.left,)
    return loaded.left


def large(d: Driver, cp: str = "cp-0") -> set[str]:
    """Return the tasks that a large superstep left."""
    return {task.tid for task in d.ledger.large(d.thread, "", cp, 0)[1]}


def committed(d: Driver, *tids: str, blob: bytes = b"writes") -> None:
    """Run a superstep of these tasks and commit it, which ends the run."""
    ep = d.started(*tids)
    d.claim(ep, *tids)
    for tid in tids:
        d.complete(ep, tid, blob=blob)
    assert d.commit(ep, superstep("cp-1", outcome="end")).status == "end"


def results_stay_when_they_are_committed(d: Driver) -> None:
    committed(d, "a", "b")
    found = left(d)
    assert found is not None
    assert {(task.tid, task.result) for task in found} == {("a", b"writes"), ("b", b"writes")}
    assert left(d, "cp-1") == ()


def a_failure_stays_beside_what_was_done(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    d.fail(ep, "b")
    d.start(superstep("cp-1", outcome="end"), "run-2", "cp-0")
    assert left(d) == (LeftTask("a", b"writes"), LeftTask("b", b"error"))


def a_large_error_stands_in_the_runs_record_alone(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    large = b"e" * (Limit.record + 1)
    d.ledger.fail(d.thread, "", ep, "a", tok="t", error=large, retry_in_ms=-1)
    d.start(superstep("cp-1", outcome="end"), "run-2", "cp-0")
    assert left(d) == (LeftTask("a", b""),)


def a_question_that_was_given_up_stays(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.ask(ep, "a", "q1")
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.start(superstep("cp-1", outcome="end"), "run-2", "cp-0")
    assert left(d) == (LeftTask("a", b"question"),)


def questions_stay_with_who_answered_them(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "b")
    d.ask(ep, "a", "q1")
    for run, asked in (("run-2", "q1"), ("run-3", "q2")):
        pair = AnswerEntry("", "a", asked, run.encode())
        d.ledger.answer(d.thread, run, "resume", (pair,), rnd="", by=f"of {run}")
        d.claim(ep, "a", tok=run)
        if run == "run-2":
            d.ask(ep, "a", "q2", tok=run)
    done = d.complete(ep, "a", tok="run-3")
    assert done.closing == "advance"
    open_now = d.ledger.load(d.thread)
    d.commit(ep, superstep("cp-1", outcome="end"))
    (b, a) = sorted(left(d) or (), key=lambda task: len(task.asked))
    assert (b.tid, b.asked, a.tid, a.answers) == ("b", (), "a", (b"run-2", b"run-3"))
    assert [(each.run, each.by, each.blob) for each in a.asked] == [
        ("run-2", "of run-2", b"question"), ("run-3", "of run-3", b"question"),
    ]  # fmt: skip
    assert [iid for each in a.asked for iid, _ in each.questions] == ["q1", "q2"]
    assert all(0 < asked <= each.at for each in a.asked for _, asked in each.questions)
    assert open_now is not None
    assert {task.tid: task.asked for task in open_now.tasks}["a"] == a.asked


def a_question_that_was_asked_again_stays_once(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "b")
    d.ask(ep, "a", "q1")
    for run in ("run-2", "run-3"):
        d.ledger.answer(d.thread, run, "reask", (), rnd="")
        d.claim(ep, "a", tok=run)
        if run == "run-2":
            d.ask(ep, "a", "q2", tok=run)
    d.complete(ep, "a", tok="run-3")
    open_now = d.ledger.load(d.thread)
    d.commit(ep, superstep("cp-1", outcome="end"))
    asked = {task.tid: task.asked for task in left(d) or ()}["a"]
    told = [(each.run, each.questions[0][0], each.blob) for each in asked]
    assert told == [("", "q2", b"question")]
    assert open_now is not None
    assert {task.tid: task.asked for task in open_now.tasks}["a"] == asked


def what_was_asked_before_an_answer_gives_way(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "b")
    d.ask(ep, "a", "q1")
    d.ledger.answer(d.thread, "run-2", "reask", (), rnd="")
    d.claim(ep, "a", tok="2")
    d.ask(ep, "a", "q1", tok="2")
    pair = AnswerEntry("", "a", "q1", b"yes")
    d.ledger.answer(d.thread, "run-3", "resume", (pair,), rnd="")
    open_now = d.ledger.load(d.thread)
    assert open_now is not None
    asked = {task.tid: task.asked for task in open_now.tasks}["a"]
    assert [each.run for each in asked] == ["run-3"]


def what_waited_is_left_when_the_thread_moves_on(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    d.ask(ep, "b", "q1")
    assert "z" in d.stored()
    d.start(superstep("cp-1", outcome="end"), "run-2", "cp-0")
    assert left(d) == (LeftTask("a", b"writes"), LeftTask("b", b"question"))


def at_the_head_nothing_counts_that_was_given_up(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.ledger.cancel(d.thread, "", ep=nonce())
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert (loaded.left, loaded.writes) == ((), {})


def a_large_superstep_keeps_its_key(d: Driver) -> None:
    tids = [f"t{number}" for number in range(Limit.left_fields + 1)]
    committed(d, *tids)
    assert (left(d), large(d)) == (None, set(tids))
    assert d.stored() == {"h", "c", "e", "l", "l:|cp-0"}
    d.ledger.delete(d.thread)
    assert d.stored() == set()


def finished(d: Driver, blob: bytes = b"writes", packets: tuple[Bundle, ...] = ()) -> None:
    """Run a superstep of one task, who ends the run with it."""
    ep = d.started("a")
    d.claim(ep, "a")
    result, end = ResultEntry("a", "", blob, packets=packets), superstep("cp-1", outcome="end")
    done = d.ledger.finish(d.thread, "", ep, result, end, tok="t", tok2="adv", lease_ms=LEASE)
    assert done == Committed("end", end.ep)


def what_the_only_task_of_a_superstep_left_stays(d: Driver) -> None:
    finished(d)
    assert [(task.tid, task.result) for task in left(d) or ()] == [("a", b"writes")]
    assert d.stored() == {"h", "c", "e"}


def much_of_the_only_task_of_a_superstep_has_a_key(d: Driver) -> None:
    finished(d, b"x" * (Limit.left_bytes + 1))
    assert (left(d), large(d)) == (None, {"a"})


def what_the_only_task_of_a_superstep_sent_stays(d: Driver) -> None:
    finished(d, packets=(Bundle("few", (b"sent",)),))
    assert d.client.hget(d.thread.checkpoints, f"{Field.packet}|{packet_name('few', 0)}") == b"sent"


def a_superstep_of_much_keeps_its_key(d: Driver) -> None:
    committed(d, "a", blob=b"x" * (Limit.left_bytes + 1))
    assert (left(d), large(d)) == (None, {"a"})


def what_was_left_goes_with_its_checkpoint(d: Driver) -> None:
    committed(d, "a", blob=b"x" * (Limit.left_bytes + 1))
    header = d.ledger.header(d.thread)
    assert header is not None
    fields = (f"{Field.checkpoint}|cp-0", f"{Field.left}|cp-0")
    forget = commands.forget(d.thread, fields, (), ep=header.ep, new_ep=nonce())
    assert d.ledger.call(forget).status == "ok"
    assert d.stored() == {"h", "c", "e"}


def what_was_left_goes_with_the_head(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    ep = d.start(superstep("cp-1", "a", "b"), "run-2", "cp-0").ep
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    d.ask(ep, "b", "q")
    head = (NewHead("", "cp-0"),)
    assert d.ledger.call(commands.forget(d.thread, (), head, ep=ep, new_ep=nonce())).status == "ok"
    assert d.client.hget(d.thread.checkpoints, f"{Field.left}|cp-1") is None


def a_saver_takes_what_was_left_into_its_log(d: Driver) -> None:
    committed(d, "a", blob=b"x" * (Limit.left_bytes + 1))
    header = d.ledger.header(d.thread)
    assert header is not None
    ep = ""
    for status in ("conflict", "ok"):
        put = commands.put_writes(
            d.thread, "", "cp-0", (b"log",), asks=False, ep=ep, new_ep=nonce()
        )
        assert d.ledger.call(put).status == status
        ep = header.ep
    assert (left(d), d.stored()) == ((), {"h", "c", "e"})


def what_a_result_shares_with_a_value_is_stored_once(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    item = b"x" * (Limit.shared + 1)
    d.complete(ep, "a", blob=b"<" + item + b">")
    d.complete(ep, "b")
    checkpoint = CheckpointEntry("cp-1", b"cp-1", 1, ("c@1",), {"c@1": b"v" + item})
    d.commit(ep, SuperstepEntry(nonce(), (checkpoint,), (), "end"))
    found = {task.tid: task for task in left(d) or ()}
    assert found["a"].result == b"5:1:<3:c@11:23:2571:>"
    assert found["b"].result == b"writes"
    loaded = d.load(cp="cp-0")
    assert loaded is not None
    assert {t.tid: t.result for t in loaded.left or ()} == {"a": b"<" + item + b">", "b": b"writes"}
    d.client.hdel(d.thread.checkpoints, f"{Field.channel}|c@1")
    loaded = d.load(cp="cp-0")
    assert loaded is not None
    assert {t.tid: t.result for t in loaded.left or ()} == {"a": b"", "b": b"writes"}


def updated(d: Driver, *done: tuple[str, bytes]) -> None:
    """Put a checkpoint on the thread in place of what these tasks would have brought."""
    new = superstep("cp-1").checkpoints
    update = commands.update(d.thread, new, expect="cp-0", ep=nonce(), waiting=False, done=done)
    assert d.ledger.call(update).status == "ok"


def what_a_caller_wrote_for_a_task_is_its_result(d: Driver) -> None:
    ep = d.started("a", "b", "c")
    d.claim(ep, "a", "b", "c")
    d.complete(ep, "a")
    d.ask(ep, "b", "q1")
    d.ledger.cancel(d.thread, "", ep=nonce())
    updated(d, ("b", b"instead"), ("c", b"also"))
    found = {task.tid: task for task in left(d) or ()}
    assert {tid: task.result for tid, task in found.items()} == {
        "a": b"writes", "b": b"instead", "c": b"also",
    }  # fmt: skip
    assert [each.blob for each in found["b"].asked] == [b"question"]
    assert (found["a"].asked, found["c"].asked, found["c"].answers) == ((), (), ())


def so_it_is_where_nothing_was_left(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="stop"))
    updated(d, ("a", b"instead"))
    assert left(d) == (LeftTask("a", b"instead"),)


def so_it_is_beside_a_large_superstep(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "a", blob=b"x" * (Limit.left_bytes + 1))
    d.ledger.cancel(d.thread, "", ep=nonce())
    updated(d, ("b", b"instead"))
    assert (left(d), large(d)) == (None, {"a", "b"})


def the_tasks_of_a_wide_superstep_are_not_gone_through(d: Driver) -> None:
    tids = [f"t{number}" for number in range(Limit.slice)]
    ep = d.started(*tids)
    d.claim(ep, tids[0])
    d.fail(ep, tids[0])
    d.start(superstep("cp-1", outcome="end"), "run-2", "cp-0")
    assert left(d) == ()


GUARDS = (
    Guard(
        what_the_only_task_of_a_superstep_left_stays,
        "left.lua",
        "passed or at_rest and",
        "at_rest and",
    ),
    Guard(
        much_of_the_only_task_of_a_superstep_has_a_key,
        "finish.lua",
        "#bytes <= LIMIT.left_bytes and ",
        "",
    ),
    Guard(
        what_the_only_task_of_a_superstep_sent_stays,
        "finished.lua",
        "if passed then keep_packets(ns, result[RESULT.packets])",
        "if passed then",
    ),
    Guard(
        what_a_result_shares_with_a_value_is_stored_once,
        "drop.lua",
        "take_left(ns, at_rest, committed, passed)",
        "take_left(ns, at_rest, nil, passed)",
    ),
    Guard(
        what_a_result_shares_with_a_value_is_stored_once,
        "left.lua",
        "    if first then\n",
        "    if false then\n",
    ),
    Guard(
        what_a_caller_wrote_for_a_task_is_its_result,
        "update.lua",
        "if #A.done > 0 then add_left('', A.done) end\n",
        "",
    ),
    Guard(
        what_a_caller_wrote_for_a_task_is_its_result,
        "left.lua",
        "  for i = 1, #rows, width do at[rows[i - 1 + LEFT.tid]] = i - 1 end\n",
        "",
    ),
    Guard(
        what_a_caller_wrote_for_a_task_is_its_result,
        "left.lua",
        "      if rows[i + LEFT.result] ~= '' then",
        "      if false then",
    ),
    Guard(
        so_it_is_where_nothing_was_left, "left.lua", "  if #rows > 0 then\n", "  if false then\n"
    ),
    Guard(
        so_it_is_beside_a_large_superstep,
        "left.lua",
        "    if text == '' then call('HSET', P .. KEY.left .. name, tid, result)\n    elseif",
        "    if",
    ),
    Guard(
        the_tasks_of_a_wide_superstep_are_not_gone_through,
        "left.lua",
        "(plain or call('HLEN', tasks) > LIMIT.slice)",
        "plain",
    ),
    Guard(
        results_stay_when_they_are_committed,
        "drop.lua",
        "  if left then call",
        "  if false then call",
    ),
    Guard(
        a_failure_stays_beside_what_was_done,
        "left.lua",
        "kind == TASK_FIELD.error and value == ''",
        "false",
    ),
    Guard(
        a_failure_stays_beside_what_was_done,
        "left.lua",
        " and call('HGET', H, HEADER.status) ~= STATUS.error",
        "",
    ),
    Guard(
        a_large_error_stands_in_the_runs_record_alone,
        "left.lua",
        "    if kind == TASK_FIELD.error and #value > LIMIT.record then value = '' end\n",
        "",
    ),
    Guard(
        a_question_that_was_given_up_stays,
        "left.lua",
        "call('EXISTS', asking) == 0\n      and ",
        "",
    ),
    Guard(
        questions_stay_with_who_answered_them,
        "left.lua",
        "call('HEXISTS', tasks, TASK_FIELD.answered) == 0 and ",
        "",
    ),
    Guard(
        questions_stay_with_who_answered_them,
        "again.lua",
        "    note_asked(ns, said, tid, each.questions)\n",
        "",
    ),
    Guard(
        a_question_that_was_asked_again_stays_once,
        "again.lua",
        "  else call('HSET', key, TASK_FIELD.asked_again .. tid, asked) end\n",
        "  end\n",
    ),
    Guard(
        a_question_that_was_asked_again_stays_once,
        "left.lua",
        "row(tid)[LEFT.asked] = row(tid)[LEFT.asked] .. value",
        "row(tid)[LEFT.asked] = ''",
    ),
    Guard(
        what_was_asked_before_an_answer_gives_way,
        "again.lua",
        "    call('HDEL', key, TASK_FIELD.asked_again .. tid)\n",
        "",
    ),
    Guard(
        questions_stay_with_who_answered_them,
        "finished.lua",
        "    for _, question in ipairs(questions) do question[QUESTION.asked] = now() end\n",
        "",
    ),
    Guard(
        what_waited_is_left_when_the_thread_moves_on,
        "left.lua",
        "at_rest and at_rest[KEY.writes]\n    or call",
        "call",
    ),
    Guard(
        what_waited_is_left_when_the_thread_moves_on,
        "left.lua",
        "  if at_rest then return at_rest[KEY.tasks] end\n",
        "",
    ),
    Guard(
        at_the_head_nothing_counts_that_was_given_up,
        "loaded.lua",
        "(over or not head) and cget(FIELD.left",
        "cget(FIELD.left",
    ),
    Guard(
        a_large_superstep_keeps_its_key,
        "left.lua",
        " or some and call('HLEN', P .. KEY.writes .. ns) > LIMIT.left_fields",
        "",
    ),
    Guard(
        a_large_superstep_keeps_its_key, "left.lua", "    call('SADD', P .. KEY.wide, name)\n", ""
    ),
    Guard(
        a_large_superstep_keeps_its_key,
        "delete.lua",
        "do call('UNLINK', P .. KEY.left .. name) end",
        "do end",
    ),
    Guard(a_superstep_of_much_keeps_its_key, "left.lua", "size > LIMIT.left_bytes or ", ""),
    Guard(
        what_was_left_goes_with_its_checkpoint,
        "forget.lua",
        "  if name then forget_left(name) end\n",
        "",
    ),
    Guard(what_was_left_goes_with_the_head, "forget.lua", "    forget_left(left_name(ns))\n", ""),
    Guard(
        a_saver_takes_what_was_left_into_its_log,
        "put_writes.lua",
        " or not at_head and cget(left)",
        "",
    ),
    Guard(a_saver_takes_what_was_left_into_its_log, "put_writes.lua", "forget_left(at)\n", ""),
)
