"""Guards of what is over: an epoch that has passed is said to be gone, by every script."""

from __future__ import annotations

from checkpoint_redis.records import Lease
from checkpoint_redis.replies import Committed
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, superstep

OLD = "an older epoch"


def what_has_passed_is_gone(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    assert d.claim(OLD, "a").status == "gone"
    assert d.complete(OLD, "a").closing == "gone"
    assert d.fail(OLD, "a") == "gone"
    assert d.claim_advance(OLD).status == "gone"
    assert d.ledger.fail_advance(d.thread, "", OLD, advtok="", error=b"").status == "gone"
    assert d.commit(OLD, superstep("cp-1")) == Committed("gone")
    assert d.finish(OLD, "a", superstep("cp-1")) == Committed("gone")
    given_up = d.ledger.release(d.thread, "", OLD, ("a",), owner="worker", max_lost=3)
    assert given_up.status == "gone"
    lease = Lease(d.thread.x, "", OLD, "a", "t")
    assert d.ledger.beat(d.thread.namespace, d.thread.shard, (lease,), lease_ms=LEASE) == (False,)
    assert d.ledger.outbox(d.thread, "", OLD) == (0, ())
    assert not d.ledger.published(d.thread, "", OLD)
    assert d.states() == {"a": "R", "b": "Q"}


ANSWER = "if not frame then return {REPLY.gone} end"
STARTS = "if not frame or not is_parked(A.ns) then return {REPLY.gone} end"
LINES = (
    ("claim.lua", STARTS),
    ("complete.lua", ANSWER),
    ("fail.lua", ANSWER),
    ("claim_advance.lua", STARTS),
    ("fail_advance.lua", ANSWER),
    ("release.lua", ANSWER),
    ("commit.lua", "if not frame then return committed_before(A.ns, A.step) end"),
    ("finish.lua", "if not frame then return committed_before(A.ns, A.step) end"),
    ("beat.lua", "  if not frame then return false end\n"),
    ("outbox.lua", "if not fence(A.ns, A.ep, BUSY) then return PART{cursor = '0', part = {}} end"),
    ("published.lua", "if not fence(A.ns, A.ep, BUSY) then return 0 end"),
)
GUARDS = tuple(Guard(what_has_passed_is_gone, script, guard, "") for script, guard in LINES)
