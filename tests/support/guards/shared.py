"""Guards of what results share with values: it is taken out of them when it is there, and once."""

from __future__ import annotations

from checkpoint_redis.layout import Field, Limit, PartedRow, SpanRow, StepOutcome
from checkpoint_redis.records import CheckpointEntry, SuperstepEntry
from tests.support.guards import Guard
from tests.support.thread_driver import Driver, nonce

ITEMS = {"a": b"<one>", "b": b"<two>"}
VALUE = b"vonetwo"
PARTS = {"a": b"5:1:<3:c@11:21:31:>", "b": b"5:1:<3:c@11:51:31:>"}
GIVEN = (
    PartedRow("a", (SpanRow("c@1", 2, 2, 3),)),
    PartedRow("b", (SpanRow("c@1", 2, 5, 3),)),
)


def over(d: Driver, outcome: StepOutcome = "end", more: int = 0) -> None:
    """Run a superstep whose tasks left ITEMS, and `more` others; its commit brings VALUE."""
    others = [f"t{number}" for number in range(more)]
    ep = d.started(*ITEMS, *others)
    d.claim(ep, *ITEMS, *others)
    for tid in (*ITEMS, *others):
        d.complete(ep, tid, blob=ITEMS.get(tid, b"<three>"))
    checkpoint = CheckpointEntry("cp-1", b"cp-1", 1, ("c@1",), {"c@1": VALUE})
    assert d.commit(ep, SuperstepEntry(nonce(), (checkpoint,), (), outcome)).status == outcome


def beside(d: Driver) -> dict[str, bytes]:
    """Return the results beside the first checkpoint as they are stored."""
    (found,) = d.ledger.left(d.thread, "", ("cp-0",))
    if found is None:
        found = d.ledger.large(d.thread, "", "cp-0", 0)[1]
    return {task.tid: task.result for task in found}


def read(d: Driver) -> dict[str, bytes]:
    """Return them as they are read."""
    loaded = d.load(cp="cp-0")
    assert loaded is not None
    return {task.tid: task.result for task in loaded.left or ()}


def results_give_way_to_a_value(d: Driver) -> None:
    over(d)
    assert d.ledger.share(d.thread, "", "cp-0", GIVEN[:1]) == 1
    assert beside(d) == {**ITEMS, "a": PARTS["a"]}
    assert d.ledger.share(d.thread, "", "cp-0", GIVEN) == len(GIVEN)
    assert beside(d) == PARTS
    assert read(d) == ITEMS


def so_they_do_in_a_large_superstep(d: Driver) -> None:
    over(d, more=Limit.left_fields)
    assert d.ledger.share(d.thread, "", "cp-0", GIVEN) == len(GIVEN)
    assert d.ledger.share(d.thread, "", "cp-0", GIVEN) == len(GIVEN)
    assert {tid: beside(d)[tid] for tid in ITEMS} == PARTS
    assert {tid: read(d)[tid] for tid in ITEMS} == ITEMS


def they_give_way_while_the_thread_waits(d: Driver) -> None:
    over(d, "stop")
    assert d.client.exists(f"{d.thread.prefix}z")
    assert d.ledger.share(d.thread, "", "cp-0", GIVEN) == len(GIVEN)
    assert d.client.exists(f"{d.thread.prefix}z")
    assert not d.client.exists(d.thread.checkpoints)
    assert (beside(d), read(d)) == (PARTS, ITEMS)


def nothing_gives_way_to_what_is_not_there(d: Driver) -> None:
    over(d)
    beyond = (PartedRow("a", (SpanRow("c@1", 2, 6, 3),)), PartedRow("c", GIVEN[0].spans))
    assert d.ledger.share(d.thread, "", "cp-0", beyond) == 0
    d.client.hdel(d.thread.checkpoints, f"{Field.channel}|c@1")
    assert d.ledger.share(d.thread, "", "cp-0", GIVEN) == 0
    assert beside(d) == ITEMS


def nothing_gives_way_in_a_large_one_that_has_no_such_task(d: Driver) -> None:
    over(d, more=Limit.left_fields)
    assert d.ledger.share(d.thread, "", "cp-0", (PartedRow("c", GIVEN[0].spans),)) == 0
    assert "c" not in beside(d)


def a_removed_checkpoint_has_no_results(d: Driver) -> None:
    over(d)
    d.client.hdel(d.thread.checkpoints, f"{Field.left}|cp-0")
    assert d.ledger.share(d.thread, "", "cp-0", GIVEN) == 0
    assert not d.client.hexists(d.thread.checkpoints, f"{Field.left}|cp-0")


GUARDS = (
    Guard(
        results_give_way_to_a_value,
        "share.lua",
        "  local already = string.find(result, '^%d')\n",
        "  local already = nil\n",
    ),
    Guard(
        results_give_way_to_a_value,
        "share.lua",
        "    rows[i + LEFT.result] = result or rows[i + LEFT.result]\n",
        "",
    ),
    Guard(results_give_way_to_a_value, "share.lua", "known and parted(", "parted("),
    Guard(
        results_give_way_to_a_value,
        "share.lua",
        "  call('HSET', C, FIELD.left .. at, text_of(rows))\n",
        "",
    ),
    Guard(results_give_way_to_a_value, "share.lua", "  given = given + 1\n", ""),
    Guard(
        results_give_way_to_a_value,
        "parts.lua",
        "    at = first + length\n",
        "",
    ),
    Guard(
        so_they_do_in_a_large_superstep,
        "share.lua",
        "    if result then call('HSET', key, tid, result) end\n",
        "",
    ),
    Guard(
        so_they_do_in_a_large_superstep,
        "share.lua",
        "if text == '' then share_large() else share_rows() end\n",
        "share_rows()\n",
    ),
    Guard(they_give_way_while_the_thread_waits, "share.lua", "  thaw()\n", ""),
    Guard(they_give_way_while_the_thread_waits, "share.lua", "  if waits then freeze() end\n", ""),
    Guard(
        they_give_way_while_the_thread_waits,
        "share.lua",
        "waits and #(cget(name) or '') or 0",
        "0",
    ),
    Guard(
        nothing_gives_way_to_what_is_not_there,
        "share.lua",
        "    if not reaches(span) then return end\n",
        "",
    ),
    Guard(
        nothing_gives_way_to_what_is_not_there,
        "share.lua",
        "span[SPAN.start] + span[SPAN.length] - 1 <=",
        "span[SPAN.start] <=",
    ),
    Guard(
        nothing_gives_way_in_a_large_one_that_has_no_such_task,
        "share.lua",
        "  if not result then return end\n",
        "  result = result or ''\n",
    ),
    Guard(a_removed_checkpoint_has_no_results, "share.lua", "if not text then return 0 end\n", ""),
)
