"""Guards of more answers than one script may give: staged, then accepted at once."""

from __future__ import annotations

from checkpoint_redis.layout import Limit, ThreadKey
from checkpoint_redis.records import StagedAnswers
from tests.support.guards import Guard
from tests.support.thread_driver import Driver, nonce, superstep
from tests.support.wide import (
    ROUND,
    active,
    ask_twice,
    asking,
    begin,
    give,
    is_moving,
    moves,
    narrow,
    pair,
    stage,
)


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


GUARDS = (
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
)

WITHOUT_GUARD = (
    who_answered_many_is_told,
    a_question_that_comes_meanwhile_is_not_answered,
)
"""What holds by more than one line."""
