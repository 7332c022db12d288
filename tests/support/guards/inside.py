"""Guards of what is open in frames inside tasks: when it is dropped, and when it goes on."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import Limit
from checkpoint_redis.records import InnerEntry
from tests.support.guards import Guard
from tests.support.guards.frames import fields, inner, keep, running
from tests.support.guards.savers import entry, header, log
from tests.support.thread_driver import Driver, nonce


def what_is_open_inside_is_dropped_with_the_superstep(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    keep(d, ep, "in-1", at="in-0", records=(b"done",))
    keep(d, ep, at="in-1", records=(b"question",))
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert (inner(d).header.cp, inner(d).log) == ("in-1", ())
    assert inner(d, "in-0").log == (b"done",)
    assert "o:" not in d.stored()


def what_is_open_inside_is_dropped_while_it_waits(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    keep(d, ep, at="in-0", records=(b"question",))
    d.ask(ep, "a", "q1")
    assert "o:" not in d.stored()
    assert inner(d).log == (b"question",)
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert inner(d).log == ()


def what_is_open_inside_goes_on_with_its_answer(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    keep(d, ep, at="in-0", records=(b"question",))
    d.ask(ep, "a", "q1")
    d.answer("a", "q1")
    assert inner(d).log == (b"question",)
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert inner(d).log == ()


def open_inside(name: str) -> tuple[InnerEntry, InnerEntry]:
    """Return what leaves a frame with a result at its head."""
    frame, head = FrameName(name), entry("in-0")
    return InnerEntry(frame, "", "", (), (head,)), InnerEntry(frame, "e", "in-0", (b"open",))


def what_is_open_inside_a_wide_superstep_goes_in_looks(d: Driver) -> None:
    ep = running(d)
    count = 2 * Limit.dropped_inside // Limit.dropped_frame
    entries = [each for n in range(count) for each in open_inside(f"node:a|{n + 1}")]
    kept = [
        commands.inner(d.thread, ep, "a", each, tok="t", new_ep=each.seen + "e") for each in entries
    ]
    d.ledger.call(kept[0])  # Redis knows the script
    assert set(d.ledger.together(kept)) == {"ok"}
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert "o:" not in d.stored()
    assert count < len(fields(d, "p|")) < 2 * count
    while d.ledger.sweep(d.thread.namespace, d.thread.shard, max_lost=3).more:
        pass
    assert fields(d, "p|") == []
    assert not {key for key in d.stored() if key[0] in "oy"}


def of_a_long_log_inside_some_records_stay(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    for _ in range(2):
        keep(d, ep, at="in-0", records=(b"record",) * (Limit.slice - 1))
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert inner(d).log == ()
    assert len(fields(d, "p|")) == Limit.slice - 2


def what_moved_on_inside_is_not_open(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    keep(d, ep, at="in-0", records=(b"one",))
    keep(d, ep, "in-1", at="in-0", records=(b"two",))
    assert "o:" not in d.stored()


def a_saver_that_goes_on_keeps_what_is_open_inside(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    keep(d, ep, at="in-0", records=(b"question",))
    d.ask(ep, "a", "q1")
    assert log(d, "cp-0", ep=ep).status == "ok"
    assert inner(d).log == (b"question",)
    assert log(d, "cp-0", ep=header(d).ep).status == "ok"


GUARDS = (
    Guard(
        what_is_open_inside_is_dropped_with_the_superstep,
        "drop.lua",
        "drop_log(ns, call('HGET', frame_key(ns), FRAME.checkpoint) or '', LIMIT.slice)",
        "0",
    ),
    Guard(
        what_is_open_inside_is_dropped_with_the_superstep,
        "drop.lua",
        "  call('RENAME', key, P .. KEY.aside .. name)\n",
        "",
    ),
    Guard(
        what_is_open_inside_is_dropped_with_the_superstep,
        "inner.lua",
        "else call('HSET', P .. KEY.inner .. A.ns, A.inner, A.tid) end",
        "end",
    ),
    Guard(
        what_is_open_inside_is_dropped_while_it_waits,
        "drop.lua",
        "    many('HSET', P .. KEY.inner .. ns, at_rest[KEY.inner])\n",
        "",
    ),
    Guard(
        what_is_open_inside_is_dropped_while_it_waits,
        "pack.lua",
        ", KEY.questions, KEY.inner, KEY.sent}",
        ", KEY.questions}",
    ),
    Guard(
        what_is_open_inside_goes_on_with_its_answer,
        "restore.lua",
        "many('HSET', P .. part .. ns, list)",
        "if part ~= KEY.inner then many('HSET', P .. part .. ns, list) end",
    ),
    Guard(
        what_is_open_inside_a_wide_superstep_goes_in_looks,
        "drop.lua",
        "while names[n] and room > 0 do",
        "while names[n] do",
    ),
    Guard(
        what_is_open_inside_a_wide_superstep_goes_in_looks,
        "drop.lua",
        "    room = room - cost\n",
        "",
    ),
    Guard(
        what_is_open_inside_a_wide_superstep_goes_in_looks,
        "sweep.lua",
        "  elseif kind == DUE.frames then look_frames(ns, tid, kind)\n",
        "",
    ),
    Guard(
        what_is_open_inside_a_wide_superstep_goes_in_looks,
        "sweep.lua",
        "not drop_inner({name})",
        "drop_inner({name})",
    ),
    Guard(
        of_a_long_log_inside_some_records_stay,
        "log.lua",
        "math.min(tonumber(call('HGET', C, name) or 0), most)",
        "tonumber(call('HGET', C, name) or 0)",
    ),
    Guard(
        what_moved_on_inside_is_not_open,
        "inner.lua",
        "call('HDEL', P .. KEY.inner .. A.ns, A.inner)",
        "call('PING')",
    ),
    Guard(
        a_saver_that_goes_on_keeps_what_is_open_inside,
        "put_writes.lua",
        "close_step(A.ns, packed(A.ns))",
        "drop_step(A.ns)",
    ),
)
