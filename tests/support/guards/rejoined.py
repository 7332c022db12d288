"""Guards of frames that go on with more tasks than one script may queue."""

from __future__ import annotations

from checkpoint_redis.records import AgainEntry
from tests.support.frame_driver import INNER, Frame, around
from tests.support.guards import Guard
from tests.support.thread_driver import Driver

SOME = "rejoin_some.lua"
X, Y = (AgainEntry(tid, (b"yes",)) for tid in "xy")


def answered(d: Driver) -> tuple[str, Frame]:
    """Have the tasks x and y of a graph ask; the task around was answered, and is claimed as t2."""
    ep = d.started("a")
    d.claim(ep, "a")
    frame = Frame(d, INNER)
    frame.park(ep, "x", "y")
    frame.claim("x", "y")
    frame.complete("x", asks=("q",))
    frame.complete("y", asks=("r",))
    d.claim(ep, "a", tok="t1")
    d.ask(ep, "a", "q", tok="t1")
    ep = d.answer("a", "q").ep
    d.claim(ep, "a", tok="t2")
    return ep, frame


def many_go_on_in_slices_once_all_are_queued(d: Driver) -> None:
    ep, frame = answered(d)
    assert frame.rejoin_some(ep, X, tok="t2") == "ok"
    assert frame.states() == {"x": "Q", "y": "I"}
    assert frame.claim("x").status == "gone"
    parked = frame.park(ep, again=(Y,), tok="t2")
    assert sorted(around(parked.hints)) == [(frame.hash, "x"), (frame.hash, "y")]
    assert [task.answers for task in frame.claim("x", "y").tasks] == [(b"yes",), (b"yes",)]


def a_slice_that_is_repeated_answers_once(d: Driver) -> None:
    ep, frame = answered(d)
    assert frame.rejoin_some(ep, X, tok="t2") == "ok"
    assert frame.rejoin_some(ep, X, tok="t2") == "ok"
    frame.park(ep, again=(X, Y), tok="t2")
    assert [task.answers for task in frame.claim("x").tasks] == [(b"yes",)]


def only_the_attempt_that_has_the_task_queues_a_slice(d: Driver) -> None:
    ep, frame = answered(d)
    assert frame.rejoin_some(ep, X, tok="t1") == "gone"
    assert frame.rejoin_some("another", X, tok="t2") == "gone"
    frame.park(ep, again=(Y,), tok="t2")
    assert frame.rejoin_some(ep, X, tok="t2") == "gone"
    assert frame.states() == {"x": "I", "y": "Q"}


def a_slice_is_of_what_was_seen(d: Driver) -> None:
    ep, frame = answered(d)
    assert frame.rejoin_some(ep, X, tok="t2", seen="another") == "conflict"
    assert Frame(d, "node:other").rejoin_some(ep, X, tok="t2") == "conflict"
    assert frame.states() == {"x": "I", "y": "I"}


GUARDS = [
    Guard(many_go_on_in_slices_once_all_are_queued, SOME, "restore_step(A.inner)\n", ""),
    Guard(many_go_on_in_slices_once_all_are_queued, SOME, "queue_rows(A.inner, A.again)\n", ""),
    Guard(
        a_slice_that_is_repeated_answers_once,
        "again_rows.lua",
        "return left or WAITING[task[TASK.state]]",
        "return true",
    ),
    Guard(
        only_the_attempt_that_has_the_task_queues_a_slice, SOME, " or task[TASK.token] ~= A.tok", ""
    ),
    Guard(
        only_the_attempt_that_has_the_task_queues_a_slice,
        SOME,
        " or task[TASK.state] ~= STATE.running",
        "",
    ),
    Guard(
        a_slice_is_of_what_was_seen, SOME, "if ep ~= A.seen then return REPLY.conflict end\n", ""
    ),
]
