"""Guards of the functions that a task calls: which begin, which have ended, what goes with them."""

from __future__ import annotations

from checkpoint_redis.layout import Field
from checkpoint_redis.records import AgainEntry, TaskEntry
from tests.support.calls_driver import Calls
from tests.support.frame_driver import around
from tests.support.guards import Guard
from tests.support.thread_driver import Driver, nonce, superstep

CALLS = "calls.lua"


def waiting(d: Driver, *tids: str) -> tuple[str, Calls]:
    """Start a run with the task a, which is parked for calls with these ids."""
    ep = d.started("a")
    d.claim(ep, "a")
    calls = Calls(d, "node:a|0")
    assert calls.wait(ep, *tids).status == "parked"
    return ep, calls


def ended(calls: Calls, tid: str, *, tok: str = "t") -> list[tuple[str, str]]:
    """Run a call; return the hints of the task around that are given with its result."""
    claimed = calls.claim(tid, tok=tok)
    assert claimed.status == "ok"
    return around(calls.complete(tid, tok=tok, rnd=claimed.tasks[0].rnd).up)


def a_task_goes_on_once_all_of_its_calls_have_ended(d: Driver) -> None:
    ep, calls = waiting(d, "x", "y")
    assert d.states() == {"a": "P"}
    assert ended(calls, "x") == []
    assert ended(calls, "y") == [("", "a")]
    claimed = d.claim(ep, "a", tok="t2")
    assert [task.risen for task in claimed.tasks] == [calls.hash]
    assert calls.load().writes == {"x": b"left", "y": b"left"}


def a_call_is_begun_once(d: Driver) -> None:
    ep, calls = waiting(d, "x", "y")
    for tid in ("x", "y"):
        ended(calls, tid)
    d.claim(ep, "a", tok="t2")
    assert calls.wait(ep, "x", "z", "y", "own", tok="t2").hints == ()
    assert calls.states() == {"x": "D", "y": "D", "z": "Q", "own": "Q"}
    assert {task.tid: task.blob for task in calls.load().tasks if task.st == "Q"} == {
        "z": b"z",
        "own": b"own",
    }


def a_call_that_fails_lets_the_others_run_to_their_end(d: Driver) -> None:
    ep, calls = waiting(d, "x", "y")
    calls.claim("x", "y")
    assert (calls.fail("x").status, calls.fail("x").up) == ("failed", ())
    assert d.states() == {"a": "P"}
    assert around(calls.complete("y").up) == [("", "a")]
    assert d.claim(ep, "a", tok="t2").tasks[0].risen == calls.hash
    assert {task.tid: task.error for task in calls.load().tasks} == {"x": b"error", "y": None}


def questions_of_calls_wait_in_one_text(d: Driver) -> None:
    ep, calls = waiting(d, "x", "y")
    calls.claim("x", "y")
    assert calls.complete("x", asks=("q",)).up == ()
    assert around(calls.complete("y").up) == [("", "a")]
    d.claim(ep, "a", tok="t2")
    d.ask(ep, "a", "q", tok="t2")
    assert calls.keys() == {"f:"}
    answered = d.answer("a", "q")
    d.claim(answered.ep, "a", tok="t3")
    again = (AgainEntry("x", (b"yes",)),)
    down = calls.wait(answered.ep, "y", again=again, tok="t3")
    assert around(down.hints) == [(calls.hash, "x")]
    assert calls.states() == {"x": "Q", "y": "D"}


def calls_are_never_reduced(d: Driver) -> None:
    _, calls = waiting(d, "x")
    calls.claim("x")
    finished = calls.finish("x", superstep("cp-x", "z"))
    assert around(finished.up) == [("", "a")]
    assert calls.claim_advance().status == "gone"
    assert calls.commit("z").status == "gone"
    assert calls.states() == {"x": "D"}


def calls_go_with_the_superstep_of_their_task(d: Driver) -> None:
    ep, calls = waiting(d, "x")
    assert ended(calls, "x") == [("", "a")]
    d.claim(ep, "a", tok="t2")
    d.finish(ep, "a", superstep("cp-2", outcome="end"), tok="t2")
    assert calls.keys() == set()
    left = f"{Field.left}{calls.hash}".encode()
    assert not [name for name in d.client.hkeys(d.thread.checkpoints) if name.startswith(left)]


