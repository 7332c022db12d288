"""What is told to callers of the past, and to those who ask for what does not exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis

from checkpoint_redis import commands
from checkpoint_redis.records import CheckpointEntry, Lease, SuperstepEntry, TaskEntry
from tests.support.thread_driver import LEASE, Driver, nonce, superstep

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def beat(d: Driver, ep: str, tid: str) -> tuple[bool, ...]:
    lease = Lease(d.thread.x, "", ep, tid, "t")
    return d.ledger.beat(d.thread.namespace, d.thread.shard, (lease,), lease_ms=LEASE)


LATE: dict[str, tuple[Callable[[Driver, str], Any], Any]] = {
    "claim": (lambda d, ep: d.claim(ep, "a").status, "gone"),
    "complete": (lambda d, ep: d.complete(ep, "a").closing, "gone"),
    "finish": (lambda d, ep: d.finish(ep, "a", superstep("cp")).status, "gone"),  # type: ignore[union-attr]
    "fail": (lambda d, ep: d.fail(ep, "a"), "gone"),
    "claim_advance": (lambda d, ep: d.claim_advance(ep).status, "gone"),
    "commit": (lambda d, ep: d.commit(ep, superstep("cp")).status, "gone"),
    "fail_advance": (
        lambda d, ep: d.ledger.fail_advance(d.thread, "", ep, advtok="adv", error=b"e"),
        "gone",
    ),
    "release": (
        lambda d, ep: d.ledger.release(d.thread, "", ep, ("a",), owner="worker", max_lost=3).status,
        "gone",
    ),
    "beat": (lambda d, ep: beat(d, ep, "a"), (False,)),
    "beat of an advance": (lambda d, ep: beat(d, ep, "@"), (False,)),
    "published": (lambda d, ep: d.ledger.published(d.thread, "", ep), False),
    "outbox": (lambda d, ep: d.ledger.outbox(d.thread, "", ep), (0, ())),
}


@pytest.mark.parametrize("command", LATE)
def test_who_works_on_a_superstep_that_is_over_is_told_so(d: Driver, command: str) -> None:
    call, refusal = LATE[command]
    ep = d.started("a")
    d.claim(ep, "a")
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.start(superstep("cp-1", "a"), "run-2", "cp-0")
    before, due = d.states(), d.due()
    assert call(d, ep) == refusal
    assert (d.states(), d.due(), d.status) == (before, due, "busy")


def test_a_result_of_a_task_that_is_not_there_is_gone(d: Driver) -> None:
    ep = d.started("a")
    assert d.complete(ep, "b").statuses == ("gone",)
    assert d.writes() == {}


def test_an_advance_waits_for_a_worker_that_serves_its_graph(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.sweep(after_ms=LEASE + 1)
    asked = d.ledger.claim_advance(
        d.thread, "", ep, tok="t", lease_ms=LEASE, served=("other@1",), lost=b"lost"
    )
    assert (asked.status, asked.graph, asked.fp) == ("unserved", "graph", "1")
    assert d.claim_advance(ep).status == "advance"


def test_a_commit_of_a_staged_superstep_that_has_expired_is_reported(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    step = replace(superstep("cp-1"), staged=True)
    assert d.commit(ep, step).status == "unstaged"
    d.ledger.stage(d.thread, step.ep, (TaskEntry("b", b"b"),))
    assert d.client.pttl(f"{d.thread.prefix}S:{step.ep}") > 0
    assert d.commit(ep, step).status == "go"
    assert d.states() == {"b": "Q"}


def test_only_what_waits_is_asked_again_and_only_what_failed_is_retried(d: Driver) -> None:
    d.started("a")
    reply = d.go_on("retry")
    assert (reply.status, reply.run) == ("busy", "run")
    assert d.go_on("reask").status == "busy"


def test_a_static_stop_asks_nothing_again(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="stop"))
    reply = d.go_on("reask")
    assert (reply.status, reply.outcome) == ("nothing", "interrupted")


def test_no_answer_at_all_is_told_what_waits(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    reply = d.go_on("resume")
    assert (reply.status, reply.pending) == ("no_interrupt", ("q1",))


def test_a_cancel_of_what_has_ended_is_none(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    assert d.ledger.cancel(d.thread, "", ep=nonce()).status == "idle"
    assert d.outcome() == "success"


def test_a_cancel_gives_the_thread_a_new_epoch(d: Driver) -> None:
    d.started("a")
    d.ledger.cancel(d.thread, "", ep="another")
    header = d.ledger.header(d.thread)
    assert header is not None
    assert header.ep == "another"


def test_nothing_of_a_thread_that_does_not_exist_is_pruned(d: Driver) -> None:
    forget = commands.forget(d.thread, ("k||cp-0",), (), ep="")
    assert d.ledger.call(forget).status == "missing"


def test_a_first_checkpoint_is_put_on_a_new_thread_only(d: Driver) -> None:
    put = [
        commands.put(d.thread, "", CheckpointEntry(cp, b"k", 0), ep=f"e-{cp}", fresh=True)
        for cp in ("cp-0", "cp-1")
    ]
    assert [d.ledger.call(each).status for each in (put[0], put[0], put[1])] == [
        "ok",
        "ok",
        "conflict",
    ]
    header = d.ledger.header(d.thread)
    assert header is not None
    assert (header.cp, header.ep) == ("cp-0", "e-cp-0")


def test_a_start_from_the_head_runs_what_a_saver_noted_there_anew(d: Driver) -> None:
    d.ledger.call(commands.put(d.thread, "", CheckpointEntry("cp-0", b"k", 0), ep="e"))
    log = commands.put_writes(d.thread, "", "cp-0", (b"one", b"two"), asks=False)
    assert d.ledger.call(log).status == "ok"
    d.start(SuperstepEntry(nonce(), (), (TaskEntry("a", b"a"),), "go", 25), expect="cp-0")
    fields = d.client.hkeys(d.thread.checkpoints)
    assert [field for field in fields if field.startswith(b"p|")] == []
