"""Guards of what callers wrote: it stays with its checkpoint."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis import commands
from checkpoint_redis.records import (
    ResultEntry,
    StepOutcome,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.replies import Nulls
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


def what_a_caller_wrote_stays_with_the_checkpoint(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), nulls=(b"null",))).ep
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.commit(ep, superstep("cp-1", outcome="end"))
    assert d.nulls("cp-0") == (b"null",)
    assert d.nulls("cp-1") == ()


def what_a_caller_wrote_is_over_once_it_is_committed(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), nulls=(b"null",))).ep
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.commit(ep, replace(superstep("cp-1", "b"), nulls=(b"other",)))
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.start(superstep("cp-2", "a"), "run-2", "cp-1")
    dropped = Nulls((b"other",), over=False)
    assert d.ledger.nulls(d.thread, "", ("cp-0", "cp-1")) == (Nulls((b"null",), over=True), dropped)


def what_a_caller_wrote_is_over_once_it_is_finished(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), nulls=(b"null",))).ep
    d.claim(ep, "a")
    step = superstep("cp-1", outcome="end")
    d.ledger.finish(
        d.thread, "", ep, ResultEntry("a", "", b"w"), step,
        tok="t", tok2="adv", lease_ms=LEASE, nulls=1,
    )  # fmt: skip
    assert d.ledger.nulls(d.thread, "", ("cp-0",)) == (Nulls((b"null",), over=True),)


def what_a_caller_wrote_at_the_end_is_kept(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    d.start(continued("end", b"two"), "run-3", "cp-0")
    assert d.nulls("cp-0") == (b"one", b"two")


def what_a_caller_wrote_is_seen_by_the_tasks_that_follow(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    ep = d.start(continued("go", b"two"), "run-3", "cp-0").ep
    context = d.claim(ep, "t").context
    assert context is not None
    assert context.nulls == (b"one", b"two")


def what_a_caller_wrote_outlives_a_cancel_of_a_pause(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), nulls=(b"null",))).ep
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert d.nulls("cp-0") == (b"null",)


def writes_of_a_saver_take_in_what_a_caller_wrote(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    put = commands.put_writes(d.thread, "", "cp-0", (b"log",), asks=False)
    assert d.ledger.call(put).status == "conflict"


def continued(outcome: StepOutcome, *nulls: bytes) -> SuperstepEntry:
    """Return a superstep that goes on from the head, with a task when it goes on at all."""
    tasks = (TaskEntry("t", b"t"),) if outcome == "go" else ()
    return SuperstepEntry(nonce(), (), tasks, outcome, 25, nulls=nulls)


GUARDS = (
    Guard(
        what_a_caller_wrote_stays_with_the_checkpoint,
        "step.lua",
        "    keep_nulls(ns, nulls, committed and 'over' or 'open')\n",
        "",
    ),
    Guard(
        what_a_caller_wrote_is_over_once_it_is_committed,
        "commit.lua",
        "drop_step(A.ns, true)",
        "drop_step(A.ns)",
    ),
    Guard(
        what_a_caller_wrote_is_over_once_it_is_finished,
        "finish.lua",
        "drop_step(A.ns, true)",
        "drop_step(A.ns)",
    ),
    Guard(
        what_a_caller_wrote_at_the_end_is_kept,
        "step.lua",
        "else keep_nulls(ns, list, 'open') end",
        "end",
    ),
    Guard(
        what_a_caller_wrote_is_seen_by_the_tasks_that_follow,
        "step.lua",
        "#s.checkpoints == 0 and kept_nulls(ns) or {}",
        "{}",
    ),
    Guard(
        what_a_caller_wrote_outlives_a_cancel_of_a_pause,
        "step.lua",
        "named['z|' .. n] or ",
        "",
    ),
    Guard(
        writes_of_a_saver_take_in_what_a_caller_wrote,
        "put_writes.lua",
        "(opened or cget(kept))",
        "opened",
    ),
)
