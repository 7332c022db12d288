"""Guards of lists in segments: two never append to one line, and who reads knows what is there."""

from __future__ import annotations

from collections.abc import Mapping

from checkpoint_redis import commands
from checkpoint_redis.commands.task import NONE
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import Limit
from checkpoint_redis.readings import Context
from checkpoint_redis.records import CheckpointEntry, SuperstepEntry, TaskEntry
from checkpoint_redis.references import Extent
from checkpoint_redis.replies import Changed
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, SERVED, Driver, nonce

LARGE = b"x" * (Limit.inline_channels // 2)
ENTRY = TaskEntry("a", b"a", reads=("c",))


def reaching(
    cp: str, count: int, *new: int, size: bytes = b"item", check: str = "check"
) -> CheckpointEntry:
    """Return a checkpoint whose list is the first `count` segments, of which some are `new`."""
    channels = {f"c@l;{number}": size for number in new}
    return CheckpointEntry(cp, cp.encode(), 0, (Extent("c@l", count, check),), channels)


def put(d: Driver, entry: CheckpointEntry, *free: str, after: str = "") -> Changed:
    command = commands.put(
        d.thread, FrameName(""), entry,
        ep=nonce(), after=after, free=free, graph="graph", fp="1", queue="q",
    )  # fmt: skip
    return d.ledger.call(command)


def given(
    d: Driver, *entries: CheckpointEntry, known: Mapping[str, int] = NONE, alone: bool = True
) -> Context:
    """Return what a task's claim brings."""
    tasks = (ENTRY,) if alone else (ENTRY, TaskEntry("b", b"b"))
    ep = d.start(SuperstepEntry(nonce(), entries, tasks, "go")).ep
    context = d.ledger.claim(
        d.thread, "", ep, ("a",),
        tok="t", owner="worker", lease_ms=LEASE, served=SERVED, known=known,
    ).context  # fmt: skip
    assert context is not None
    return context


def claimed(
    d: Driver, *entries: CheckpointEntry, known: Mapping[str, int] = NONE
) -> dict[str, bytes | None]:
    """Return what a task's claim brings of the list."""
    return dict(given(d, *entries, known=known).channels)


def no_segment_is_put_where_another_is(d: Driver) -> None:
    put(d, reaching("cp-1", 1, 1))
    assert put(d, reaching("cp-2", 2, 2), "c@l;2").status == "ok"
    assert put(d, reaching("cp-3", 2, 2, size=b"other"), "c@l;2").status == "unstored"
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert loaded.channels == {"c@l;2": b"item", "c@l;1": b"item"}


def no_segment_is_put_behind_what_a_fail_over_lost(d: Driver) -> None:
    put(d, reaching("cp-1", 1, 1))
    assert put(d, reaching("cp-3", 2, 2), "c@l;2", after="cp-2").status == "unstored"
    assert put(d, reaching("cp-3", 2, 2), "c@l;2", after="cp-1").status == "ok"


def a_list_comes_from_its_end_while_there_is_room(d: Driver) -> None:
    entries = reaching("cp-1", 2, 1, 2, size=LARGE), reaching("cp-2", 4, 3, 4, size=LARGE)
    assert claimed(d, *entries) == {
        "c@l;1": None,
        "c@l;2": None,
        "c@l;3": LARGE,
        "c@l;4": LARGE,
    }


def nothing_before_what_found_no_room_comes(d: Driver) -> None:
    entries = reaching("cp-1", 1, 1), reaching("cp-2", 2, 2, size=LARGE * 3)
    assert claimed(d, *entries) == {"c@l;1": None, "c@l;2": None}


def a_segment_of_another_fork_is_named_without_its_value(d: Driver) -> None:
    entries = reaching("cp-1", 2, 1, 2), reaching("cp-2", 1)
    assert claimed(d, *entries) == {"c@l;1": b"item", "c@l;2": b""}


def of_a_line_that_is_known_comes_what_is_new(d: Driver) -> None:
    entry = reaching("cp-1", 3, 1, 2, 3)
    found = claimed(d, entry, known={"c@l": 2, "c@other": 3})
    assert found == {"c@l;1": None, "c@l;2": None, "c@l;3": b"item"}


def who_is_not_given_the_record_can_tell_the_list_too(d: Driver) -> None:
    context = given(d, reaching("cp-1", 2, 1, 2), known={"c@l": 1}, alone=False)
    assert context.channels == {"c@l;1": None, "c@l;2": b"item"}
    assert context.lists == (Extent("c@l", 2, "check"),)


def a_list_that_nobody_can_tell_comes_whole(d: Driver) -> None:
    entry = reaching("cp-1", 2, 1, 2, check="")
    assert claimed(d, entry, known={"c@l": 2}) == dict.fromkeys(("c@l;1", "c@l;2"), b"item")


GUARDS = (
    Guard(
        no_segment_is_put_where_another_is,
        "put.lua",
        "  if has(ref) then return {REPLY.unstored} end\n",
        "",
    ),
    Guard(
        no_segment_is_put_behind_what_a_fail_over_lost,
        "put.lua",
        "if A.after ~= '' and not chas",
        "if false and not chas",
    ),
    Guard(
        a_list_comes_from_its_end_while_there_is_room,
        "channels.lua",
        "    for n = count, first + 1, -1 do\n",
        "    for n = 1, count do\n",
    ),
    Guard(
        nothing_before_what_found_no_room_comes,
        "channels.lua",
        "      if not value then return end\n",
        "",
    ),
    Guard(
        a_segment_of_another_fork_is_named_without_its_value,
        "channels.lua",
        "    if chas(fields .. behind) then add(out, behind, '') end\n",
        "",
    ),
    Guard(of_a_line_that_is_known_comes_what_is_new, "channels.lua", "first + 1", "1"),
    Guard(
        who_is_not_given_the_record_can_tell_the_list_too,
        "channels.lua",
        "    lines[#lines + 1] = check\n",
        "    lines[#lines + 1] = ''\n",
    ),
    Guard(
        a_list_that_nobody_can_tell_comes_whole, "channels.lua", "check ~= '' and known", "known"
    ),
)
