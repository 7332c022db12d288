"""Guards of what is open below a task: it is dropped with what is around it."""

from __future__ import annotations

from checkpoint_redis.layout import FrameField
from tests.support.guards import Guard
from tests.support.guards.beneath import deeper
from tests.support.guards.parked import parked
from tests.support.guards.savers import put
from tests.support.thread_driver import Driver, nonce, superstep


def what_is_dropped_goes_with_all_below(d: Driver) -> None:
    _, outer, inner = deeper(d, "x", "y")
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert (outer.keys(), inner.keys(), d.due()) == ({"f:"}, {"f:"}, set())
    assert not {key for key in d.stored() if key[0] in "oy"}
    assert outer.field(FrameField.up) is None


def what_is_left_of_it_is_shown(d: Driver) -> None:
    _, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    frame.complete("x")
    frame.fail("y")
    cp = frame.load().header.cp
    d.ledger.cancel(d.thread, "", ep=nonce())
    (left,) = d.ledger.left(d.thread, frame.hash, (cp,))
    assert left is not None
    assert {task.tid: task.result for task in left} == {"x": b"left", "y": b"error"}


def a_frame_that_began_again_is_not_dropped(d: Driver) -> None:
    _, frame = parked(d, "x")
    prefix = d.thread.prefix
    d.client.rename(f"{prefix}o:", f"{prefix}y:.old")
    d.client.sadd(f"{prefix}y", ".old")
    d.client.zadd(d.due_key, {f"{d.thread.x}||.old|f": 1})
    d.client.hset(f"{prefix}o:", frame.hash, "a")
    d.sweep()
    assert frame.states() == {"x": "Q"}
    assert not {key for key in d.stored() if key[0] == "y"}


def what_is_of_a_superstep_that_is_over_is_not_shown(d: Driver) -> None:
    ep, frame = parked(d, "x")
    d.client.delete(f"{d.thread.prefix}o:")
    assert frame.load().tasks == ()
    d.sweep(10**6)
    planned = [*d.client.zrange(d.due_key, 0, -1), *d.client.zrange(d.outboxes_key, 0, -1)]
    assert not [member for member in planned if frame.hash.encode() in member]
    assert d.claim(ep, "a").status == "busy"


def a_frame_is_opened_anew_where_it_is_over(d: Driver) -> None:
    _, frame = parked(d, "x", "y")
    frame.claim("x")
    frame.complete("x")
    d.client.delete(f"{d.thread.prefix}o:")
    d.ledger.cancel(d.thread, "", ep=nonce())
    ep = d.start(superstep("cp-1", "a"), run="run-2", expect="cp-0").ep
    d.claim(ep, "a", tok="t2")
    assert frame.park(ep, again=(), tok="t2").status == "conflict"
    assert frame.park(ep, "z", tok="t2").status == "parked"
    assert frame.states() == {"z": "Q"}


def a_checkpoint_that_is_put_in_a_frame_drops_what_is_open(d: Driver) -> None:
    ep, frame = parked(d, "x")
    frame.claim("x")
    frame.complete("x", asks=("q",))
    d.claim(ep, "a", tok="t2")
    d.ask(ep, "a", "q", tok="t2")
    put(d, "zz-1", frame.name, ep="put")
    assert (frame.load().header.cp, frame.load().tasks) == ("zz-1", ())
    assert frame.keys() == {"f:"}
    d.answer("a", "q")
    d.claim("put", "a", tok="t3")
    assert frame.park("put", "y", tok="t3").status == "parked"
    assert frame.load().header.frame is not None


def a_thread_is_deleted_with_what_is_open_below(d: Driver) -> None:
    _, outer, inner = deeper(d, "x")
    prefix = d.thread.prefix
    d.client.hset(f"{prefix}y:.old", inner.hash, "b")
    d.client.sadd(f"{prefix}y", ".old")
    d.client.delete(f"{prefix}o:")
    d.ledger.delete(d.thread)
    assert (outer.keys(), inner.keys()) == (set(), set())
    assert d.stored() == set()


GUARDS = (
    Guard(
        what_is_dropped_goes_with_all_below, "drop.lua", "      names[#names + 1] = below[1]\n", ""
    ),
    Guard(what_is_dropped_goes_with_all_below, "drop.lua", "    drop_own(ns)\n", ""),
    Guard(
        what_is_dropped_goes_with_all_below,
        "drop.lua",
        "      call('SREM', P .. KEY.ended, names[n])\n",
        "",
    ),
    Guard(
        what_is_left_of_it_is_shown,
        "left.lua",
        "    or ns == '' and call('EXISTS'",
        "    or call('EXISTS'",
    ),
    Guard(
        a_frame_that_began_again_is_not_dropped,
        "drop.lua",
        "  if is_held(ns) then return cost, {} end\n",
        "",
    ),
    Guard(
        what_is_of_a_superstep_that_is_over_is_not_shown,
        "loaded.lua",
        "head and opens and is_held(ns)",
        "head and opens",
    ),
    Guard(
        what_is_of_a_superstep_that_is_over_is_not_shown,
        "sweep.lua",
        " or not is_held(ns) then not_due",
        " then not_due",
    ),
    Guard(
        a_frame_is_opened_anew_where_it_is_over,
        "park.lua",
        "  if is_open(A.inner) then drop_step(A.inner, following()) end\n",
        "",
    ),
    Guard(
        a_frame_is_opened_anew_where_it_is_over,
        "park.lua",
        "local present = is_held(A.inner) and",
        "local present =",
    ),
    Guard(
        a_checkpoint_that_is_put_in_a_frame_drops_what_is_open,
        "put.lua",
        "  if A.ns ~= '' and cp ~= head and is_open(A.ns) then drop_step(A.ns) end\n",
        "",
    ),
    Guard(
        a_thread_is_deleted_with_what_is_open_below,
        "frames.lua",
        "  if call('EXISTS', P .. KEY.tasks .. ns, P .. KEY.inner .. ns) > 0 then\n",
        "  if false then\n",
    ),
    Guard(
        a_thread_is_deleted_with_what_is_open_below,
        "delete.lua",
        "  call('UNLINK', P .. KEY.aside .. name)\n",
        "",
    ),
)
