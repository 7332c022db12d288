"""Guards of more tasks than one script may ask again, release or try again."""

from __future__ import annotations

from checkpoint_redis.layout import QuestionId, TaskField, TaskId, ThreadKey
from tests.support.guards import Guard
from tests.support.thread_driver import Driver
from tests.support.wide import (
    active,
    asking,
    failed,
    give,
    move,
    moves,
    narrow,
    pair,
    stopped,
)

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


GUARDS = (
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
        a_retry_sees_that_all_is_done,
        "moves.lua",
        "if barrier('', {st = st, advance = ''}, '', 0) == REPLY.advance then",
        "if false then",
    ),
    Guard(
        what_is_done_by_then_is_not_tried_again,
        "again.lua",
        "elseif state == STATE.failed or state == STATE.backing_off or",
        "elseif true or",
    ),
    Guard(
        what_runs_on_gets_time,
        "again.lua",
        "due('', tid, DUE.lease, now() + LIMIT.recheck_ms)",
        "",
    ),
)

WITHOUT_GUARD = (
    what_is_asked_anew_is_not_asked_again,
    asked_again_breakpoints_go_on_with_the_rest,
)
"""What holds by more than one line."""
