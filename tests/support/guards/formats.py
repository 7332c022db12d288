"""Guards of formats: who is too old for a thread reads and changes nothing."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import ThreadKey
from checkpoint_redis.records import Lease, NewHead
from distgraph.errors import NewerFormat
from tests.support.guards import Guard
from tests.support.newer import RELEASE
from tests.support.thread_driver import LEASE, Driver, nonce, superstep
from tests.support.upgraded import NEWER, all_of, is_refused, upgrade


def asked(d: Driver) -> str:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    return ep


def a_worker_that_is_too_old_leaves_the_task_queued(d: Driver) -> None:
    ep = d.started("a")
    upgrade(d)
    before = all_of(d)
    claimed = d.claim(ep, "a")
    assert (claimed.status, claimed.graph, claimed.fp) == ("unserved", "graph", "1")
    assert (claimed.format, claimed.release) == (NEWER, RELEASE)
    assert all_of(d) == before


def a_worker_that_became_too_old_reports_nothing(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    upgrade(d)
    before = all_of(d)
    lease = (Lease(d.thread.x, "", ep, "a", "t"),)
    namespace, shard = d.thread.namespace, d.thread.shard
    assert d.ledger.beat(namespace, shard, lease, lease_ms=LEASE * 2) == (False,)
    assert d.complete(ep, "a").closing == "gone"
    assert d.fail(ep, "b") == "gone"
    released = d.ledger.release(d.thread, "", ep, ("a", "b"), owner="worker", max_lost=3)
    assert released.status == "gone"
    assert all_of(d) == before


def a_reducer_that_is_too_old_leaves_the_advance(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="")
    upgrade(d)
    before = all_of(d)
    refused = d.claim_advance(ep)
    assert (refused.status, refused.format, refused.release) == ("unserved", NEWER, RELEASE)
    assert d.commit(ep, superstep("cp-1", "b"), "").status == "gone"
    assert all_of(d) == before


def a_start_by_who_is_too_old_is_refused(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    upgrade(d)
    assert is_refused(d, lambda: d.start(superstep("cp-1", "a"), "run-2", "cp-0"))
    assert is_refused(d, lambda: d.start(superstep("cp-1", "a")))


def an_answer_by_who_is_too_old_is_refused(d: Driver) -> None:
    asked(d)
    upgrade(d)
    assert is_refused(d, lambda: d.answer("a", "q1"))


def a_cancel_by_who_is_too_old_is_refused(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.cancel(d.thread, "", ep=nonce()))


def an_update_by_who_is_too_old_is_refused(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    upgrade(d)
    new = superstep("cp-1").checkpoints
    assert is_refused(
        d, lambda: d.ledger.update(d.thread, new, expect="cp-0", ep=nonce(), waiting=False)
    )


def a_saver_that_is_too_old_puts_nothing(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    upgrade(d)
    (new,) = superstep("cp-1").checkpoints
    assert is_refused(
        d, lambda: d.ledger.call(commands.put(d.thread, FrameName(), new, ep=nonce()))
    )


def a_saver_that_is_too_old_puts_no_writes(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    upgrade(d)
    put = commands.put_writes(d.thread, "", "cp-0", (b"log",), asks=False, new_ep=nonce())
    assert is_refused(d, lambda: d.ledger.call(put))


def a_saver_that_is_too_old_forgets_nothing(d: Driver) -> None:
    step = superstep("cp-0", outcome="end")
    d.start(step)
    upgrade(d)
    forget = commands.forget(d.thread, ("k||cp-0",), (NewHead(""),), ep=step.ep, new_ep=nonce())
    assert is_refused(d, lambda: d.ledger.call(forget))


def no_event_is_told_by_who_is_too_old(d: Driver) -> None:
    d.claim(d.started("a"), "a")
    upgrade(d)
    assert is_refused(d, d.emit)


def a_reader_that_is_too_old_reads_no_state(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.load(d.thread))
    assert is_refused(d, lambda: d.ledger.header(d.thread))


def a_reader_that_is_too_old_finds_no_question(d: Driver) -> None:
    asked(d)
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.call(commands.asked(d.thread, ("q1",))))


def a_reader_that_is_too_old_reads_no_outcome(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.outcome(d.thread, "run"))


def a_reader_that_is_too_old_reads_no_checkpoints(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.checkpoints(d.thread, "", ("cp-0",)))


def a_reader_that_is_too_old_reads_no_packets(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.call(commands.packets(d.thread, "", ("b.0",))))


def a_reader_that_is_too_old_lists_no_checkpoints(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.history(d.thread, "", "", 9))


def a_maintainer_that_is_too_old_lists_no_fields(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.call(commands.fields(d.thread, 0)))


def a_reader_that_is_too_old_reads_no_part(d: Driver) -> None:
    ep = d.started("a")
    upgrade(d)
    part = commands.open_part(d.thread, "", ep, ThreadKey.tasks, 0)
    assert is_refused(d, lambda: d.ledger.call(part))


def a_reader_that_is_too_old_reads_nothing_of_a_large_superstep(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.large(d.thread, "", "cp-0", 0))


def a_maintainer_that_is_too_old_sets_nothing_aside(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.call(commands.set_aside(d.thread, ".a", {"b": 1})))


def a_maintainer_that_is_too_old_discards_nothing(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.call(commands.discard(d.thread)))


def a_worker_that_is_too_old_shares_nothing(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: d.ledger.call(commands.share(d.thread, "", "cp-0", ())))


def a_thread_in_any_format_can_be_deleted(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    assert d.ledger.delete(d.thread).status == "ok"
    assert d.stored() == set()


def the_release_is_named_that_is_needed(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    told = ""
    try:
        d.ledger.load(d.thread)
    except NewerFormat as error:
        told = str(error)
    assert told.startswith(f"Thread 'thread' is stored in format {NEWER}")
    assert f"distgraph {RELEASE} or newer" in told


REFUSED = "if refused then return refused end\n"

GUARDS = (
    *(
        Guard(keeps, f"{script}.lua", REFUSED, "")
        for keeps, script in (
            (a_start_by_who_is_too_old_is_refused, "start"),
            (an_answer_by_who_is_too_old_is_refused, "answer"),
            (a_cancel_by_who_is_too_old_is_refused, "cancel"),
            (an_update_by_who_is_too_old_is_refused, "update"),
            (a_saver_that_is_too_old_puts_nothing, "put"),
            (a_saver_that_is_too_old_puts_no_writes, "put_writes"),
            (a_saver_that_is_too_old_forgets_nothing, "forget"),
            (no_event_is_told_by_who_is_too_old, "emit"),
            (a_reader_that_is_too_old_reads_no_state, "load"),
            (a_reader_that_is_too_old_finds_no_question, "asked"),
            (a_reader_that_is_too_old_reads_no_outcome, "outcome"),
            (a_reader_that_is_too_old_reads_no_checkpoints, "values"),
            (a_reader_that_is_too_old_reads_no_packets, "packets"),
            (a_reader_that_is_too_old_lists_no_checkpoints, "history"),
            (a_maintainer_that_is_too_old_lists_no_fields, "fields"),
            (a_reader_that_is_too_old_reads_no_part, "part"),
            (a_maintainer_that_is_too_old_sets_nothing_aside, "set_aside"),
            (a_maintainer_that_is_too_old_discards_nothing, "discard"),
            (a_reader_that_is_too_old_reads_nothing_of_a_large_superstep, "large"),
            (a_worker_that_is_too_old_shares_nothing, "share"),
        )
    ),
    Guard(
        a_worker_that_is_too_old_leaves_the_task_queued,
        "fence.lua",
        "if release then",
        "if false then",
    ),
    Guard(
        a_worker_that_became_too_old_reports_nothing,
        "fence.lua",
        "if release then",
        "if false then",
    ),
    Guard(
        a_reducer_that_is_too_old_leaves_the_advance,
        "claim_advance.lua",
        "beyond or frame and",
        "frame and",
    ),
    Guard(
        a_worker_that_is_too_old_leaves_the_task_queued,
        "claim.lua",
        "beyond or frame and",
        "frame and",
    ),
    Guard(
        the_release_is_named_that_is_needed,
        "format.lua",
        "call('HGET', H, HEADER.release) or ''",
        "''",
    ),
    Guard(
        a_thread_in_any_format_can_be_deleted,
        "delete.lua",
        "thaw()\n",
        "if call('HGET', H, HEADER.form) ~= '1' then return {REPLY.missing} end\nthaw()\n",
    ),
)
