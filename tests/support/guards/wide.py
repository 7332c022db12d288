"""Guards of what goes on with more tasks than one script may: accepted at once, then moved."""

from __future__ import annotations

from checkpoint_redis.layout import Limit, QuestionId, TaskField, TaskId, ThreadKey
from checkpoint_redis.records import StagedAnswers
from distgraph.checkpoint.formats import Kind
from tests.support.guards import Guard
from tests.support.newer import RELEASE, newer
from tests.support.thread_driver import Driver, nonce, superstep
from tests.support.upgraded import NEWER, is_refused, noted, upgrade
from tests.support.wide import (
    ROUND,
    ask_twice,
    asking,
    begin,
    failed,
    give,
    is_moving,
    move,
    moves,
    narrow,
    pair,
    stage,
    stopped,
)


def active(d: Driver) -> set[bytes]:
    found: set[bytes] = d.client.smembers(f"{d.thread.prefix}{ThreadKey.active}")
    return found


def keys(d: Driver, *kinds: ThreadKey) -> set[str]:
    """Return which of some keys there are."""
    return {kind.value for kind in kinds} & d.stored()


# --- answers ---


def staged_answers_go_to_their_tasks_slice_by_slice(d: Driver) -> None:
    with narrow():
        ep = asking(d, "a", "b", "c")
        reply = give(d, pair("a"), pair("b"))
        assert (reply.status, reply.hints, reply.moves, reply.run) == ("go", (), True, "run-2")
        assert d.states() == {"a": "I", "b": "I", "c": "I"}
        assert sorted(map(sorted, moves(d))) == [["a"], ["b"]]
        assert d.states() == {"a": "Q", "b": "Q", "c": "I"}
        (given,) = d.claim(ep, "a").tasks
        assert (given.answers, given.rnd) == ((b"answer a1",), ROUND)
        assert active(d) == {b"a", b"b"}