def many_calls_are_there_beforehand(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    calls, own = Calls(d, "node:a|0"), nonce()
    assert calls.wait(ep, staged=True, ep=own).status == "unstaged"
    d.ledger.stage(d.thread, own, (TaskEntry("x", b"x"),))
    assert calls.wait(ep, staged=True, ep=own).status == "parked"
    assert ended(calls, "x") == [("", "a")]
    d.claim(ep, "a", tok="t2")
    d.ledger.stage(d.thread, own, (TaskEntry("y", b"y"),))
    assert calls.wait(ep, staged=True, ep=own, tok="t2").status == "unstaged"


def what_ran_in_place_stands_among_the_calls(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    calls = Calls(d, "node:a|0")
    assert calls.keep(ep, "here", tok="other") == "gone"
    assert calls.keep(ep, "here") == "ok"
    assert calls.keep(ep, "here") == "ok"
    assert calls.keep(ep, "here", seen="other", new_ep=nonce()) == "conflict"
    assert calls.wait(ep, "x").status == "parked"
    assert calls.states() == {"here": "D", "x": "Q"}
    assert calls.keep(ep, "late") == "gone"
    assert ended(calls, "x") == [("", "a")]
    assert calls.load().writes == {"here": b"here", "x": b"left"}


GUARDS = [
    Guard(
        a_task_goes_on_once_all_of_its_calls_have_ended,
        "barrier.lua",
        "  if is_calls(ns) then\n",
        "  if false then\n",
    ),
    Guard(
        a_call_is_begun_once,
        CALLS,
        " and call('HEXISTS', P .. KEY.tasks .. ns, TASK_FIELD.record .. row[NEW_TASK.id]) == 0",
        "",
    ),
    Guard(a_call_is_begun_once, CALLS, "calls.first + from - 1", "calls.first"),
    Guard(
        a_call_that_fails_lets_the_others_run_to_their_end,
        "failing.lua",
        "  if is_calls(ns) then call('SREM', P .. KEY.active .. ns, tid)\n",
        "  if is_calls(ns) then\n",
    ),
    Guard(
        a_call_that_fails_lets_the_others_run_to_their_end,
        "failing.lua",
        "  if is_calls(ns) then\n",
        "  if false then\n",
    ),
    Guard(
        questions_of_calls_wait_in_one_text,
        "barrier.lua",
        "    if call('HLEN', P .. KEY.questions .. ns) > 0 then pack_step(ns) end\n",
        "",
    ),
    Guard(
        questions_of_calls_wait_in_one_text,
        "park.lua",
        "  restore_step(A.inner)\n  queue_calls",
        "  queue_calls",
    ),
    Guard(calls_are_never_reduced, "finish.lua", " and not is_calls(A.ns)", ""),
    Guard(
        calls_go_with_the_superstep_of_their_task,
        "drop.lua",
        "  if is_calls(ns) then forget_frame(ns) end\n",
        "",
    ),
    Guard(
        calls_go_with_the_superstep_of_their_task,
        "drop.lua",
        "local left = not is_calls(ns) and take_left",
        "local left = take_left",
    ),
    Guard(
        many_calls_are_there_beforehand,
        "park.lua",
        "A.calls.staged and (present or not is_staged(A.calls.ep))",
        "A.calls.staged and not is_staged(A.calls.ep)",
    ),
    Guard(
        many_calls_are_there_beforehand,
        "park.lua",
        "(present or not is_staged(A.calls.ep))",
        "present",
    ),
    Guard(
        what_ran_in_place_stands_among_the_calls, "keep.lua", " or task[TASK.token] ~= A.tok", ""
    ),
    Guard(
        what_ran_in_place_stands_among_the_calls,
        "keep.lua",
        " or task[TASK.state] ~= STATE.running",
        "",
    ),
    Guard(
        what_ran_in_place_stands_among_the_calls,
        "keep.lua",
        "if ep ~= A.seen and ep ~= A.new_ep then return REPLY.conflict end\n",
        "",
    ),
]
