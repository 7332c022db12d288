"""Guards of an adoption: what an older version of the graph still brings counts nothing."""

from __future__ import annotations

from checkpoint_redis.layout import HeaderField, Limit
from checkpoint_redis.replies import Adopted
from tests.support.guards import Guard
from tests.support.guards.results import told
from tests.support.thread_driver import LEASE, Driver, nonce
from tests.support.upgraded import is_refused, upgrade


def adopt(d: Driver, *, ep: str = "", new_ep: str = "", restart: bool = True) -> Adopted:
    header = d.ledger.header(d.thread)
    assert header is not None
    return d.ledger.adopt(
        d.thread, ep=ep or header.ep, new_ep=new_ep or nonce(), fp="2", queue="other",
        restart=restart,
    )  # fmt: skip


def epoch(d: Driver) -> str:
    header = d.ledger.header(d.thread)
    assert header is not None
    return header.ep


def running_attempts_are_void_and_begin_again(d: Driver) -> None:
    ep = d.started("a", "b", "c", "d")
    d.claim(ep, "a", "b", "c")
    d.complete(ep, "a")
    d.fail(ep, "c", retry_in_ms=60_000)
    d.client.delete(d.outboxes_key)
    assert adopt(d) == Adopted("ok", busy=True)
    assert (d.states(), d.due()) == ({"a": "D", "b": "Q", "c": "Q", "d": "Q"}, {"|d"})
    assert d.complete(ep, "b").closing == "gone"
    assert d.complete(epoch(d), "b", tok="other").statuses == ("done",)


def void_attempts_are_told_of(d: Driver) -> None:
    ep = d.started("a", "b", "c")
    d.claim(ep, "a", "b")
    d.fail(ep, "b", retry_in_ms=60_000)
    adopt(d)
    assert [event.payload for event in told(d, "retry")] == [(1, "b", 1, ""), (1, "a", 1, "")]


def an_adopted_thread_is_served_by_the_new_version(d: Driver) -> None:
    d.started("a")
    adopt(d)
    refused = d.claim(epoch(d), "a")
    assert (refused.status, refused.fp) == ("unserved", "2")
    assert d.client.hget(d.thread.header, HeaderField.queue) == b"other"


def a_busy_thread_is_adopted_only_when_it_may_begin_again(d: Driver) -> None:
    ep = d.started("a")
    assert adopt(d, restart=False) == Adopted("busy", run="run")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    assert adopt(d, restart=False) == Adopted("ok")
    assert d.answer("a", "q1").status == "go"


def what_moved_on_is_not_adopted(d: Driver) -> None:
    d.started("a")
    assert adopt(d, ep=nonce()) == Adopted("conflict", head="cp-0")


def a_thread_that_is_not_there_is_not_adopted(d: Driver) -> None:
    d.started("a")
    ep = epoch(d)
    d.ledger.delete(d.thread)
    missing = d.ledger.adopt(d.thread, ep=ep, new_ep=nonce(), fp="2", queue="q", restart=True)
    assert missing == Adopted("missing")
    assert d.stored() == set()


def a_repeated_adoption_is_known_again(d: Driver) -> None:
    ep, new_ep = d.started("a"), nonce()
    first = adopt(d, ep=ep, new_ep=new_ep)
    d.ledger.claim(
        d.thread, "", new_ep, ("a",), tok="t", owner="w", lease_ms=LEASE, served=("graph@2",)
    )
    assert adopt(d, ep=ep, new_ep=new_ep) == first
    assert d.states() == {"a": "R"}


