"""Guards of tasks that are parked: who may park, what is opened, what a repetition answers."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis.layout import HeaderField
from checkpoint_redis.records import AgainEntry, CheckpointEntry, InnerEntry, ParkEntry, TaskEntry
from distgraph.checkpoint import formats
from tests.support.frame_driver import INNER, Frame, around
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, superstep


def running(d: Driver, *others: str) -> tuple[str, Frame]:
    """Claim the task a of a start, and more; return the epoch and the frame inside it."""
    ep = d.started("a", *others)
    d.claim(ep, "a", *others)
    return ep, Frame(d, INNER)


def parked(d: Driver, *tids: str) -> tuple[str, Frame]:
    """Park the task a of a start for a graph with the tasks `tids`."""
    ep, frame = running(d)
    assert frame.park(ep, *tids).status == "parked"
    return ep, frame


def only_the_attempt_that_has_the_task_parks_it(d: Driver) -> None:
    ep, frame = running(d)
    assert frame.park(ep, "x", tok="other").status == "gone"
    d.complete(ep, "a")
    assert frame.park(ep, "x").status == "gone"
    assert frame.keys() == set()


def nobody_parks_in_a_superstep_that_is_over(d: Driver) -> None:
    _, frame = running(d)
    assert frame.park("another", "x").status == "gone"


def a_task_is_parked_although_its_run_has_failed(d: Driver) -> None:
    ep, frame = running(d, "b")
    d.fail(ep, "b")
    assert frame.park(ep, "x").status == "parked"
    assert sorted(around(d.go_on("retry").hints)) == [("", "a"), ("", "b")]


def what_goes_on_is_as_it_was_seen(d: Driver) -> None:
    ep, frame = running(d)
    assert frame.park(ep, "x", seen="another").status == "conflict"
    assert frame.park(ep, again=()).status == "conflict"
    assert d.states() == {"a": "R"}


def what_was_staged_for_it_is_there(d: Driver) -> None:
    ep, frame = running(d)
    step = replace(superstep("in-0", "y"), staged=True)
    assert frame.park(ep, step=step).status == "unstaged"
    assert d.states() == {"a": "R"}
    d.ledger.stage(d.thread, step.ep, (TaskEntry("x", b"x"),))
    assert frame.park(ep, step=step).status == "parked"
    assert frame.states() == {"x": "Q", "y": "Q"}


def a_parked_task_has_no_lease_and_its_losses_are_over(d: Driver) -> None:
    ep, frame = running(d)
    d.sweep(LEASE + 1)
    d.claim(ep, "a", tok="t2")
    frame.park(ep, "x", tok="t2")
    assert not [each for each in d.due() if each.endswith("a|l")]
    loaded = d.load()
    assert loaded is not None
    (task,) = loaded.tasks
    assert (task.st, task.owner, task.lost, task.att) == ("P", "", 0, 2)


def parking_twice_is_known(d: Driver) -> None:
    ep, frame = running(d)
    step = superstep("in-0", "x")
    first = frame.park(ep, step=step)
    assert (first.status, first.ep, first.hints) == ("parked", step.ep, ())
    frame.claim("x")
    assert frame.park(ep, step=step, seen="") == first
    assert frame.states() == {"x": "R"}


def a_frame_tells_of_its_call(d: Driver) -> None:
    ep, frame = running(d)
    frame.park(ep, "x", call=b"the call")
    info = frame.load().header.frame
    assert info is not None
    told = (info.name, info.path, info.stop, info.released, info.call)
    assert told == (INNER, "node", 25, "cp-r", b"the call")
    assert frame.load().released == "cp-r"
    claimed = frame.claim("x")
    assert claimed.context is not None
    head = claimed.context.head
    assert (head.graph, head.fp, head.frame) == ("inner", "2", info)


def what_was_not_stored_yet_comes_first(d: Driver) -> None:
    ep, frame = running(d)
    frame.park(ep, "x")
    frame.claim("x")
    frame.complete("x", asks=("q",))
    d.claim(ep, "a", tok="t2")
    before = frame.load().header.cp
    first, second = (CheckpointEntry(cp, cp.encode(), 1) for cp in ("z-1", "z-2"))
    given = InnerEntry(frame.named, frame.ep, before, (b"record",), (first,))
    step = replace(superstep("z-2", "y"), checkpoints=(second,))
    d.client.hdel(d.thread.header, HeaderField.form)
    found = d.ledger.park(
        d.thread, "", ep, "a", tok="t2", entry=ParkEntry(given, step), lease_ms=LEASE
    )
    assert found.status == "parked"
    assert (frame.load().header.cp, frame.states()) == ("z-2", {"y": "Q"})
    assert d.ledger.load(d.thread, frame.hash, "z-1").checkpoint == b"z-1"  # type: ignore[union-attr]
    assert d.ledger.load(d.thread, frame.hash, before).log == (b"record",)  # type: ignore[union-attr]
    header = d.ledger.header(d.thread)
    assert header is not None
    assert header.format == formats.FORMAT


def a_frame_goes_on_at_rest_with_its_keys(d: Driver) -> None:
    ep, frame = parked(d, "x", "y")
    frame.claim("x", "y")
    frame.complete("x", asks=("q",))
    frame.complete("y")
    assert frame.keys() == {"f:"}
    d.claim(ep, "a", tok="t2")
    d.ask(ep, "a", "q", tok="t2")
    d.answer("a", "q")
    d.claim(ep, "a", tok="t3")
    frame.park(ep, again=(AgainEntry("x", (b"yes",)),), tok="t3")
    assert frame.states() == {"x": "Q", "y": "D"}
    assert frame.keys() == {"f:", "s:", "w:", "a:", "q:"}


GUARDS = (
    Guard(
        only_the_attempt_that_has_the_task_parks_it,
        "park.lua",
        " or task[TASK.token] ~= A.tok then",
        " then",
    ),
    Guard(
        only_the_attempt_that_has_the_task_parks_it,
        "park.lua",
        "if task[TASK.state] ~= STATE.running then return {REPLY.gone} end\n",
        "",
    ),
    Guard(
        nobody_parks_in_a_superstep_that_is_over,
        "park.lua",
        "fence(A.ns, A.ep, BUSY_OR_ERROR)",
        "{st = STATUS.busy}",
    ),
    Guard(a_task_is_parked_although_its_run_has_failed, "park.lua", "BUSY_OR_ERROR)", "BUSY)"),
    Guard(
        a_task_is_parked_although_its_run_has_failed,
        "again.lua",
        " or state == STATE.parked then",
        " then",
    ),
    Guard(
        what_goes_on_is_as_it_was_seen,
        "park.lua",
        "if (ep or '') ~= A.seen then return {REPLY.conflict} end\n",
        "",
    ),
    Guard(
        what_goes_on_is_as_it_was_seen,
        "park.lua",
        "if not A.step and not A.calls and not present then return {REPLY.conflict} end\n",
        "",
    ),
    Guard(
        what_was_staged_for_it_is_there,
        "park.lua",
        "A.step and A.step.staged and not is_staged(A.step.ep)",
        "false",
    ),
    Guard(
        a_parked_task_has_no_lease_and_its_losses_are_over,
        "park.lua",
        "not_due(A.ns, A.tid, DUE.lease)\n",
        "",
    ),
    Guard(
        a_parked_task_has_no_lease_and_its_losses_are_over,
        "park.lua",
        "= STATE.parked, '', 0, ''",
        "= STATE.parked, '', 1, ''",
    ),
    Guard(
        parking_twice_is_known,
        "park.lua",
        "if task[TASK.state] == STATE.parked then\n",
        "if false then\n",
    ),
    Guard(a_frame_tells_of_its_call, "park.lua", ", FRAME.call, blob(A.call))", ")"),
    Guard(a_frame_tells_of_its_call, "park.lua", "  list_frame(A.inner, A.frame)\n", ""),
    Guard(
        a_frame_tells_of_its_call,
        "context.lua",
        "    frame = call('HMGET', frame_key(ns), STORED.frame)\n",
        "",
    ),
    Guard(
        what_was_not_stored_yet_comes_first,
        "park.lua",
        "    append_log(A.inner, A.cp, A.records)\n",
        "",
    ),
    Guard(
        what_was_not_stored_yet_comes_first,
        "park.lua",
        "  store_checkpoints(A.inner, A.checkpoints)\n",
        "",
    ),
    Guard(a_frame_goes_on_at_rest_with_its_keys, "rejoin.lua", "  restore_step(ns)\n", ""),
    Guard(a_frame_goes_on_at_rest_with_its_keys, "barrier.lua", "    pack_step(ns)\n", ""),
)
