"""Guards of lists in segments: two never append to one line, and who reads knows what is there."""

from __future__ import annotations

from collections.abc import Mapping

from checkpoint_redis import commands
from checkpoint_redis.commands.task import NONE
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import Limit
from checkpoint_redis.records import CheckpointEntry, SuperstepEntry, TaskEntry
from checkpoint_redis.replies import Changed
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, SERVED, Driver, nonce

LARGE = b"x" * (Limit.inline_channels // 2)
ENTRY = TaskEntry("a", b"a", reads=("c",))


def reaching(cp: str, count: int, *new: int, size: bytes = b"item") -> CheckpointEntry:
    """Return a checkpoint whose list is the first `count` segments, of which some are `new`."""
    channels = {f"c@l;{number}": size for number in new}
    return CheckpointEntry(cp, cp.encode(), 0, (("c@l", count),), channels)


def put(d: Driver, entry: CheckpointEntry, *free: str) -> Changed:
    command = commands.put(
        d.thread, FrameName(""), entry, ep=nonce(), free=free, graph="graph", fp="1", queue="q"
    )
    return d.ledger.call(command)


def claimed(
    d: Driver, *entries: CheckpointEntry, known: Mapping[str, int] = NONE, alone: bool = True
) -> dict[str, bytes | None]:
    """Return what a task's claim brings of the list."""
    tasks = (ENTRY,) if alone else (ENTRY, TaskEntry("b", b"b"))
    ep = d.start(SuperstepEntry(nonce(), entries, tasks, "go")).ep
    context = d.ledger.claim(
        d.thread, "", ep, ("a",),
        tok="t", owner="worker", lease_ms=LEASE, served=SERVED, known=known,
    ).context  # fmt: skip
    assert context is not None
    return dict(context.channels)


def no_segment_is_put_where_another_is(d: Driver) -> None:
    put(d, reaching("cp-1", 1, 1))
    assert put(d, reaching("cp-2", 2, 2), "c@l;2").status == "ok"
    assert put(d, reaching("cp-3", 2, 2, size=b"other"), "c@l;2").status == "unstored"
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert loaded.channels == {"c@l;2": b"item", "c@l;1": b"item"}


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


def who_is_not_given_the_record_is_given_all_of_the_line(d: Driver) -> None:
    entry = reaching("cp-1", 2, 1, 2)
    assert claimed(d, entry, known={"c@l": 2}, alone=False) == dict.fromkeys(
        ("c@l;1", "c@l;2"), b"item"
    )


GUARDS = (
    Guard(
        no_segment_is_put_where_another_is,
        "put.lua",
        "  if has(ref) then return {REPLY.unstored} end\n",
        "",
    ),
    Guard(
        a_list_comes_from_its_end_while_there_is_room,
        "channels.lua",
        "    for n = count, (known[line] or 0) + 1, -1 do\n",
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
    Guard(of_a_line_that_is_known_comes_what_is_new, "channels.lua", "(known[line] or 0) + 1", "1"),
    Guard(
        who_is_not_given_the_record_is_given_all_of_the_line,
        "context.lua",
        "wanted and {} or A.known",
        "A.known",
    ),
)