def what_failed_is_left_for_a_retry(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.fail(ep, "a")
    assert adopt(d) == Adopted("ok")
    assert (d.states(), d.due()) == ({"a": "X", "b": "Q"}, set())


def a_reducer_is_void_and_begins_again(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.client.delete(d.due_key, d.outboxes_key)
    assert adopt(d) == Adopted("ok", busy=True, advance=True)
    assert "|a" in d.due()
    claimed = d.ledger.claim_advance(
        d.thread, "", epoch(d), tok="adv-2", lease_ms=LEASE, served=("graph@2",)
    )
    assert claimed.status == "advance"


def of_many_tasks_some_begin_again_when_their_leases_run_out(d: Driver) -> None:
    tids = tuple(f"t{n}" for n in range(Limit.begun_again + 10))
    ep = d.started(*tids)
    d.claim(ep, *tids)
    adopt(d)
    assert list(d.states().values()).count("R") == 10
    d.sweep(after_ms=LEASE + 1)
    assert set(d.states().values()) == {"Q"}


def who_is_too_old_adopts_nothing(d: Driver) -> None:
    ep = d.started("a")
    upgrade(d)
    assert is_refused(d, lambda: adopt_as(d, ep))


def adopt_as(d: Driver, ep: str) -> None:
    d.ledger.adopt(d.thread, ep=ep, new_ep=nonce(), fp="2", queue="q", restart=True)


GUARDS = (
    Guard(
        void_attempts_are_told_of,
        "adopt.lua",
        "      if began then tell_superseded('', tid, task) end\n",
        "",
    ),
    Guard(
        void_attempts_are_told_of,
        "adopt.lua",
        " and task[TASK.state] == STATE.running",
        "",
    ),
    Guard(
        running_attempts_are_void_and_begin_again,
        "adopt.lua",
        "      not_due('', tid, DUE.lease, DUE.back_off)\n",
        "",
    ),
    Guard(
        running_attempts_are_void_and_begin_again,
        "adopt.lua",
        "call('HSET', H, FRAME.epoch, A.new_ep, HEADER",
        "call('HSET', H, HEADER",
    ),
    Guard(
        running_attempts_are_void_and_begin_again,
        "adopt.lua",
        "  if st == STATUS.busy then due_outbox('') end\n",
        "",
    ),
    Guard(
        a_busy_thread_is_adopted_only_when_it_may_begin_again,
        "adopt.lua",
        "  if st == STATUS.busy and not A.restart then return {REPLY.busy, run} end\n",
        "",
    ),
    Guard(
        what_moved_on_is_not_adopted,
        "adopt.lua",
        "  if ep ~= A.ep then return {REPLY.conflict, head or ''} end\n",
        "",
    ),
    Guard(
        a_thread_that_is_not_there_is_not_adopted,
        "adopt.lua",
        "if not st then return {REPLY.missing} end\n",
        "",
    ),
    Guard(
        a_repeated_adoption_is_known_again, "adopt.lua", "if ep ~= A.new_ep then", "if true then"
    ),
    Guard(
        what_failed_is_left_for_a_retry,
        "adopt.lua",
        " and task[TASK.state] ~= STATE.failed then",
        " then",
    ),
    Guard(
        a_reducer_is_void_and_begins_again,
        "adopt.lua",
        "    due('', '', DUE.advance, now() + LIMIT.outbox_ms)\n",
        "",
    ),
    Guard(
        a_reducer_is_void_and_begins_again,
        "adopt.lua",
        "    call('HSET', H, FRAME.advance, ADVANCE.waiting, FRAME.advance_token, '',"
        " FRAME.advances, 0)\n",
        "",
    ),
    Guard(
        of_many_tasks_some_begin_again_when_their_leases_run_out,
        "adopt.lua",
        "n <= LIMIT.begun_again and ",
        "",
    ),
    Guard(who_is_too_old_adopts_nothing, "adopt.lua", "if refused then return refused end\n", ""),
    Guard(
        an_adopted_thread_is_served_by_the_new_version,
        "adopt.lua",
        "HEADER.fingerprint, A.fp, ",
        "",
    ),
    Guard(
        an_adopted_thread_is_served_by_the_new_version, "adopt.lua", ", HEADER.queue, A.queue", ""
    ),
)
