"""Guards of frames inside tasks: who may store in them, what names them, what goes with them."""

from __future__ import annotations

from functools import partial

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import checkpoint_field
from checkpoint_redis.layout import HeaderField
from checkpoint_redis.readings import Loaded
from checkpoint_redis.records import InnerEntry, NewHead
from distgraph.checkpoint import formats
from tests.support.frame_driver import Frame
from tests.support.guards import Guard
from tests.support.guards.savers import entry, header, put
from tests.support.thread_driver import Driver, nonce

INNER = FrameName("node:a")
DEEPER = FrameName("node:a|1|leaf:b", "leaves", "f1")


def keep(  # noqa: PLR0913 - a default for each
    d: Driver,
    ep: str,
    *cps: str,
    tok: str = "t",
    seen: str | None = None,
    new_ep: str = "",
    frame: FrameName = INNER,
    at: str = "",
    records: tuple[bytes, ...] = (),
) -> bool:
    """Store checkpoints of a graph called in task a, after records at the checkpoint `at`."""
    seen = inner(d, frame=frame).header.ep if seen is None else seen
    what = InnerEntry(frame, seen, at, records, tuple(map(entry, cps)))
    return d.ledger.inner(d.thread, ep, "a", what, tok=tok, new_ep=new_ep or nonce()) == "ok"


def inner(d: Driver, cp: str = "", frame: FrameName = INNER) -> Loaded:
    found = d.ledger.load(d.thread, frame.hash, cp)
    assert found is not None
    return found


def running(d: Driver, *others: str) -> str:
    ep = d.started("a", *others)
    d.claim(ep, "a", *others)
    return ep


def names(d: Driver) -> set[str]:
    return set(d.ledger.call(commands.frames(d.thread)).values())


def fields(d: Driver, prefix: str) -> list[str]:
    return [
        f.decode() for f in d.client.hkeys(d.thread.checkpoints) if f.startswith(prefix.encode())
    ]


# --- who may store ------------------------------------------------------------------------------


def an_attempt_keeps_what_a_graph_in_it_did(d: Driver) -> None:
    ep = running(d)
    assert keep(d, ep, "in-0", "in-1")
    assert keep(d, ep, "in-2", at="in-1", records=(b"one", b"two"))
    found = inner(d)
    assert (found.header.cp, found.checkpoint, found.channels) == (
        "in-2",
        b"in-2",
        {"c@in-2": b"value"},
    )
    assert (found.header.ep, found.header.step, found.log) != ("", 0, (b"one", b"two"))
    assert inner(d, "in-1").log == (b"one", b"two")
    assert header(d).cp == "cp-0"
    assert header(d).ep == ep


