"""Guards of what is below a task: void and dropped with what is around it, looked at by sweeps."""

from __future__ import annotations

from checkpoint_redis.layout import Limit
from checkpoint_redis.records import AgainEntry, Lease
from checkpoint_redis.replies import Due
from tests.support.frame_driver import Frame, around
from tests.support.guards import Guard
from tests.support.guards.parked import parked, running
from tests.support.thread_driver import LEASE, Driver


def deeper(d: Driver, *tids: str) -> tuple[str, Frame, Frame]:
    """Park a task for a graph whose task b is parked for one with `tids`, the first running."""
    ep, outer = parked(d, "b")
    outer.claim("b")
    inner = Frame(d, f"{outer.name}|leaf:b", outer.hash, "b")
    inner.park(outer.ep, *tids)
    inner.claim(tids[0])
    return ep, outer, inner


def holds(frame: Frame, tid: str) -> bool:
    d = frame.d
    lease = Lease(d.thread.x, frame.hash, frame.ep, tid, "t")
    (held,) = d.ledger.beat(d.thread.namespace, d.thread.shard, (lease,), lease_ms=LEASE)
    return held


def what_is_renewed_above_makes_it_void(d: Driver) -> None:
    ep, _, inner = deeper(d, "x", "y")
    assert holds(inner, "x")
    d.ledger.adopt(d.thread, ep=ep, new_ep="ep-2", fp="1", queue="queue", restart=True)
    assert not holds(inner, "x")
    assert inner.claim("y").status == "gone"
    assert inner.complete("x").closing == "gone"
    assert inner.fail("x").status == "gone"


def after_an_adoption_it_goes_on(d: Driver) -> None:
    ep, outer, inner = deeper(d, "x", "y")
    d.ledger.adopt(d.thread, ep=ep, new_ep="ep-2", fp="1", queue="queue", restart=True)
    old = inner.ep
    assert d.claim("ep-2", "a", tok="t2").tasks[0].risen == ""
    down = outer.park("ep-2", again=(AgainEntry("b"),), tok="t2")
    assert (down.ep, around(down.hints)) == ("t2", [(outer.hash, "b")])
    outer.claim("b", tok="t3")
    down = inner.park(outer.ep, again=(), tok="t3")
    assert {hint.tid for hint in down.hints} == {"x", "y"}
    assert inner.complete("x", ep=old).closing == "gone"
    assert inner.states() == {"x": "Q", "y": "Q"}


def after_a_retry_what_runs_has_time(d: Driver) -> None:
    ep, frame = running(d, "b")
    frame.park(ep, "x", "y")
    frame.claim("x")
    d.fail(ep, "b")
    d.sweep(10**6)
    d.go_on("retry")
    d.claim(ep, "a", tok="t2")
    before = frame.ep
    down = frame.park(ep, again=(), tok="t2")
    assert (down.ep, around(down.hints)) == (before, [(frame.hash, "y")])
    scores = {
        m.decode().split("|", 1)[1]: s
        for m, s in d.client.zrange(d.due_key, 0, -1, withscores=True)
    }
    now = d.client.time()[0] * 1000
    assert scores[f"{frame.hash}|x|l"] < now + 2 * Limit.recheck_ms
    assert d.client.zscore(d.outboxes_key, f"{d.thread.x}|{frame.hash}||d") < now + 5_000
    assert frame.complete("x").statuses == ("done",)


def sweeps_leave_what_waits_for_the_task_around(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x")
    frame.fail("x")
    found = d.sweep(10**6)
    assert [around(due.hints) for due in found] == [[("", "a")]]
    d.claim(ep, "a", tok="t2")
    assert around(frame.park(ep, again=(), tok="t2").hints) == [("", "a")]


def nobody_looks_for_hints_of_what_waits_for_the_task_around(d: Driver) -> None:
    _, frame = parked(d, "x", "y")
    frame.claim("x")
    frame.fail("x")
    found = tuple[Due, ...]()
    for _ in range(2):
        _, found = d.ledger.overdue(d.thread.namespace, d.thread.shard, empty=("queue",))
        key, waiting = d.thread.frame(frame.hash), d.client.hget(d.thread.frame(frame.hash), "/ov")
        if waiting:
            size, _, pause = waiting.split()
            d.client.hset(key, "/ov", b"%s 1 %s" % (size, pause))
    assert [due.ns for due in found if due.ns] == []


def many_parked_tasks_are_adopted(d: Driver) -> None:
    tids = [f"t{n}" for n in range(Limit.begun_again + 2)]
    ep = d.started(*tids)
    d.claim(ep, *tids)
    for tid in tids:
        assert Frame(d, f"node:{tid}", tid=tid).park(ep, "x").status == "parked"
    d.ledger.adopt(d.thread, ep=ep, new_ep="ep-2", fp="1", queue="queue", restart=True)
    assert sorted(d.states().values()).count("P") == 2
    d.sweep(Limit.recheck_ms + 1)
    d.sweep()
    assert set(d.states().values()) == {"Q"}


GUARDS = (
    Guard(
        what_is_renewed_above_makes_it_void,
        "within.lua",
        "then return false end\n    ns = parent",
        "then return false end\n    ns = ''",
    ),
    Guard(
        after_an_adoption_it_goes_on,
        "rejoin.lua",
        "  if void then call('HSET', key, FRAME.epoch, A.tok) end\n",
        "",
    ),
    Guard(
        after_an_adoption_it_goes_on, "rejoin.lua", "      if void then\n", "      if false then\n"
    ),
    Guard(after_an_adoption_it_goes_on, "calls.lua", ", FRAME.around, around", ""),
    Guard(
        after_a_retry_what_runs_has_time,
        "rejoin.lua",
        "      else due(ns, tid, DUE.lease, now() + LIMIT.recheck_ms) end\n",
        "      end\n",
    ),
    Guard(
        after_a_retry_what_runs_has_time,
        "rejoin.lua",
        "  if call('EXISTS', P .. KEY.queued .. ns) == 1 then due_outbox(ns) end\n",
        "",
    ),
    Guard(after_a_retry_what_runs_has_time, "park.lua", "before ~= A.ep, missed)", "true, missed)"),
    Guard(
        sweeps_leave_what_waits_for_the_task_around,
        "sweep.lua",
        " and (tid ~= '' or is_parked(ns)) then return true",
        " then return true",
    ),
    Guard(
        nobody_looks_for_hints_of_what_waits_for_the_task_around,
        "overdue.lua",
        "  if not is_current(ns) or not is_parked(ns) then return false end\n",
        "",
    ),
    Guard(
        many_parked_tasks_are_adopted,
        "adopt.lua",
        "    if n > LIMIT.begun_again then\n",
        "    if false then\n",
    ),
    Guard(
        many_parked_tasks_are_adopted,
        "sweep.lua",
        "  local begins_again = task and leased and task[TASK.state] == STATE.parked\n",
        "  local begins_again = false\n",
    ),
)
