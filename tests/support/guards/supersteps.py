"""Guards of supersteps: how they are stored, opened, reduced, and what is read of them."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis.layout import Limit, ThreadKey
from checkpoint_redis.records import CheckpointEntry, SuperstepEntry, TaskEntry
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


def closed(d: Driver) -> str:
    """Bring the thread to a barrier that is closed; nobody holds the advance."""
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a", tok2="first")
    d.sweep(after_ms=LEASE + 1)
    return ep


def channels_come_while_there_is_room(d: Driver) -> None:
    blobs = {f"{name}@1": name.encode() * 40_000 for name in "ab"}
    checkpoint = CheckpointEntry("cp", b"cp", 0, tuple(blobs), blobs)
    task = TaskEntry("t", b"t", reads=("a",))
    step = SuperstepEntry(nonce(), (checkpoint,), (task,), "go")
    context = d.claim(d.start(step).ep, "t").context
    assert context is not None
    assert context.channels == {"a@1": b"a" * 40_000, "b@1": None}


def an_advance_is_left_to_those_who_serve_the_graph(d: Driver) -> None:
    ep = closed(d)
    reply = d.ledger.claim_advance(
        d.thread, "", ep, tok="t", lease_ms=LEASE, served=("other@1", "graph@2")
    )
    assert (reply.status, reply.graph, reply.fp) == ("unserved", "graph", "1")


def a_claim_of_the_advance_with_the_same_token_repeats_its_answer(d: Driver) -> None:
    ep = closed(d)
    assert d.claim_advance(ep) == d.claim_advance(ep)
    assert d.claim_advance(ep).status == "advance"


def an_advance_has_a_lease(d: Driver) -> None:
    ep = closed(d)
    d.client.delete(d.due_key, d.outboxes_key)
    d.claim_advance(ep)
    assert d.due() == {"|a"}


def a_commit_of_what_is_not_staged_changes_nothing(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    step = replace(superstep("cp-1"), staged=True)
    assert d.commit(ep, step).status == "unstaged"
    assert d.writes() == {"a": b"writes"}


def what_is_staged_is_looked_for(d: Driver) -> None:
    d.ledger.stage(d.thread, "e", (TaskEntry("a", b"a"), TaskEntry("b", b"b")))
    keys = [f"{d.thread.prefix}{kind}e" for kind in ("S:", "A:", "Q:")]
    assert all(0 < d.client.pttl(key) <= 600_000 for key in keys)
    step = replace(superstep("cp-0", ep="e"), staged=True)
    assert d.start(step).status == "go"
    assert (d.states(), d.due()) == ({"a": "Q", "b": "Q"}, {"|d"})
    kept = [
        f"{d.thread.prefix}{kind}" for kind in (ThreadKey.tasks, ThreadKey.active, ThreadKey.queued)
    ]
    assert [d.client.pttl(key) for key in kept] == [-1, -1, -1]
    assert d.client.exists(*keys) == 0


def a_wide_superstep_begins_with_all_of_its_tasks(d: Driver) -> None:
    tids = [f"t{n}" for n in range(2_500)]
    d.started(*tids)
    assert d.client.scard(f"{d.thread.prefix}{ThreadKey.active}") == len(tids)
    assert d.client.scard(f"{d.thread.prefix}{ThreadKey.queued}") == len(tids)


def a_superstep_begins_with_nothing_of_the_last(d: Driver) -> None:
    ep = closed(d)
    d.claim_advance(ep)
    step = superstep("cp-1", "b")
    d.commit(ep, step, "adv-2")
    header = d.ledger.header(d.thread)
    assert header is not None
    assert (header.ep, header.cp) == (step.ep, "cp-1")
    fields = d.client.hkeys(d.thread.header)
    assert not {b"/adv", b"/advtok", b"/advn", b"/dk", b"/ov"} & set(fields)


def large_pieces_of_a_superstep_are_not_answered(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    assert d.complete(ep, "a", blob=b"x" * 1_048_577).advance is not None
    advance = d.claim_advance(ep, "adv")
    assert (advance.status, advance.writes) == ("advance", None)


WIDE = [f"t{number}" for number in range(Limit.dropped + 1)]


def what_is_due_goes_with_its_superstep(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.ask(ep, "a", "q1", deadline=10**13)
    assert d.due() == {"a|i", "b|l", "|d"}
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert d.due() == set()


def the_leases_of_a_wide_superstep_are_left_to_sweeps(d: Driver) -> None:
    ep = d.started(*WIDE)
    d.claim(ep, *WIDE)
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert d.due() == {f"{tid}|l" for tid in WIDE}
    assert d.sweep(after_ms=LEASE + 1) == ()


def the_deadlines_of_a_wide_superstep_are_left_to_sweeps(d: Driver) -> None:
    ep = d.started(*WIDE)
    d.claim(ep, *WIDE)
    for tid in WIDE:
        d.ask(ep, tid, f"question of {tid}", deadline=1)
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert d.due() == {f"{tid}|i" for tid in WIDE}
    assert d.sweep() == ()


GUARDS = (
    Guard(
        what_is_due_goes_with_its_superstep,
        "drop.lua",
        "    not_due(ns, tid, DUE.lease, DUE.back_off)\n",
        "",
    ),
    Guard(
        what_is_due_goes_with_its_superstep,
        "drop.lua",
        "  for i = 1, #asking, 2 do not_due(ns, asking[i], DUE.deadline) end\n",
        "",
    ),
    Guard(
        the_leases_of_a_wide_superstep_are_left_to_sweeps,
        "drop.lua",
        "call('SCARD', P .. KEY.active .. ns) + call",
        "call",
    ),
    Guard(
        the_leases_of_a_wide_superstep_are_left_to_sweeps,
        "drop.lua",
        "and is_narrow(ns) then tasks_not_due",
        "then tasks_not_due",
    ),
    Guard(
        the_deadlines_of_a_wide_superstep_are_left_to_sweeps,
        "drop.lua",
        "+ call('HLEN', P .. KEY.questions .. ns)",
        "",
    ),
    Guard(channels_come_while_there_is_room, "channels.lua", "    room = room - size\n", ""),
    Guard(
        an_advance_is_left_to_those_who_serve_the_graph,
        "claim_advance.lua",
        "frame and not_served(A.ns, frame, A.served)",
        "nil",
    ),
    Guard(
        a_claim_of_the_advance_with_the_same_token_repeats_its_answer,
        "claim_advance.lua",
        "if frame.advance == ADVANCE.leased and frame.token == A.tok then",
        "if false then",
    ),
    Guard(
        an_advance_has_a_lease,
        "claim_advance.lua",
        "due(A.ns, '', DUE.advance, now() + A.lease)\n",
        "",
    ),
    Guard(
        a_commit_of_what_is_not_staged_changes_nothing,
        "commit.lua",
        "if A.step.staged and not is_staged(A.step.ep) then return {REPLY.unstaged} end\n",
        "",
    ),
    Guard(what_is_staged_is_looked_for, "new_tasks.lua", "  due_outbox(ns)\n", ""),
    Guard(what_is_staged_is_looked_for, "stage.lua", "call('PEXPIRE', key,", "call('TTL', key)--"),
    Guard(what_is_staged_is_looked_for, "open.lua", "    call('PERSIST', P .. to .. ns)\n", ""),
    Guard(
        a_wide_superstep_begins_with_all_of_its_tasks,
        "slices.lua",
        "for i = 1, #list, LIMIT.slice do",
        "for i = 1, #list, 2 * LIMIT.slice do",
    ),
    Guard(
        a_superstep_begins_with_nothing_of_the_last,
        "open.lua",
        "call('HDEL', frame_key(ns), FRAME.advance, FRAME.advance_token, FRAME.advances,",
        "call('HDEL', frame_key(ns),",
    ),
    Guard(
        large_pieces_of_a_superstep_are_not_answered,
        "advance.lua",
        "size <= LIMIT.inline_writes and ",
        "",
    ),
)
