"""Guards of threads at rest: what is small is kept in less room, and nothing of it is lost."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis import commands
from checkpoint_redis.layout import Limit, ThreadKey
from checkpoint_redis.records import (
    CheckpointEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
)
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce, superstep

LONG = "a-task-with-a-long-id"


def asking(d: Driver, *tids: str) -> str:
    """Bring the thread to a pause in which these tasks ask."""
    ep = d.started(*tids)
    d.claim(ep, *tids)
    for number, tid in enumerate(tids):
        d.ask(ep, tid, f"q{number}")
    return ep


def stopped(channels: dict[str, bytes]) -> SuperstepEntry:
    checkpoint = CheckpointEntry("cp-0", b"cp", 0, tuple(channels), channels)
    return SuperstepEntry(nonce(), (checkpoint,), (), "stop")


def what_is_small_is_one_text_while_it_waits(d: Driver) -> None:
    asking(d, LONG)
    assert d.stored() == {"h", "z", "e"}
    # Its id, and its blob, which is the same text here.
    assert d.client.get(f"{d.thread.prefix}{ThreadKey.frozen}").count(LONG.encode()) == 2


def many_fields_stay_a_hash(d: Driver) -> None:
    d.start(stopped({f"c{n}@1": b"" for n in range(70)}))
    assert d.stored() == {"h", "c", "e", "i"}


def large_values_stay_in_a_hash(d: Driver) -> None:
    d.start(stopped({"c@1": b"x" * 9_000}))
    assert d.stored() == {"h", "c", "e"}


def many_tasks_keep_their_keys(d: Driver) -> None:
    asking(d, *(f"t{n}" for n in range(40)))
    assert {"s:", "u:"} <= d.stored()


def large_writes_keep_their_keys(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "a", blob=b"x" * 70_000)
    d.ask(ep, "b", "q1")
    assert {"s:", "w:", "u:"} <= d.stored()


def a_waiting_thread_tells_its_history(d: Driver) -> None:
    asking(d, "a")
    assert d.ledger.history(d.thread, "", "", 9) == ("cp-0",)
    assert "k||cp-0" in d.ledger.call(commands.fields(d.thread, 0))[1]
    assert d.ledger.checkpoints(d.thread, "", ("cp-0", "cp-?")) == (b"cp-0", None)
    assert d.ledger.channels(d.thread, "", ("c@cp-0",)) == (b"value",)


def a_slice_ends_with_what_is_too_much_for_a_reply(d: Driver) -> None:
    tids = [f"t{number}" for number in range(200)]
    ep = d.started(*tids)
    d.claim(ep, *tids)
    for tid in tids:
        d.complete(ep, tid, blob=b"x" * 20_000)
    answered = d.ledger.call(commands.open_part(d.thread, "", ep, ThreadKey.writes, 0))
    assert answered is not None
    cursor, part = answered
    assert cursor
    assert 50 < len(part) < 75


def what_is_large_of_an_open_superstep_is_read_apart(d: Driver) -> None:
    tids = [f"t{number}" for number in range(20)]
    ep = d.started(*tids)
    d.claim(ep, *tids)
    for tid in tids:
        d.complete(ep, tid, blob=b"x" * 100_000)
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert (loaded.wide, loaded.writes) == (True, {})
    assert set(d.writes()) == set(tids)


def the_parts_of_an_open_superstep_share_a_reply(d: Driver) -> None:
    tids, large = [f"t{number}" for number in range(20)], b"x" * (Limit.inline_writes // 30)
    step = superstep("cp-0", *tids, "open")
    step = replace(step, tasks=tuple(replace(task, blob=large) for task in step.tasks))
    ep = d.start(step).ep
    d.claim(ep, *tids)
    for tid in tids:
        d.complete(ep, tid, blob=large)
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert loaded.wide


def names_of_fields_are_read_at_once(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    d.client.hset(d.thread.checkpoints, mapping={f"v||{n}": "x" * 99 for n in range(900)})
    cursor, names = d.ledger.call(commands.fields(d.thread, 0))
    assert not cursor
    assert len(names) > 900


def a_waiting_thread_goes_on_with_all_that_it_had(d: Driver) -> None:
    ep = d.start(replace(superstep("cp-0", "a", "b"), caller_writes=(b"written",))).ep
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    d.ledger.complete(
        d.thread, "", ep, (ResultEntry("b", "", b"q", questions=(QuestionEntry("q1"),)),),
        tok="t", tok2="adv", lease_ms=LEASE,
    )  # fmt: skip
    before = d.ledger.load(d.thread)
    assert before is not None
    assert (before.writes, before.caller_writes.blobs) == ({"a": b"writes"}, (b"written",))
    assert d.answer("b", "q1").status == "go"
    context = d.claim(ep, "b").context
    assert context is not None
    assert context.caller_writes.blobs == (b"written",)
    assert (d.writes(), d.states()) == ({"a": b"writes"}, {"a": "D", "b": "R"})
    assert "z" not in d.stored()


def a_waiting_thread_is_removed_with_all_that_it_has(d: Driver) -> None:
    asking(d, "a")
    d.ledger.delete(d.thread)
    assert d.stored() == set()


GUARDS = (
    Guard(
        what_is_small_is_one_text_while_it_waits,
        "pack.lua",
        "      numbers[id] = '#' .. #ids\n",
        "",
    ),
    Guard(
        what_is_small_is_one_text_while_it_waits,
        "pack.lua",
        "if kind then list[i] =",
        "if false then list[i] =",
    ),
    Guard(
        what_is_small_is_one_text_while_it_waits,
        "barrier.lua",
        "    if ns == '' then freeze() end\n",
        "",
    ),
    Guard(what_is_small_is_one_text_while_it_waits, "barrier.lua", "    pack_step(ns)\n", ""),
    Guard(
        many_fields_stay_a_hash,
        "frozen.lua",
        "  if call('HLEN', C) > LIMIT.frozen_fields then return end\n",
        "",
    ),
    Guard(
        large_values_stay_in_a_hash,
        "frozen.lua",
        "  if #text > LIMIT.frozen_bytes then return end\n",
        "",
    ),
    Guard(
        many_tasks_keep_their_keys,
        "pack.lua",
        "  if size > LIMIT.packed_fields then return end\n",
        "",
    ),
    Guard(
        many_tasks_keep_their_keys,
        "pack.lua",
        "    size = size + fields\n",
        "",
    ),
    Guard(
        large_writes_keep_their_keys,
        "pack.lua",
        "  if #text > LIMIT.packed_bytes then return end\n",
        "",
    ),
    Guard(
        a_waiting_thread_tells_its_history,
        "history.lua",
        "  for i = 1, #list, 2 do fields[#fields + 1] = list[i] end\n",
        "",
    ),
    Guard(
        a_slice_ends_with_what_is_too_much_for_a_reply,
        "scan.lua",
        " or room < 0",
        "",
    ),
    Guard(
        a_slice_ends_with_what_is_too_much_for_a_reply,
        "scan.lua",
        "'COUNT', 1)",
        "'COUNT', LIMIT.slice)",
    ),
    Guard(
        what_is_large_of_an_open_superstep_is_read_apart,
        "loaded.lua",
        "cursor == '0' and found or nil",
        "found",
    ),
    Guard(
        the_parts_of_an_open_superstep_share_a_reply,
        "loaded.lua",
        "  for _, item in ipairs(found) do room = room - #item end\n",
        "",
    ),
    Guard(
        names_of_fields_are_read_at_once,
        "fields.lua",
        "call('HLEN', C) <= LIMIT.named",
        "call('HLEN', C) < 1",
    ),
    Guard(
        a_waiting_thread_tells_its_history,
        "fields.lua",
        "  for i = 1, #frozen, 2 do names[#names + 1] = frozen[i] end\n",
        "",
    ),
    Guard(
        a_waiting_thread_goes_on_with_all_that_it_had,
        "answer.lua",
        "restore_step('')\n",
        "",
    ),
    Guard(a_waiting_thread_goes_on_with_all_that_it_had, "answer.lua", "thaw()\n", ""),
    Guard(a_waiting_thread_is_removed_with_all_that_it_has, "delete.lua", "thaw()\n", ""),
)