def answers_of_a_task_stay_together_in_their_order(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b")
        d.claim(ep, "a", "b")
        ask_twice(d, ep, "a")
        d.ask(ep, "b", "b1")
        give(d, pair("a", 2), pair("b"), pair("a", 1))
        assert sorted(map(sorted, moves(d))) == [["a"], ["b"]]
        (given,) = d.claim(ep, "a").tasks
        assert given.answers == (b"answer a2", b"answer a1")


def staged_answers_may_join_a_run(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b")
        d.claim(ep, "a", "b")
        d.ask(ep, "a", "a1")
        reply = give(d, pair("a"))
        assert (reply.status, reply.run) == ("joined", "run")
        assert moves(d) == [{"a"}]


def who_answered_many_is_told(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        at = give(d, pair("a"), pair("b")).now
        moves(d)
        loaded = d.load()
        assert loaded is not None
        told = [asked for task in loaded.tasks for asked in task.asked]
        assert [(each.run, each.by, each.at) for each in told] == [("run-2", "ann", at)] * 2


def one_wrong_id_refuses_all(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        refused = give(d, pair("a"), pair("b", 2))
        assert (refused.status, refused.unknown) == ("no_interrupt", "b2")
        assert set(refused.pending) == {"a1", "b1"}
        assert (d.status, is_moving(d)) == ("interrupted", False)


def a_thread_that_asks_nothing_is_given_nothing(d: Driver) -> None:
    assert give_wide(d) == "missing"
    d.start(superstep("cp-0", outcome="end"))
    assert give_wide(d) == "nothing"


def give_wide(d: Driver) -> str:
    with narrow():
        return give(d, pair("a")).status


def what_is_staged_lapses(d: Driver) -> None:
    with narrow():
        asking(d, "a")
        assert stage(d, pair("a")).status == "staged"
        key = f"{d.thread.prefix}{ThreadKey.staged_answers}{ROUND}"
        assert 0 < d.client.pttl(key) <= Limit.staged_ms


def what_has_lapsed_is_not_taken(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        staged = stage(d, pair("a"))
        assert begin(d, StagedAnswers(2, staged.moment)).status == "unstaged"
        assert d.status == "interrupted"
        stage(d, pair("b"), number=1)
        assert begin(d, StagedAnswers(2, staged.moment)).status == "go"


def what_is_accepted_does_not_lapse(d: Driver) -> None:
    with narrow():
        asking(d, "a")
        give(d, pair("a"))
        assert d.client.pttl(f"{d.thread.prefix}{ThreadKey.answers}") == -1


def an_answer_in_between_has_all_staged_anew(d: Driver) -> None:
    asking(d, "a", "b")
    with narrow():
        staged = stage(d, pair("a"))
    d.answer("a", "a1", run="faster")
    with narrow():
        assert begin(d, StagedAnswers(1, staged.moment), run="late").status == "unstaged"


def what_was_staged_for_another_superstep_is_not_taken(d: Driver) -> None:
    with narrow():
        asking(d, "a")
        staged = stage(d, pair("a"))
        d.ledger.cancel(d.thread, "", ep=nonce())
        d.start(superstep("cp-1", "b"), "run-3", "cp-0")
        assert begin(d, StagedAnswers(1, staged.moment)).status == "unstaged"


def a_question_has_one_answer_while_answers_are_moved(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b", "c")
        give(d, pair("a"), pair("b"))
        assert stage(d, pair("b"), rnd="other").refusal is not None
        assert give(d, pair("b"), run="run-3", rnd="other").status == "moving"
        moves(d)
        assert give(d, pair("b"), run="run-3", rnd="other").unknown == "b1"
        assert give(d, pair("c"), run="run-4", rnd="other").status == "joined"


def a_single_answer_waits_while_answers_are_moved(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        give(d, pair("a"), pair("b"))
    assert d.answer("b", "b1", run="run-3").status == "moving"


def a_question_that_comes_meanwhile_is_not_answered(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b")
        d.claim(ep, "a", "b")
        d.ask(ep, "a", "a1")
        give(d, pair("a"))
        d.ask(ep, "b", "b1")
        moves(d)
        assert d.states() == {"a": "Q", "b": "I"}


# --- the barrier, and who moves ---


def nothing_closes_before_all_is_moved(d: Driver) -> None:
    with narrow():
        ep = asking(d, "a", "b")
        give(d, pair("a"), pair("b"))
        (tid,) = (hint.tid for hint in move(d).hints)
        d.claim(ep, tid)
        assert d.complete(ep, tid, rnd=ROUND).closing == "open"
        assert d.status == "busy"
        (other,) = moves(d)
        assert {tid, *other} == {"a", "b"}


def what_is_alone_while_others_are_moved_commits_not(d: Driver) -> None:
    with narrow():
        ep = asking(d, "a", "b")
        d.go_on("reask")
        move(d)
        (tid,) = (tid for tid, state in d.states().items() if state == "Q")
        d.claim(ep, tid)
        rnd = d.claim(ep, tid).tasks[0].rnd
        assert d.finish(ep, tid, superstep("cp-1", "c"), rnd=rnd).closing == "open"  # type: ignore[union-attr]


def what_is_left_is_moved_by_sweeps(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        give(d, pair("a"), pair("b"))
        assert d.sweep() == ()
        found = [hint.tid for due in d.sweep(after_ms=Limit.outbox_ms) for hint in due.hints]
        assert len(found) == 1
        found += [hint.tid for due in d.sweep() for hint in due.hints]
        assert sorted(found) == ["a", "b"]
        assert d.due() == {"|d"}


def a_sweep_goes_on_until_all_is_moved(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        give(d, pair("a"), pair("b"))
        d.pass_time(Limit.outbox_ms)
        namespace, shard = d.thread.namespace, d.thread.shard
        assert d.ledger.sweep(namespace, shard, max_lost=3).more
        d.ledger.sweep(namespace, shard, max_lost=3)
        assert not is_moving(d)


def hints_of_what_nobody_serves_are_not_sent(d: Driver) -> None:
    with narrow():
        asking(d, "a")
        give(d, pair("a"))
        found = d.sweep(after_ms=Limit.outbox_ms, living={"other@1": 1})
        assert [hint for due in found for hint in due.hints] == []
        assert d.states() == {"a": "Q"}


def who_moves_keeps_sweeps_away(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b", "c")
        give(d, pair("a"), pair("b"), pair("c"))
        d.pass_time(Limit.outbox_ms - 1)
        move(d)
        assert d.sweep(after_ms=2) == ()


def what_is_moved_has_its_outbox_looked_at(d: Driver) -> None:
    with narrow():
        asking(d, "a")
        give(d, pair("a"))
        moves(d)
        assert d.due() == {"|d"}


def where_nothing_is_to_be_moved_nothing_is(d: Driver) -> None:
    ep = d.started("a")
    assert (move(d).hints, move(d).moves) == ((), False)
    assert d.claim(ep, "a").status == "ok"


def where_all_is_moved_nothing_more_is(d: Driver) -> None:
    with narrow():
        asking(d, "a")
        give(d, pair("a"))
        assert not move(d).moves
        assert not is_moving(d)


def what_was_accepted_is_moved_though_its_run_failed_and_nobody_calls(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b")
        d.claim(ep, "a", "b")
        d.ask(ep, "a", "a1")
        give(d, pair("a"))
        d.fail(ep, "b")
        d.sweep(after_ms=Limit.outbox_ms)
        assert d.states() == {"a": "Q", "b": "X"}


def a_sweep_moves_one_slice(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        give(d, pair("a"), pair("b"))
        d.pass_time(Limit.outbox_ms)
        seconds, micros = d.client.time()
        d.client.zadd(d.due_key, {f"{d.thread.x}||nobody|l": seconds * 1000 + micros // 1000})
        d.sweep()
        assert "nobody|l" in {each.removeprefix("|") for each in d.due()}


def a_move_that_is_over_is_not_looked_at_again(d: Driver) -> None:
    d.started("a")
    d.client.zadd(d.due_key, {f"{d.thread.x}|||m": 1})
    assert d.sweep() == ()
    assert d.due() == {"|d"}


# --- asked again ---


def what_is_asked_again_is_withdrawn_at_once(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        reply = d.go_on("reask")
        assert (reply.status, reply.hints, reply.moves) == ("go", (), True)
        assert sorted(map(sorted, moves(d))) == [["a"], ["b"]]
        assert d.states() == {"a": "Q", "b": "Q"}
        asked_by_id = f"{TaskField.interrupt}a1"
        assert not d.client.hexists(f"{d.thread.prefix}{ThreadKey.tasks}", asked_by_id)


def what_is_asked_anew_is_not_asked_again(d: Driver) -> None:
    with narrow():
        ep = asking(d, "a", "b")
        d.go_on("reask")
        (tid,) = (hint.tid for hint in move(d).hints)
        rnd = d.claim(ep, tid).tasks[0].rnd
        d.ask(ep, tid, f"{tid}9", rnd=rnd)
        moves(d)
        other = "b" if tid == "a" else "a"
        assert d.states() == {tid: "I", other: "Q"}


def asked_again_breakpoints_go_on_with_the_rest(d: Driver) -> None:
    with narrow():
        stopped(d, "a", "b")
        d.go_on("reask")
        assert sorted(map(sorted, moves(d))) == [["a"], ["b"]]


# --- breakpoints ---


def many_breakpoints_are_released_slice_by_slice(d: Driver) -> None:
    with narrow(moved=2):
        ep = d.started("a", "b", "c", "d")
        d.claim(ep, "a", "b", "c", "d")
        for tid in ("a", "b", "c"):
            d.ask(ep, tid, QuestionId.stopped)
        d.ask(ep, "d", "d1")
        give(d, pair("d"))
        assert sorted(map(sorted, moves(d))) == [["a", "b"], ["c"], ["d"]]
        assert set(d.states().values()) == {"Q"}
        fields = d.client.hkeys(f"{d.thread.prefix}{ThreadKey.tasks}")
        assert not [field for field in fields if field.startswith(TaskField.stopped.encode())]


def a_breakpoint_of_many_is_released_once(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b", "c", "d")
        d.claim(ep, "a", "b", "c", "d")
        d.ask(ep, "a", QuestionId.stopped)
        d.ask(ep, "b", "b1")
        give(d, pair("b"))
        d.ask(ep, "d", QuestionId.stopped)
        moves(d)
        d.claim(ep, "a", tok="again")
        d.ask(ep, "c", "c1")
        give(d, pair("c"), run="run-3", rnd="other")
        assert moves(d) == [{"c"}, {"d"}]
        assert d.states()["a"] == "R"


# --- retries ---


def many_that_failed_are_tried_again_slice_by_slice(d: Driver) -> None:
    with narrow():
        ep = failed(d, "a", "b")
        reply = d.go_on("retry")
        assert (reply.status, reply.hints, reply.moves) == ("go", (), True)
        assert sorted(map(sorted, moves(d))) == [["a"], ["b"]]
        assert d.claim(ep, "a", "b").status == "ok"
        assert active(d) == {b"a", b"b"}


def what_is_done_by_then_is_not_tried_again(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b")
        d.claim(ep, "a", "b")
        d.fail(ep, "a")
        d.go_on("retry")
        assert d.complete(ep, "b").statuses == ("done",)
        moves(d)
        assert d.states() == {"a": "Q", "b": "D"}


def what_runs_on_gets_time(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b")
        d.claim(ep, "a", "b")
        d.fail(ep, "a")
        d.sweep(after_ms=10_000)
        d.go_on("retry")
        moves(d)
        assert d.due() == {"|d", "b|l"}


def a_retry_whose_run_failed_again_leaves_the_rest_to_the_next(d: Driver) -> None:
    with narrow():
        ep = failed(d, "a", "b", "c")
        d.go_on("retry")
        (tid,) = (hint.tid for hint in move(d).hints)
        d.claim(ep, tid)
        d.fail(ep, tid)
        assert moves(d) == [set()]
        assert sorted(d.states().values()) == ["X", "X", "X"]
        d.go_on("retry", run="run-3")
        moves(d)
        assert sorted(d.states().values()) == ["Q", "Q", "Q"]


def a_retry_sees_that_all_is_done(d: Driver) -> None:
    with narrow():
        ep = d.started("a")
        d.claim(ep, "a")
        d.fail(ep, "a")
        d.go_on("retry")
        d.complete(ep, "a", tok="zombie")
        told = [(hint.tid, hint.queue, hint.ep) for hint in move(d).hints]
        assert told == [(TaskId.advance, "queue", ep)]
        assert d.claim_advance(ep).status == "advance"


# --- what ends it ---


def what_was_accepted_is_moved_in_a_run_that_failed(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b", "c")
        d.claim(ep, "a", "b", "c")
        d.ask(ep, "a", "a1")
        d.ask(ep, "b", "b1")
        give(d, pair("a"), pair("b"))
        d.fail(ep, "c")
        assert moves(d) == [set(), set()]
        assert d.states() == {"a": "Q", "b": "Q", "c": "X"}
        assert d.due() == set()


def a_retry_waits_for_what_was_accepted(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b")
        d.claim(ep, "a", "b")
        d.ask(ep, "a", "a1")
        give(d, pair("a"))
        d.fail(ep, "b")
        assert d.go_on("retry", run="run-3").status == "moving"
        moves(d)
        assert [hint.tid for hint in d.go_on("retry", run="run-3").hints] == ["a"]


LEFT = (
    ThreadKey.answers, ThreadKey.withdrawn, ThreadKey.failed, ThreadKey.active, ThreadKey.tasks,
)  # fmt: skip


def nothing_is_left_of_answers_that_are_dropped(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        give(d, pair("a"), pair("b"))
        d.ledger.cancel(d.thread, "", ep=nonce())
        assert keys(d, *LEFT) == set()
        assert d.due() == set()


def nothing_is_left_of_what_was_asked_again(d: Driver) -> None:
    with narrow():
        ep = d.started("a", "b")
        d.claim(ep, "a", "b")
        for tid in ("a", "b"):
            d.ask(ep, tid, f"{tid}1", deadline=10**15)
        d.go_on("reask")
        d.ledger.cancel(d.thread, "", ep=nonce())
        assert keys(d, *LEFT) == set()
        assert d.due() == set()


def nothing_is_left_of_what_was_tried_again(d: Driver) -> None:
    with narrow():
        failed(d, "a", "b")
        d.go_on("retry")
        d.ledger.cancel(d.thread, "", ep=nonce())
        assert keys(d, *LEFT) == set()
        assert d.due() == set()


def many_deadlines_of_what_is_asked_again_are_left_to_sweeps(d: Driver) -> None:
    tids = tuple(f"t{n}" for n in range(Limit.dropped))
    with narrow():
        ep = d.started(*tids)
        d.claim(ep, *tids)
        for tid in tids:
            d.ask(ep, tid, f"{tid}1", deadline=10**15)
        d.go_on("reask")
        d.ledger.cancel(d.thread, "", ep=nonce())
        assert len(d.due()) == len(tids)


# --- formats ---


def who_is_too_old_stages_and_moves_nothing(d: Driver) -> None:
    with narrow():
        asking(d, "a", "b")
        give(d, pair("a"))
        upgrade(d)
        assert is_refused(d, lambda: move(d))
        assert is_refused(d, lambda: stage(d, pair("b"), rnd="other"))


def it_is_noted_what_is_to_be_moved(d: Driver) -> None:
    with narrow():
        asking(d, "a")
        with newer(Kind.row):
            give(d, pair("a"))
            assert noted(d) == (NEWER, RELEASE)


GUARDS = (
    Guard(
        who_is_too_old_stages_and_moves_nothing,
        "move.lua",
        "if refused then return refused end\n",
        "",
    ),
    Guard(
        who_is_too_old_stages_and_moves_nothing,
        "stage_answers.lua",
        "if refused then return refused end\n",
        "",
    ),
    Guard(it_is_noted_what_is_to_be_moved, "moves.lua", "  note_form(FORMAT.row)\n", ""),
    # --- the call
    Guard(staged_answers_go_to_their_tasks_slice_by_slice, "answer.lua", "    wide = true\n", ""),
    Guard(
        staged_answers_go_to_their_tasks_slice_by_slice,
        "answer.lua",
        "  if #chosen == 0 and not wide then",
        "  if #chosen == 0 then",
    ),
    Guard(
        staged_answers_go_to_their_tasks_slice_by_slice,
        "answer.lua",
        "if wide then set_aside() end\n",
        "",
    ),
    Guard(
        staged_answers_go_to_their_tasks_slice_by_slice,
        "answer.lua",
        "local moves = wide or ",
        "local moves = ",
    ),
    Guard(
        staged_answers_go_to_their_tasks_slice_by_slice,
        "answer.lua",
        "if moves then begin_move(said) end\n",
        "",
    ),
    Guard(
        a_single_answer_waits_while_answers_are_moved,
        "answer.lua",
        "if call('HEXISTS', P .. KEY.tasks, TASK_FIELD.move) == 1 then return {REPLY.moving} end\n",
        "",
    ),
    Guard(what_has_lapsed_is_not_taken, "answer.lua", "if not there or moment", "if moment"),
    Guard(
        an_answer_in_between_has_all_staged_anew,
        "answer.lua",
        "if not there or moment(ep) ~= A.moment then",
        "if not there then",
    ),
    Guard(
        an_answer_in_between_has_all_staged_anew,
        "answer.lua",
        "if not retries then call('HSET', P .. KEY.tasks, TASK_FIELD.answered, A.rnd) end\n",
        "",
    ),
    Guard(
        what_was_staged_for_another_superstep_is_not_taken,
        "asks.lua",
        "  return ep .. ' ' .. ",
        "  return ",
    ),
    Guard(
        what_is_accepted_does_not_lapse,
        "answer.lua",
        "    call('PERSIST', P .. KEY.answers)\n",
        "",
    ),
    Guard(
        what_is_asked_again_is_withdrawn_at_once,
        "choosing.lua",
        "  if call('HLEN', P .. KEY.questions) > LIMIT.together then return {}, true end\n",
        "",
    ),
    Guard(
        many_that_failed_are_tried_again_slice_by_slice,
        "choosing.lua",
        "  if call('SCARD', active) - call('SCARD', queued) > LIMIT.together then",
        "  if false then",
    ),
    Guard(
        many_breakpoints_are_released_slice_by_slice,
        "choosing.lua",
        "  if last - first > LIMIT.together then",
        "  if false then",
    ),
    Guard(
        a_breakpoint_of_many_is_released_once,
        "choosing.lua",
        "    call('HSET', key, TASK_FIELD.released, last)\n",
        "",
    ),
    # --- staging
    Guard(
        a_thread_that_asks_nothing_is_given_nothing,
        "stage_answers.lua",
        "if not st then return {REPLY.missing} end\n",
        "",
    ),
    Guard(
        a_thread_that_asks_nothing_is_given_nothing,
        "stage_answers.lua",
        "if st ~= STATUS.interrupted and st ~= STATUS.busy then return {REPLY.nothing, st} end\n",
        "",
    ),
    Guard(
        staged_answers_may_join_a_run,
        "stage_answers.lua",
        "if st ~= STATUS.interrupted and st ~= STATUS.busy then",
        "if st ~= STATUS.interrupted then",
    ),
    Guard(
        a_question_has_one_answer_while_answers_are_moved,
        "stage_answers.lua",
        "if call('HEXISTS', P .. KEY.tasks, TASK_FIELD.move) == 1 then return {REPLY.moving} end\n",
        "",
    ),
    Guard(
        one_wrong_id_refuses_all,
        "stage_answers.lua",
        "if unknown then return {REPLY.no_interrupt, unknown, pending()} end\n",
        "",
    ),
    Guard(
        what_is_staged_lapses,
        "stage_answers.lua",
        "call('PEXPIRE', key, LIMIT.staged_ms)\n",
        "",
    ),
    # --- moving
    Guard(
        nothing_closes_before_all_is_moved,
        "moves.lua",
        "  call('SADD', P .. KEY.active, TID.move)\n",
        "",
    ),
    Guard(
        what_is_left_is_moved_by_sweeps,
        "moves.lua",
        "  write_move(move)\n  due('', '', DUE.move, now() + LIMIT.outbox_ms)\n",
        "  write_move(move)\n",
    ),
    Guard(
        who_moves_keeps_sweeps_away,
        "moves.lua",
        "    write_move(move)\n    due('', '', DUE.move, now() + LIMIT.outbox_ms)\n",
        "    write_move(move)\n",
    ),
    Guard(
        many_breakpoints_are_released_slice_by_slice,
        "moves.lua",
        "    write_move(move)\n",
        "",
    ),
    Guard(
        many_breakpoints_are_released_slice_by_slice,
        "moves.lua",
        "  many('HDEL', key, fields)\n",
        "",
    ),
    Guard(
        many_breakpoints_are_released_slice_by_slice,
        "moves.lua",
        "  move[MOVE.first] = first + count\n",
        "",
    ),
    Guard(
        staged_answers_go_to_their_tasks_slice_by_slice,
        "moves.lua",
        "  call('HDEL', key, number)\n",
        "",
    ),
    Guard(
        answers_of_a_task_stay_together_in_their_order,
        "moves.lua",
        "    if not of[tid] then",
        "    if true then",
    ),
    Guard(
        what_is_asked_again_is_withdrawn_at_once, "moves.lua", "    call('HDEL', key, tid)\n", ""
    ),
    Guard(
        a_retry_whose_run_failed_again_leaves_the_rest_to_the_next,
        "moves.lua",
        "  if st == STATUS.error then call('UNLINK', P .. KEY.failed) end\n",
        "",
    ),
    Guard(
        many_that_failed_are_tried_again_slice_by_slice,
        "moves.lua",
        "    call('SREM', P .. KEY.active, TID.move)\n",
        "",
    ),
    Guard(
        where_all_is_moved_nothing_more_is,
        "moves.lua",
        "    call('HDEL', P .. KEY.tasks, TASK_FIELD.move)\n",
        "",
    ),
    Guard(
        what_is_moved_has_its_outbox_looked_at,
        "moves.lua",
        "    not_due('', '', DUE.move)\n",
        "",
    ),
    Guard(
        what_is_moved_has_its_outbox_looked_at,
        "moves.lua",
        "  if #out > 0 then due_outbox('') end\n",
        "",
    ),
    Guard(
        what_was_accepted_is_moved_in_a_run_that_failed,
        "moves.lua",
        "  if st ~= STATUS.busy then return {} end\n",
        "",
    ),
    Guard(
        a_retry_sees_that_all_is_done,
        "moves.lua",
        "if barrier('', {st = st, advance = ''}, '', 0) == REPLY.advance then",
        "if false then",
    ),
    Guard(
        what_is_done_by_then_is_not_tried_again,
        "again.lua",
        "elseif state == STATE.failed or state == STATE.backing_off then return",
        "else return",
    ),
    Guard(
        what_runs_on_gets_time,
        "again.lua",
        "due('', tid, DUE.lease, now() + LIMIT.recheck_ms)",
        "",
    ),
    Guard(
        where_nothing_is_to_be_moved_nothing_is,
        "move.lua",
        "if not move then return {REPLY.gone} end\n",
        "",
    ),
    # --- sweeps
    Guard(
        what_is_left_is_moved_by_sweeps,
        "sweep.lua",
        "  elseif kind == DUE.move then look_move(st, kind, finds_worker(graph, fp, number))\n",
        "",
    ),
    Guard(
        what_was_accepted_is_moved_though_its_run_failed_and_nobody_calls,
        "sweep.lua",
        "  elseif kind == DUE.move then look_move(st, kind, finds_worker(graph, fp, number))\n"
        "  elseif kind == DUE.deadline then look_deadline(ns, tid, kind)\n"
        "  elseif st ~= STATUS.busy then not_due(ns, tid, kind)\n",
        "  elseif kind == DUE.deadline then look_deadline(ns, tid, kind)\n"
        "  elseif st ~= STATUS.busy then not_due(ns, tid, kind)\n"
        "  elseif kind == DUE.move then look_move(st, kind, finds_worker(graph, fp, number))\n",
    ),
    Guard(
        hints_of_what_nobody_serves_are_not_sent,
        "sweep.lua",
        "found('', kind, '', takes and given or {})",
        "found('', kind, '', given)",
    ),
    Guard(
        what_is_left_is_moved_by_sweeps,
        "sweep.lua",
        "found('', kind, '', takes and given or {})",
        "found('', kind, '', {})",
    ),
    Guard(
        what_is_left_is_moved_by_sweeps,
        "sweep.lua",
        "  if unfinished then due('', '', kind, now()) end\n",
        "",
    ),
    Guard(
        a_sweep_goes_on_until_all_is_moved,
        "sweep.lua",
        "  unfinished = move_under_way() ~= nil\n",
        "  if move_under_way() then due('', '', kind, now()) end\n",
    ),
    Guard(
        a_sweep_moves_one_slice,
        "sweep.lua",
        "  told = LIMIT.hints\n  found('', kind",
        "  found('', kind",
    ),
    Guard(
        a_move_that_is_over_is_not_looked_at_again,
        "sweep.lua",
        "  if not move then return not_due('', '', kind) end\n",
        "",
    ),
    # --- what is dropped
    Guard(
        nothing_is_left_of_answers_that_are_dropped,
        "drop.lua",
        "P .. KEY.answers .. ns, ",
        "",
    ),
    Guard(
        nothing_is_left_of_answers_that_are_dropped,
        "drop.lua",
        "DUE.advance, DUE.move)",
        "DUE.advance)",
    ),
    Guard(
        nothing_is_left_of_what_was_asked_again,
        "drop.lua",
        "P .. KEY.withdrawn .. ns, P .. KEY.failed",
        "P .. KEY.failed",
    ),
    Guard(
        nothing_is_left_of_what_was_tried_again,
        "drop.lua",
        ", P .. KEY.failed .. ns)",
        ")",
    ),
    Guard(
        nothing_is_left_of_what_was_asked_again,
        "drop.lua",
        "  for _, tid in ipairs(call('HKEYS', P .. KEY.withdrawn .. ns)) do "
        "not_due(ns, tid, DUE.deadline) end\n",
        "",
    ),
    Guard(
        many_deadlines_of_what_is_asked_again_are_left_to_sweeps,
        "drop.lua",
        " + call('HLEN', P .. KEY.withdrawn .. ns)",
        "",
    ),
)

WITHOUT_GUARD = (
    who_answered_many_is_told,
    a_question_that_comes_meanwhile_is_not_answered,
    what_is_alone_while_others_are_moved_commits_not,
    what_is_asked_anew_is_not_asked_again,
    asked_again_breakpoints_go_on_with_the_rest,
    a_retry_waits_for_what_was_accepted,
)
"""What holds by more than one line."""
