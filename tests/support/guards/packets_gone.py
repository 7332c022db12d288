"""Guards of how packets go: with their superstep, their checkpoint, their thread."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis import commands
from checkpoint_redis.bundles import Bundle, packet_name
from checkpoint_redis.layout import Limit, ThreadKey
from tests.support.guards import Guard
from tests.support.guards.packets import (
    ALL,
    LARGE,
    SMALL,
    STAGED,
    kept,
    named,
    sending,
    sent,
    stage,
)
from tests.support.thread_driver import Driver, nonce, superstep


def many_sent(d: Driver, *, first: int = 0, expect: str = "") -> set[str]:
    """Drop a superstep of which more tasks sent something than one script removes; return it."""
    tids = tuple(f"{n}" for n in range(first, first + Limit.bundles + 1))
    ep = d.start(superstep(f"cp-{first}", *tids), f"run-{first}", expect).ep
    d.claim(ep, *tids)
    for tid in tids:
        sent(d, ep, tid, Bundle(f"bundle {tid}", (b"x", b"y")))
    d.ledger.cancel(d.thread, "", ep=nonce())
    return {f"bundle {tid}" for tid in tids}


def what_a_task_sent_goes_with_its_superstep(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    stage(d, STAGED)
    assert sent(d, ep, "a", *ALL).statuses == ("done",)
    assert kept(d) == {bundle.name for bundle in ALL}
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert (kept(d), named(d)) == (set(), set())
    assert d.stored() == {"h", "c", "e"}


def what_a_task_sent_goes_with_a_superstep_that_waits(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    sent(d, ep, "a", SMALL, LARGE)
    assert d.ask(ep, "b", "q1").closing == "paused"
    assert "p:" not in d.stored()
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert (kept(d), named(d)) == (set(), set())


def a_delete_leaves_no_packets(d: Driver) -> None:
    stage(d, STAGED)
    d.start(sending(*ALL))
    d.ledger.delete(d.thread)
    assert d.stored() == set()


def what_many_tasks_sent_goes_in_looks(d: Driver) -> None:
    first = many_sent(d)
    both = first | many_sent(d, first=1_000, expect="cp-0")
    assert kept(d) == both
    swept = d.ledger.sweep(d.thread.namespace, d.thread.shard, max_lost=3)
    assert (swept.more, len(kept(d))) == (True, len(both) - Limit.bundles)
    for _ in range(3):
        d.sweep()
    assert (kept(d), d.due()) == (set(), set())
    assert not {"g", "p:"} & d.stored()


def what_a_look_leaves_goes_in_the_next(d: Driver) -> None:
    many_sent(d)
    while d.ledger.sweep(d.thread.namespace, d.thread.shard, max_lost=3).more:
        pass
    assert kept(d) == set()


def a_delete_leaves_nothing_of_what_many_sent(d: Driver) -> None:
    many_sent(d)
    assert d.ledger.delete(d.thread).status == "ok"
    assert (d.stored(), d.due()) == (set(), set())


def a_delete_of_many_bundles_goes_on(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    names = [f"j{n}" for n in range(Limit.removed + 1)]
    d.client.sadd(f"{d.thread.prefix}{ThreadKey.bundles}", *names)
    for name in names:
        d.client.hset(f"{d.thread.prefix}{ThreadKey.bundle}{name}", "0", "x")
    assert d.ledger.delete(d.thread).status == "more"
    assert (d.status, d.load() is not None) == ("idle", True)
    assert d.start(superstep("cp-1", outcome="end"), "run-2").status == "end"
    assert d.ledger.delete(d.thread).status == "ok"
    assert d.stored() == set()


def a_delete_of_a_busy_thread_that_goes_on_puts_it_to_rest(d: Driver) -> None:
    d.started("a")
    names = [f"j{n}" for n in range(Limit.removed + 1)]
    d.client.sadd(f"{d.thread.prefix}{ThreadKey.bundles}", *names)
    assert d.ledger.delete(d.thread).status == "more"
    assert (d.status, d.due()) == ("idle", set())


def removing(d: Driver, *bundles: Bundle) -> str:
    """Start with these, and set them aside; return the epoch."""
    stage(d, *bundles)
    ep = d.start(replace(sending(*bundles), tasks=(), outcome="stop")).ep
    sizes = {each.name: len(each.blobs) for each in bundles}
    d.ledger.call(commands.set_aside(d.thread, ".aside", sizes))
    return ep


def forgotten(d: Driver, ep: str) -> str:
    forget = commands.forget(d.thread, (), (), ep=ep, new_ep=nonce(), aside=(".aside",))
    return d.ledger.call(forget).status


def bundles_are_forgotten_with_their_checkpoint(d: Driver) -> None:
    ep = removing(d, *ALL)
    assert forgotten(d, ep) == "ok"
    assert d.ledger.call(commands.discard(d.thread)).status == "more"
    assert (named(d), d.due()) == (set(), set())
    assert d.ledger.call(commands.discard(d.thread)).status == "ok"
    assert d.stored() == {"h", "z", "e"}
    assert not d.ledger.call(commands.packets(d.thread, "", (packet_name(SMALL.name, 0),)))[0]


def bundles_of_a_removal_that_died_go_with_sweeps(d: Driver) -> None:
    ep = removing(d, *ALL)
    assert forgotten(d, ep) == "ok"
    assert d.client.pttl(f"{d.thread.prefix}{ThreadKey.dropped}.aside") == -1
    d.sweep()
    assert (named(d), d.due()) == (set(), set())
    assert not d.ledger.call(commands.packets(d.thread, "", (packet_name(SMALL.name, 0),)))[0]
    loaded = d.load()
    assert loaded is not None
    assert loaded.checkpoint == b"cp-0"


def what_was_set_aside_for_nothing_lapses(d: Driver) -> None:
    removing(d, LARGE)
    assert 0 < d.client.pttl(f"{d.thread.prefix}{ThreadKey.dropped}.aside") <= Limit.staged_ms
    d.sweep()
    assert named(d) == {LARGE.name}


def a_removal_whose_bundles_have_lapsed_begins_anew(d: Driver) -> None:
    ep = removing(d, LARGE)
    d.client.delete(f"{d.thread.prefix}{ThreadKey.dropped}.aside")
    assert forgotten(d, ep) == "conflict"


GUARDS = (
    Guard(what_many_tasks_sent_goes_in_looks, "drop.lua", "not set_sent_aside(ns) and ", ""),
    Guard(
        what_many_tasks_sent_goes_in_looks,
        "sweep.lua",
        "not_due(ns, name, kind) end\n  told = LIMIT.hints\n",
        "not_due(ns, name, kind) end\n",
    ),
    Guard(what_a_look_leaves_goes_in_the_next, "sweep.lua", " or unfinished)", ")"),
    Guard(
        what_many_tasks_sent_goes_in_looks,
        "sweep.lua",
        "  if kind == DUE.unsent then look_unsent(ns, tid, kind)\n  elseif",
        "  if",
    ),
    Guard(
        what_many_tasks_sent_goes_in_looks,
        "packet.lua",
        "  call('SREM', P .. KEY.unsent, name)\n",
        "",
    ),
    Guard(
        what_many_tasks_sent_goes_in_looks,
        "packet.lua",
        "do call('HDEL', key, some[i]) end",
        "do end",
    ),
    Guard(
        what_many_tasks_sent_goes_in_looks,
        "packet.lua",
        "'HRANDFIELD', key, LIMIT.bundles,",
        "'HRANDFIELD', key, 2 * LIMIT.bundles,",
    ),
    Guard(
        a_delete_leaves_nothing_of_what_many_sent,
        "packet.lua",
        "  call('SADD', P .. KEY.unsent, name)\n",
        "",
    ),
    Guard(
        a_delete_leaves_nothing_of_what_many_sent,
        "delete.lua",
        "  call('UNLINK', P .. KEY.dropped .. name)\n",
        "",
    ),
    Guard(
        a_delete_leaves_nothing_of_what_many_sent,
        "delete.lua",
        "  not_due(string.match(name, '^[^.]*'), name, DUE.unsent)\n",
        "",
    ),
    Guard(a_delete_of_many_bundles_goes_on, "delete.lua", "  return {REPLY.more}\n", ""),
    Guard(
        a_delete_of_a_busy_thread_that_goes_on_puts_it_to_rest,
        "delete.lua",
        "  put_to_rest(STATUS.idle)\n",
        "",
    ),
    Guard(
        a_delete_of_many_bundles_goes_on,
        "delete.lua",
        "  call('HDEL', H, FRAME.checkpoint, FRAME.step)\n",
        "",
    ),
    Guard(
        what_a_task_sent_goes_with_its_superstep,
        "drop.lua",
        "  remove_sent(ns, sent)\n",
        "",
    ),
    Guard(
        what_a_task_sent_goes_with_its_superstep,
        "packet.lua",
        "    call('SREM', P .. KEY.bundles, bundle)\n",
        "",
    ),
    Guard(
        what_a_task_sent_goes_with_a_superstep_that_waits,
        "drop.lua",
        "at_rest and at_rest[KEY.sent]\n    or ",
        "",
    ),
    Guard(
        what_a_task_sent_goes_with_a_superstep_that_waits,
        "pack.lua",
        "KEY.inner, KEY.sent}",
        "KEY.inner}",
    ),
    Guard(
        a_delete_leaves_no_packets,
        "delete.lua",
        "remove_bundles(call('SPOP', P .. KEY.bundles, most))\n",
        "",
    ),
    Guard(
        bundles_are_forgotten_with_their_checkpoint,
        "forget.lua",
        "for _, name in ipairs(A.aside) do put_aside(name) end\n",
        "",
    ),
    Guard(
        bundles_are_forgotten_with_their_checkpoint,
        "discard.lua",
        "if remove_some_sent(ns, name) then not_due(ns, name, DUE.unsent) end\n",
        "remove_some_sent(ns, name)\n",
    ),
    Guard(
        bundles_are_forgotten_with_their_checkpoint,
        "packet.lua",
        "  if waits then freeze() end\n",
        "",
    ),
    Guard(
        bundles_of_a_removal_that_died_go_with_sweeps,
        "packet.lua",
        "  call('PERSIST', P .. KEY.dropped .. name)\n",
        "",
    ),
    Guard(
        bundles_of_a_removal_that_died_go_with_sweeps,
        "packet.lua",
        "call('EXISTS', Z) == 1\n  thaw()\n",
        "call('EXISTS', Z) == 1\n",
    ),
    Guard(
        what_was_set_aside_for_nothing_lapses,
        "set_aside.lua",
        "call('PEXPIRE', P .. KEY.dropped .. A.aside, LIMIT.staged_ms)\n",
        "",
    ),
    Guard(
        a_removal_whose_bundles_have_lapsed_begins_anew,
        "forget.lua",
        "== 0 then return {REPLY.conflict",
        "== 2 then return {REPLY.conflict",
    ),
)
