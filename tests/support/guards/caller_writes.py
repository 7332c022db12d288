"""Guards of what callers wrote: it stays with its checkpoint."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis import commands
from checkpoint_redis.layout import StepOutcome
from checkpoint_redis.readings import CallerWrites
from checkpoint_redis.records import (
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


def what_a_caller_wrote_stays_with_the_checkpoint(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), caller_writes=(b"written",))).ep
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.commit(ep, superstep("cp-1", outcome="end"))
    assert d.caller_writes("cp-0").blobs == (b"written",)
    assert d.caller_writes("cp-1").blobs == ()


def what_a_caller_wrote_is_followed_once_it_is_committed(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), caller_writes=(b"written",))).ep
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.commit(ep, replace(superstep("cp-1", "b"), caller_writes=(b"other",)))
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.start(superstep("cp-2", "a"), "run-2", "cp-1")
    dropped = CallerWrites((b"other",), followed=False)
    assert d.ledger.caller_writes(d.thread, "", ("cp-0", "cp-1")) == (
        CallerWrites((b"written",), followed=True),
        dropped,
    )


def what_a_caller_wrote_is_followed_once_it_is_finished(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), caller_writes=(b"written",))).ep
    d.claim(ep, "a")
    step = superstep("cp-1", outcome="end")
    d.ledger.finish(
        d.thread, "", ep, ResultEntry("a", "", b"w"), step,
        tok="t", tok2="adv", lease_ms=LEASE, caller_writes=1,
    )  # fmt: skip
    assert d.ledger.caller_writes(d.thread, "", ("cp-0",)) == (
        CallerWrites((b"written",), followed=True),
    )


def what_a_caller_wrote_at_the_end_is_kept(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    d.start(continued("end", b"two"), "run-3", "cp-0")
    assert d.caller_writes("cp-0").blobs == (b"one", b"two")


def what_a_caller_wrote_is_seen_by_the_tasks_that_follow(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    ep = d.start(continued("go", b"two"), "run-3", "cp-0").ep
    context = d.claim(ep, "t").context
    assert context is not None
    assert context.caller_writes.blobs == (b"one", b"two")


def what_a_caller_wrote_outlives_a_cancel_of_a_pause(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a"), caller_writes=(b"written",))).ep
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert d.caller_writes("cp-0").blobs == (b"written",)


def what_a_caller_wrote_is_in_one_place(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    d.start(continued("go", b"two"), "run-3", "cp-0")
    (kept,) = d.ledger.caller_writes(d.thread, "", ("cp-0",))
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert (kept.blobs, loaded.caller_writes.blobs) == ((), (b"one", b"two"))


def writes_of_a_saver_take_in_what_a_caller_wrote(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.start(continued("end", b"one"), "run-2", "cp-0")
    put = commands.put_writes(d.thread, "", "cp-0", (b"log",), asks=False, new_ep="new")
    assert d.ledger.call(put).status == "conflict"


def continued(outcome: StepOutcome, *written: bytes) -> SuperstepEntry:
    """Return a superstep that goes on from the head, with a task when it goes on at all."""
    tasks = (TaskEntry("t", b"t"),) if outcome == "go" else ()
    return SuperstepEntry(nonce(), (), tasks, outcome, caller_writes=written)


GUARDS = (
    Guard(
        what_a_caller_wrote_stays_with_the_checkpoint,
        "drop.lua",
        "keep_dropped_caller_writes(ns, written, committed)",
        "",
    ),
    Guard(
        what_a_caller_wrote_is_followed_once_it_is_committed,
        "commit.lua",
        "drop_step(A.ns, A.step.checkpoints)",
        "drop_step(A.ns)",
    ),
    Guard(
        what_a_caller_wrote_is_followed_once_it_is_finished,
        "finish.lua",
        "drop_step(A.ns, A.step.checkpoints, passed)",
        "drop_step(A.ns, nil, passed)",
    ),
    Guard(
        what_a_caller_wrote_at_the_end_is_kept,
        "caller_writes.lua",
        "else keep_caller_writes(ns, list, MARK.open) end",
        "end",
    ),
    Guard(
        what_a_caller_wrote_is_seen_by_the_tasks_that_follow,
        "caller_writes.lua",
        "#s.checkpoints == 0 and take_up_caller_writes(ns) or {}",
        "{}",
    ),
    Guard(
        what_a_caller_wrote_outlives_a_cancel_of_a_pause,
        "caller_writes.lua",
        "if n then out[n + 1] = at_rest[i + 1] end",
        "",
    ),
    Guard(
        what_a_caller_wrote_is_in_one_place,
        "caller_writes.lua",
        "    if #list > 0 then call('HDEL', C, caller_writes_field(ns)) end\n",
        "",
    ),
    Guard(
        writes_of_a_saver_take_in_what_a_caller_wrote,
        "put_writes.lua",
        "(opened or cget(kept) or",
        "(opened or",
    ),
)