def a_late_attempt_keeps_nothing(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    d.pass_time(10**6)
    d.sweep()
    assert not keep(d, ep, "in-1")
    d.claim(ep, "a", tok="t2")
    assert not keep(d, ep, "in-1")
    assert not keep(d, ep, at="in-0", records=(b"late",))
    assert (inner(d).header.cp, inner(d).log) == ("in-0", ())
    assert keep(d, ep, "in-1", tok="t2")


def what_is_kept_follows_what_is_stored(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0", new_ep="e0")
    assert not keep(d, ep, "in-2", seen="e1")
    assert not keep(d, ep, "in-2", seen="")
    assert keep(d, ep, "in-1", seen="e0")
    assert inner(d).header.cp == "in-1"


def a_failed_attempt_keeps_nothing_more(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    d.fail(ep, "a", retry_in_ms=10_000)
    assert not keep(d, ep, "in-1")


def an_attempt_of_a_superstep_that_is_over_keeps_nothing(d: Driver) -> None:
    ep = running(d)
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert not keep(d, ep, "in-0")
    assert names(d) == set()
    assert not keep(d, "another", "in-0")


def a_sibling_that_failed_lets_the_others_keep(d: Driver) -> None:
    ep = running(d, "b")
    d.fail(ep, "b")
    assert d.status == "error"
    assert keep(d, ep, "in-0")


def what_is_kept_again_is_known(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    assert keep(d, ep, at="in-0", records=(b"one",), new_ep="e")
    assert keep(d, ep, at="in-0", records=(b"one",), seen="before", new_ep="e")
    assert inner(d).log == (b"one",)


def who_is_too_old_keeps_nothing(d: Driver) -> None:
    ep = running(d)
    d.client.hset(d.thread.header, HeaderField.form, formats.FORMAT + 1)
    assert not keep(d, ep, "in-0", seen="")
    assert names(d) == set()


def what_is_kept_notes_its_form(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    d.client.hdel(d.thread.header, HeaderField.form)
    keep(d, ep, at="in-0", records=(b"one",))
    assert header(d).format == formats.FORMAT


# --- names --------------------------------------------------------------------------------------


def a_frame_says_where_it_is(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0", frame=DEEPER)
    assert names(d) == {DEEPER.name}
    known = d.client.hgetall(d.thread.frame(DEEPER.hash))
    told = {
        field: known[field.encode()].decode()
        for field in ("name", "parent", "task", "path", "graph", "fp")
    }
    assert told == {
        "name": "node:a|1|leaf:b",
        "parent": FrameName("node:a|1").hash,
        "task": "b",
        "path": "node|leaf",
        "graph": "leaves",
        "fp": "f1",
    }


def a_claim_in_a_frame_is_for_its_graph(d: Driver) -> None:
    frame = Frame(d, INNER.name)
    frame.park(running(d), "b")
    claim = partial(
        d.ledger.claim, d.thread, frame.hash, frame.ep, ("b",), tok="t", owner="w", lease_ms=1_000
    )
    refused = claim(served=("graph@1",))
    assert (refused.status, refused.graph, refused.fp) == ("unserved", "inner", "2")
    refused = claim(served=("inner@2",))
    assert (refused.status, refused.graph, refused.fp) == ("unserved", "graph", "1")
    assert claim(served=("inner@2", "graph@1")).status == "ok"


def a_frame_of_a_saver_says_where_it_is(d: Driver) -> None:
    put(d, "cp-0")
    put(d, "in-0", INNER.name)
    assert names(d) == {INNER.name}
    assert d.client.hget(d.thread.frame(INNER.hash), "path") == b"node"
    assert d.client.exists(d.thread.frame("")) == 0


def a_frame_has_a_head_of_its_own(d: Driver) -> None:
    put(d, "cp-5")
    put(d, "cp-3", INNER.name)
    put(d, "cp-4", INNER.name)
    assert (header(d).cp, inner(d).header.cp) == ("cp-5", "cp-4")
    put(d, "cp-2", INNER.name)
    assert inner(d).header.cp == "cp-4"


# --- what goes with what ------------------------------------------------------------------------


def a_thread_is_deleted_with_its_frames(d: Driver) -> None:
    ep = running(d)
    keep(d, ep, "in-0")
    keep(d, ep, "in-0", frame=DEEPER)
    d.ledger.delete(d.thread)
    assert d.stored() <= {"e"}
    assert d.stored() == set()


def a_frame_without_checkpoints_is_forgotten(d: Driver) -> None:
    put(d, "cp-0")
    put(d, "in-0", INNER.name)
    put(d, "in-0", DEEPER.name, ep="e")
    gone = (checkpoint_field(INNER.hash, "in-0"),)
    command = commands.forget(d.thread, gone, (NewHead(INNER.hash),), ep="e", new_ep=nonce())
    assert d.ledger.call(command).status == "ok"
    assert names(d) == {DEEPER.name}
    assert d.client.exists(d.thread.frame(INNER.hash)) == 0
    assert header(d).cp == "cp-0"


def a_log_beside_a_frame_leaves_the_root(d: Driver) -> None:
    ep = running(d)
    d.ask(ep, "a", "q1")
    put(d, "in-0", INNER.name, ep="e")
    command = commands.put_writes(d.thread, INNER.hash, "in-0", (b"log",), asks=False, new_ep="n")
    assert d.ledger.call(command).status == "ok"
    assert (inner(d).log, d.status) == ((b"log",), "interrupted")


GUARDS = (
    Guard(
        an_attempt_of_a_superstep_that_is_over_keeps_nothing,
        "inner.lua",
        "if not task or",
        "if task and",
    ),
    Guard(
        a_late_attempt_keeps_nothing,
        "inner.lua",
        " or task[TASK.token] ~= A.tok then",
        " then",
    ),
    Guard(
        a_failed_attempt_keeps_nothing_more,
        "inner.lua",
        "not task or task[TASK.state] ~= STATE.running or",
        "not task or",
    ),
    Guard(
        who_is_too_old_keeps_nothing,
        "inner.lua",
        "fence(A.ns, A.ep, BUSY_OR_ERROR)",
        "true",
    ),
    Guard(a_sibling_that_failed_lets_the_others_keep, "inner.lua", "BUSY_OR_ERROR)", "BUSY)"),
    Guard(
        what_is_kept_follows_what_is_stored,
        "inner.lua",
        "if ep ~= A.seen then return REPLY.conflict end\n",
        "",
    ),
    Guard(
        what_is_kept_again_is_known, "inner.lua", "if ep == A.new_ep then return REPLY.ok end\n", ""
    ),
    Guard(
        what_is_kept_again_is_known,
        "inner.lua",
        "call('HSET', frame_key(A.inner), FRAME.epoch, A.new_ep)\n",
        "",
    ),
    Guard(what_is_kept_notes_its_form, "inner.lua", "  note_form(FORMAT.newest)\n", ""),
    Guard(
        a_frame_says_where_it_is,
        "inner.lua",
        "if ep == '' then list_frame(A.inner, A.frame) end",
        "",
    ),
    Guard(
        a_frame_says_where_it_is,
        "frames.lua",
        "  call('HSET', P .. KEY.frames, ns, row[FRAME_ROW.name])\n",
        "",
    ),
    Guard(
        a_claim_in_a_frame_is_for_its_graph,
        "lib.lua",
        "  if ns == '' then return call('HMGET', H, unpack(all)) end\n",
        "  if true then return call('HMGET', H, unpack(all)) end\n",
    ),
    Guard(a_frame_of_a_saver_says_where_it_is, "put.lua", "list_frame(A.ns, A.frame)\n", ""),
    Guard(a_frame_of_a_saver_says_where_it_is, "frames.lua", "  if ns == '' then return end\n", ""),
    Guard(
        a_frame_has_a_head_of_its_own,
        "put.lua",
        "if A.ns ~= '' then head = call('HGET', frame_key(A.ns), FRAME.checkpoint) end\n",
        "",
    ),
    Guard(
        a_frame_has_a_head_of_its_own,
        "lib.lua",
        "return ns == '' and H or P .. KEY.frame .. ns end",
        "return H end",
    ),
    Guard(an_attempt_keeps_what_a_graph_in_it_did, "head.lua", "if ns ~= '' then", "if false then"),
    Guard(
        a_thread_is_deleted_with_its_frames,
        "delete.lua",
        "forget_some_frames(math.ceil(most / 2))\n",
        "",
    ),
    Guard(
        a_thread_is_deleted_with_its_frames,
        "frames.lua",
        "do forget_frame(found[i]) end",
        "do end",
    ),
    Guard(
        a_frame_without_checkpoints_is_forgotten, "forget.lua", " else forget_frame(ns) end", " end"
    ),
    Guard(
        a_frame_without_checkpoints_is_forgotten,
        "frames.lua",
        "  call('UNLINK', frame_key(ns))\n",
        "",
    ),
    Guard(
        a_frame_without_checkpoints_is_forgotten,
        "frames.lua",
        "  call('HDEL', P .. KEY.frames, ns)\n",
        "",
    ),
    Guard(
        a_log_beside_a_frame_leaves_the_root,
        "put_writes.lua",
        "if A.ns ~= '' then head = call('HGET', frame_key(A.ns), FRAME.checkpoint) end\n",
        "if A.ns ~= '' then opened = true end\n",
    ),
)
