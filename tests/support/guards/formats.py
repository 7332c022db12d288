"""Guards of formats: who is too old for a thread changes nothing; what is written is noted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import DueKind, HeaderField, ThreadKey
from checkpoint_redis.records import (
    AnswerEntry,
    Lease,
    NewHead,
    ResultEntry,
    SuperstepEntry,
)
from distgraph.checkpoint import formats
from distgraph.checkpoint.formats import Kind
from distgraph.errors import NewerFormat
from tests.support.guards import Guard
from tests.support.newer import RELEASE, newer
from tests.support.thread_driver import LEASE, Driver, nonce, superstep

NEWER = formats.FORMAT + 1


def upgrade(d: Driver) -> None:
    """Have the thread stored by a newer release."""
    d.client.hset(d.thread.header, HeaderField.form, NEWER)
    d.client.hset(d.thread.header, HeaderField.release, RELEASE)


def noted(d: Driver) -> tuple[int, str]:
    """Return the format of the thread and who wrote it."""
    header = d.ledger.any_header(d.thread)
    assert header is not None
    return header.format, header.release


def all_of(d: Driver) -> list[Any]:
    """Return everything that is stored of the thread, and what is due."""
    keys = sorted(d.client.keys(f"{d.thread.prefix}*"))
    return [*((key, d.client.dump(key)) for key in keys), d.due()]


def is_refused(d: Driver, call: Callable[[], Any]) -> bool:
    """Tell whether a call names the release that is needed, and changes nothing."""
    before = all_of(d)
    with suppress(NewerFormat):
        call()
        return False
    return all_of(d) == before


def asked(d: Driver) -> str:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    return ep


# --- who is too old -------------------------------------------------------------------------------


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


# --- sweepers ------------------------------------------------------------------------------------


def a_sweeper_that_is_too_old_passes_over(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    upgrade(d)
    assert d.sweep(after_ms=LEASE + 1) == ()
    assert d.due() == {"|d", "a|l"}
    with newer():
        assert d.states() == {"a": "R"}
        (found, *_) = d.sweep(after_ms=1)
        assert found.kind is DueKind.lease


def what_is_passed_over_uses_up_no_limit(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    d.pass_time(100_000)
    d.client.zadd(d.due_key, {f"{d.thread.x}||t{n}|l": 1 for n in range(7)})
    other = Driver(d.client, d.thread.namespace, beside(d))
    ep = other.started("b")
    other.claim(ep, "b")
    other.client.delete(d.outboxes_key)
    other.pass_time(50_000)
    found = d.ledger.sweep(d.thread.namespace, d.thread.shard, limit=2, max_lost=3)
    assert [(due.x, due.ep) for due in found.found] == [(other.thread.x, ep)]


def beside(d: Driver) -> str:
    """Return the id of another thread of the same shard."""
    n = 0
    while Driver(d.client, d.thread.namespace, f"other {n}").thread.shard != d.thread.shard:
        n += 1
    return f"other {n}"


def what_is_passed_over_has_an_end(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    d.client.zadd(d.due_key, {f"{d.thread.x}||t{n}|l": 1 for n in range(2_500)})
    d.ledger.sweep(d.thread.namespace, d.thread.shard, limit=500, max_lost=3)
    assert d.client.zcount(d.due_key, 1, 1) == 2_000


def lost_hints_of_a_newer_thread_are_not_looked_for(d: Driver) -> None:
    d.started("a")
    upgrade(d)
    namespace, shard = d.thread.namespace, d.thread.shard
    before = all_of(d)
    d.ledger.overdue(namespace, shard, empty=("queue",))
    assert all_of(d) == before


# --- what is written ------------------------------------------------------------------------------


def a_thread_tells_what_wrote_it(d: Driver) -> None:
    d.started("a")
    assert noted(d) == (formats.FORMAT, formats.release())


def a_change_in_an_older_form_leaves_what_is_noted(d: Driver) -> None:
    with newer(Kind.config):
        ep = d.started("a")
        assert noted(d) == (NEWER, RELEASE)
        d.claim(ep, "a")
        assert noted(d) == (NEWER, RELEASE)


def a_thread_stays_with_older_versions_while_they_can_read_it(d: Driver) -> None:
    with newer(Kind.answer):
        ep = d.started("a")
        d.claim(ep, "a")
        d.complete(ep, "a")
    assert noted(d)[0] == formats.FORMAT


# Changes that write something, after what has to be there: they are told the epoch.


def running(d: Driver) -> str:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    return ep


def queued(d: Driver) -> str:
    return d.started("a")


def closed(d: Driver) -> str:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    return ep


def failed(d: Driver) -> str:
    ep = running(d)
    d.fail(ep, "a")
    return ep


def at_rest(d: Driver) -> str:
    return d.start(superstep("cp-0", outcome="end")).ep


def claims(d: Driver, ep: str) -> None:
    d.claim(ep, "a")


def cancels(d: Driver, _: str) -> None:
    d.ledger.cancel(d.thread, "", ep=nonce())


def commits(d: Driver, ep: str) -> None:
    d.commit(ep, superstep("cp-1", "b"))


def starts(d: Driver, _: str) -> None:
    d.start(superstep("cp-1", "a"), "run-2", "cp-0")


def ends(d: Driver, ep: str) -> None:
    d.commit(ep, superstep("cp-1", outcome="end"))


def starts_with_writes(d: Driver, _: str) -> None:
    tasks = superstep("", "a").tasks
    d.start(SuperstepEntry(nonce(), (), tasks, "go", caller_writes=(b"w",)), "run-2", "cp-0")


def answers_with_writes(d: Driver, _: str) -> None:
    pair = AnswerEntry("", "a", "q1", b"yes")
    d.ledger.answer(d.thread, "run-2", "resume", (pair,), rnd=nonce(), caller_writes=(b"w",))


def asks_again(d: Driver, _: str) -> None:
    d.ledger.answer(d.thread, "run-2", "reask", rnd=nonce(), cfg=b"new")


def answers(d: Driver, _: str) -> None:
    d.answer("a", "q1")


def completes(d: Driver, ep: str) -> None:
    d.complete(ep, "a")


def asks(d: Driver, ep: str) -> None:
    result = ResultEntry("a", "", b"w", questions=(("q", 0),))
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)


def fails_as_the_second(d: Driver, ep: str) -> None:
    d.fail(ep, "b")


def gives_up(d: Driver, ep: str) -> None:
    d.ledger.fail_advance(d.thread, "", ep, advtok="adv", error=b"e")


def puts(d: Driver, _: str) -> None:
    (new,) = superstep("cp-1").checkpoints
    d.ledger.call(commands.put(d.thread, FrameName(), new, ep=nonce()))


def puts_writes(d: Driver, _: str) -> None:
    d.ledger.call(commands.put_writes(d.thread, "", "cp-0", (b"log",), asks=False, new_ep=nonce()))


class Noted(NamedTuple):
    """What is noted when `change` writes a newer form of `kind` after `before`: by `script`."""

    kind: Kind
    before: Callable[[Driver], str]
    change: Callable[[Driver, str], None]
    script: str
    guard: str


def check(noting: Noted) -> Callable[[Driver], None]:
    """Return the check of it, with a name that says which it is."""

    def keeps(d: Driver) -> None:
        ep = noting.before(d)
        assert noted(d)[0] == formats.FORMAT
        with newer(noting.kind):
            noting.change(d, ep)
            assert noted(d) == (NEWER, RELEASE)

    keeps.__name__ = f"it_is_noted_what_{noting.change.__name__}_as_{noting.kind.name}"
    return keeps


WRITTEN = "if #{}.caller_writes > 0 then note_form(FORMAT.result) end\n"
NOTED = (
    Noted(Kind.row, queued, claims, "task", "  note_form(FORMAT.row)\n"),
    Noted(Kind.event, running, cancels, "event", "  note_form(FORMAT.event)\n"),
    Noted(Kind.checkpoint, closed, commits, "checkpoints", "  note_form(FORMAT.checkpoint)\n"),
    Noted(Kind.task, closed, commits, "new_tasks", "FORMAT.task"),
    Noted(Kind.row, closed, commits, "new_tasks", ", FORMAT.row"),
    Noted(Kind.config, at_rest, starts, "start", "note_form(FORMAT.config)\n"),
    Noted(Kind.config, asked, asks_again, "answer", "  note_form(FORMAT.config)\n"),
    Noted(Kind.run, closed, ends, "runs", "  note_form(FORMAT.run)\n"),
    Noted(Kind.answer, asked, answers, "answer", "    note_form(FORMAT.answer)\n"),
    Noted(Kind.result, running, completes, "finished", "  note_form(FORMAT.result)\n"),
    Noted(Kind.question, running, asks, "finished", "    note_form(FORMAT.question)\n"),
    Noted(Kind.result, failed, fails_as_the_second, "failing", "  note_form(FORMAT.result)\n"),
    Noted(Kind.result, closed, gives_up, "ending", "      note_form(FORMAT.result)\n"),
    Noted(Kind.result, at_rest, starts_with_writes, "caller_writes", WRITTEN.format("s")),
    Noted(Kind.result, asked, answers_with_writes, "answer", WRITTEN.format("A")),
    Noted(Kind.saved, at_rest, puts, "put", "note_form(FORMAT.saved)\n"),
    Noted(Kind.log, at_rest, puts_writes, "put_writes", "note_form(FORMAT.newest)\n"),
)
REFUSED = "if refused then return refused end\n"

GUARDS = (
    *(
        Guard(
            check(each),
            f"{each.script}.lua",
            each.guard,
            "0" if each.guard == "FORMAT.task" else "",
        )
        for each in NOTED
    ),
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
            (a_reader_that_is_too_old_reads_no_outcome, "outcome"),
            (a_reader_that_is_too_old_reads_no_checkpoints, "values"),
            (a_reader_that_is_too_old_reads_no_packets, "packets"),
            (a_reader_that_is_too_old_lists_no_checkpoints, "history"),
            (a_maintainer_that_is_too_old_lists_no_fields, "fields"),
            (a_reader_that_is_too_old_reads_no_part, "part"),
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
    Guard(
        a_sweeper_that_is_too_old_passes_over,
        "sweep.lua",
        "if needed(number) then",
        "if false then",
    ),
    Guard(
        what_is_passed_over_uses_up_no_limit,
        "sweep.lua",
        "    due(ns, tid, kind, now() + 1)\n",
        "",
    ),
    Guard(
        what_is_passed_over_uses_up_no_limit,
        "sweep.lua",
        "elseif newer then passed = passed + 1 end",
        "end",
    ),
    Guard(what_is_passed_over_has_an_end, "sweep.lua", " or looked >= LIMIT.passed", ""),
    Guard(
        lost_hints_of_a_newer_thread_are_not_looked_for,
        "overdue.lua",
        "  if needed(number) then return false end\n",
        "",
    ),
    Guard(
        a_thread_tells_what_wrote_it,
        "format.lua",
        "  call('HSET', H, HEADER.form, number, HEADER.release, FORMAT.release)\n",
        "",
    ),
    Guard(a_change_in_an_older_form_leaves_what_is_noted, "format.lua", "  stored = number\n", ""),
    Guard(
        a_change_in_an_older_form_leaves_what_is_noted,
        "format.lua",
        "  if number <= stored then return end\n",
        "",
    ),
    Guard(
        a_thread_stays_with_older_versions_while_they_can_read_it,
        "format.lua",
        "HEADER.form, number, HEADER",
        "HEADER.form, FORMAT.newest, HEADER",
    ),
)
