"""Guards of runs: how they begin and end, and what is left of those before."""

from __future__ import annotations

from checkpoint_redis import about, events
from checkpoint_redis.about import Sought
from checkpoint_redis.layout import HeaderField, Limit
from checkpoint_redis.records import ResultEntry, SuperstepEntry
from tests.support.guards import Guard
from tests.support.guards.results import told
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


def events_of_the_run_before_the_last_go(d: Driver) -> None:
    d.claim(d.started("a"), "a")
    assert d.emit(blobs=(b"x",) * 500)
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.start(superstep("cp-1", outcome="end"), "run-2", "cp-0")
    assert d.client.xlen(d.thread.events) > 500
    d.start(superstep("cp-2", outcome="end"), "run-3", "cp-1")
    assert d.client.xlen(d.thread.events) < 250


def payloads_of_events_are_bounded(d: Driver) -> None:
    """Those since the last mark but one are kept; a mark is set each time that there are many."""
    d.claim(d.started("a"), "a")
    for number in range(6):
        if number % 2:
            d.client.hset(d.thread.header, HeaderField.event_bytes, Limit.event_bytes)
        d.emit(first=number + 1, blobs=(b"%d" % number,))
    assert [event.blob for event in told(d, "custom")] == [b"3", b"4", b"5"]
    assert d.client.hget(d.thread.header, HeaderField.event_bytes) == b"0"


def a_thread_at_rest_keeps_no_mark_of_its_events(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.client.hset(d.thread.header, HeaderField.event_bytes, Limit.event_bytes)
    d.emit()
    d.fail(ep, "a")
    assert b"evn" in d.client.hkeys(d.thread.header)
    assert not {b"evb", b"evm"} & set(d.client.hkeys(d.thread.header))


def events_expire_only_at_rest(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    result = ResultEntry("a", "", b"w", event=b"x" * 5_000)
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    d.fail(ep, "b")
    assert 0 < d.client.pttl(d.thread.events) <= 300_000
    d.go_on("retry")
    assert d.client.pttl(d.thread.events) == -1


def a_thread_is_listed_by_its_status_alone(d: Driver) -> None:
    ep = d.started("a")
    assert listed(d) == ["busy"]
    d.claim(ep, "a")
    d.fail(ep, "a")
    assert listed(d) == ["error"]
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert listed(d) == ["idle"]


def listed(d: Driver) -> list[str]:
    namespace, shard = d.thread.namespace, d.thread.shard
    found = (
        (status, d.ledger.threads(namespace, shard, Sought((about.by_status(status),)), "", 100))
        for status in ("idle", "busy", "interrupted", "error")
    )
    return [status for status, page in found for each in page.threads if each.x == d.thread.x]


def a_repeated_cancel_is_known_again(d: Driver) -> None:
    d.started("a")
    cancel = [d.ledger.cancel(d.thread, "run", ep=nonce()) for _ in range(2)]
    assert [(each.status, each.run) for each in cancel] == [("cancelled", "run")] * 2


def a_cancel_leaves_a_thread_at_rest_as_it_is(d: Driver) -> None:
    ep = d.start(superstep("cp-0", outcome="end")).ep
    assert d.ledger.cancel(d.thread, "", ep=nonce()).status == "idle"
    header = d.ledger.header(d.thread)
    assert header is not None
    assert header.ep == ep


def a_cancel_renews_the_epoch(d: Driver) -> None:
    d.started("a")
    d.ledger.cancel(d.thread, "", ep="new")
    header = d.ledger.header(d.thread)
    assert header is not None
    assert header.ep == "new"


def a_run_may_end_without_a_checkpoint(d: Driver) -> None:
    assert d.start(SuperstepEntry(nonce(), (), (), "end")).status == "end"
    outcome = d.ledger.outcome(d.thread, "run")
    assert outcome is not None
    assert (outcome.status, outcome.cp) == ("success", "")
    *_, last = d.client.xrange(d.thread.events)
    assert events.decode(last).payload == (1, "success", "")


GUARDS = (
    Guard(
        events_of_the_run_before_the_last_go,
        "begin.lua",
        "  if previous then call('XTRIM', P .. KEY.events, 'MINID', '~', previous) end\n",
        "",
    ),
    Guard(
        payloads_of_events_are_bounded,
        "event.lua",
        "  if size <= LIMIT.event_bytes then return end\n",
        "",
    ),
    Guard(
        payloads_of_events_are_bounded,
        "event.lua",
        "  if oldest then call('XTRIM', P .. KEY.events, 'MINID', oldest) end\n",
        "",
    ),
    Guard(payloads_of_events_are_bounded, "event.lua", ", HEADER.event_bytes, 0)", ")"),
    Guard(
        a_thread_at_rest_keeps_no_mark_of_its_events,
        "status.lua",
        ", HEADER.event_bytes, HEADER.event_mark",
        "",
    ),
    Guard(events_expire_only_at_rest, "begin.lua", "  call('PERSIST', P .. KEY.events)\n", ""),
    Guard(
        events_expire_only_at_rest,
        "status.lua",
        "  call('PEXPIRE', P .. KEY.events, LIMIT.events_ms)\n",
        "",
    ),
    Guard(a_thread_is_listed_by_its_status_alone, "begin.lua", "  stand(STATUS.busy)\n", ""),
    Guard(a_thread_is_listed_by_its_status_alone, "status.lua", "if old and old ~= st", "if false"),
    Guard(
        a_repeated_cancel_is_known_again,
        "cancel.lua",
        "if outcome_of(named) == RUN.cancelled then return {REPLY.cancelled, named} end",
        "",
    ),
    Guard(
        a_cancel_leaves_a_thread_at_rest_as_it_is,
        "cancel.lua",
        "  return {REPLY.idle}\nend\nthaw()",
        "end\nthaw()",
    ),
    Guard(a_cancel_renews_the_epoch, "cancel.lua", "FRAME.epoch, A.ep, HEADER", "HEADER"),
    Guard(a_run_may_end_without_a_checkpoint, "ending.lua", "  cp = cp or ''\n", ""),
)
