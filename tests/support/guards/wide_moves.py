"""Guards of what is left of a call that was accepted: who moves it, and when it ends."""

from __future__ import annotations

from checkpoint_redis.layout import Limit, ThreadKey
from distgraph.checkpoint.formats import Kind
from tests.support.guards import Guard
from tests.support.newer import RELEASE, newer
from tests.support.thread_driver import Driver, nonce, superstep
from tests.support.upgraded import NEWER, is_refused, noted, upgrade
from tests.support.wide import (
    ROUND,
    asking,
    failed,
    give,
    is_moving,
    keys,
    move,
    moves,
    narrow,
    pair,
    stage,
)

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
        d.pass_time(Limit.outbox_ms + 10)  # due before the other
        seconds, micros = d.client.time()
        d.client.zadd(d.due_key, {f"{d.thread.x}||nobody|l": seconds * 1000 + micros // 1000})
        d.sweep()
        assert "nobody|l" in {each.removeprefix("|") for each in d.due()}


def a_move_that_is_over_is_not_looked_at_again(d: Driver) -> None:
    d.started("a")
    d.client.zadd(d.due_key, {f"{d.thread.x}|||m": 1})
    assert d.sweep() == ()
    assert d.due() == {"|d"}


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
        where_nothing_is_to_be_moved_nothing_is,
        "move.lua",
        "if not move then return {REPLY.gone} end\n",
        "",
    ),
    # --- sweeps
    Guard(
        what_is_left_is_moved_by_sweeps,
        "sweep.lua",
        "  elseif kind == DUE.move then look_move(st, kind, finds_worker('', number))\n",
        "",
    ),
    Guard(
        what_was_accepted_is_moved_though_its_run_failed_and_nobody_calls,
        "sweep.lua",
        "  elseif kind == DUE.move then look_move(st, kind, finds_worker('', number))\n"
        "  elseif kind == DUE.deadline then look_deadline(st, ns, tid, kind)\n"
        "  elseif st ~= STATUS.busy then not_due(ns, tid, kind)\n",
        "  elseif kind == DUE.deadline then look_deadline(st, ns, tid, kind)\n"
        "  elseif st ~= STATUS.busy then not_due(ns, tid, kind)\n"
        "  elseif kind == DUE.move then look_move(st, kind, finds_worker('', number))\n",
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
        "P .. KEY.queued .. ns, P .. KEY.answers .. ns,\n",
        "P .. KEY.queued .. ns,\n",
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
    what_is_alone_while_others_are_moved_commits_not,
    a_retry_waits_for_what_was_accepted,
)
"""What holds by more than one line."""
