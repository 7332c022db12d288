"""Guards of runs: how they begin and end, and what is left of those before."""

from __future__ import annotations

from checkpoint_redis import events
from checkpoint_redis.layout import Field, PayloadField
from checkpoint_redis.records import ResultEntry, SuperstepEntry
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


def ran(d: Driver, number: int, *, keep: int = 200) -> None:
    """Start a run whose task fails, on the head of the run before."""
    head = f"cp-{number - 1}" if number else ""
    step = superstep(f"cp-{number}", "a")
    d.ledger.start(
        d.thread, f"run-{number}", step,
        expect=head, graph="graph", fp="1", queue="queue", keep_outcomes=keep,
    )  # fmt: skip
    d.claim(step.ep, "a")
    d.fail(step.ep, "a")


def an_error_goes_with_its_outcome(d: Driver) -> None:
    for number in range(3):
        ran(d, number, keep=1)
    kept = {field for field in d.client.hkeys(d.thread.checkpoints) if field.startswith(b"oe|")}
    assert kept == {f"{Field.error}run-2".encode()}


def outcomes_are_kept_up_to_the_number(d: Driver) -> None:
    for number in range(3):
        ran(d, number, keep=3)
    assert [d.outcome(f"run-{number}") for number in range(3)] == ["error"] * 3


def events_of_the_run_before_the_last_go(d: Driver) -> None:
    d.claim(d.started("a"), "a")
    assert d.emit(blobs=(b"x",) * 500)
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.start(superstep("cp-1", outcome="end"), "run-2", "cp-0")
    assert d.client.xlen(d.thread.events) > 500
    d.start(superstep("cp-2", outcome="end"), "run-3", "cp-1")
    assert d.client.xlen(d.thread.events) < 250


def payloads_that_are_gone_are_not_looked_for_again(d: Driver) -> None:
    head = ""
    for number in range(4):
        step = superstep(f"cp-{number}", "a")
        d.start(step, f"run-{number}", head)
        result = ResultEntry("a", "", b"w", event=b"x" * 5_000)
        d.claim(step.ep, "a")
        d.ledger.complete(d.thread, "", step.ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
        d.ledger.cancel(d.thread, "", ep=nonce())
        head = f"cp-{number}"
    assert d.client.hget(d.thread.event_blobs, PayloadField.first) == b"3"
    assert sorted(d.client.hkeys(d.thread.event_blobs)) == [b"3", b"4", b"first", b"n"]


def events_expire_only_at_rest(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    result = ResultEntry("a", "", b"w", event=b"x" * 5_000)
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    d.fail(ep, "b")
    streams = (d.thread.events, d.thread.event_blobs)
    assert all(0 < d.client.pttl(key) <= 300_000 for key in streams)
    d.go_on("retry")
    assert [d.client.pttl(key) for key in streams] == [-1, -1]


def a_thread_is_listed_by_its_status_alone(d: Driver) -> None:
    ep = d.started("a")
    assert listed(d) == ["busy"]
    d.claim(ep, "a")
    d.fail(ep, "a")
    assert listed(d) == ["error"]
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert listed(d) == []


def listed(d: Driver) -> list[str]:
    found = (
        (status, d.ledger.threads(d.thread.namespace, d.thread.shard, status, 100))
        for status in ("idle", "busy", "interrupted", "error")
    )
    return [status for status, threads in found for each in threads if each.x == d.thread.x]


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
    assert d.start(SuperstepEntry(nonce(), (), (), "end", 25)).status == "end"
    outcome = d.ledger.outcome(d.thread, "run")
    assert outcome is not None
    assert (outcome.status, outcome.cp) == ("success", "")
    *_, last = d.client.xrange(d.thread.events)
    assert events.decode(last).payload == (1, "run", "success", "")


GUARDS = (
    Guard(
        an_error_goes_with_its_outcome,
        "begin.lua",
        "      call('HDEL', C, FIELD.error .. run)\n",
        "",
    ),
    Guard(
        outcomes_are_kept_up_to_the_number,
        "begin.lua",
        "  if count <= keep then return end\n",
        "",
    ),
    Guard(
        events_of_the_run_before_the_last_go,
        "begin.lua",
        "  if previous then call('XTRIM', P .. KEY.events, 'MINID', '~', previous) end\n",
        "",
    ),
    Guard(
        payloads_that_are_gone_are_not_looked_for_again,
        "begin.lua",
        "  call('HSET', key, PAYLOAD_FIELD.first, previous + 1)\n",
        "",
    ),
    Guard(events_expire_only_at_rest, "begin.lua", "  call('PERSIST', P .. KEY.events)\n", ""),
    Guard(events_expire_only_at_rest, "begin.lua", "  call('PERSIST', P .. KEY.payloads)\n", ""),
    Guard(
        events_expire_only_at_rest,
        "status.lua",
        "  call('PEXPIRE', P .. KEY.events, LIMIT.events_ms)\n",
        "",
    ),
    Guard(
        events_expire_only_at_rest,
        "status.lua",
        "  call('PEXPIRE', P .. KEY.payloads, LIMIT.events_ms)\n",
        "",
    ),
    Guard(a_thread_is_listed_by_its_status_alone, "begin.lua", "  index(st, STATUS.busy)\n", ""),
    Guard(
        a_thread_is_listed_by_its_status_alone,
        "status.lua",
        "if old and old ~= STATUS.idle then",
        "if false then",
    ),
    Guard(
        a_thread_is_listed_by_its_status_alone,
        "status.lua",
        "if new and new ~= STATUS.idle then",
        "if new then",
    ),
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
