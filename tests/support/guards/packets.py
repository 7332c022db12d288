"""Guards of packets: each reaches its task alone, and lasts as long as what refers to it."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis import commands, keys, packets
from checkpoint_redis.bundles import Bundle, packet_name
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import Limit, PacketName, ThreadKey
from checkpoint_redis.readings import Context
from checkpoint_redis.records import (
    CheckpointEntry,
    InnerEntry,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.replies import Recorded
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver, nonce, superstep

SMALL = Bundle("small", (b"one", b"two"))
LARGE = Bundle(f"{PacketName.apart}large", (b"one", b"two"))
STAGED = Bundle(f"{PacketName.apart}staged", (b"x",) * (Limit.inline_packets + 1))
ALL = (SMALL, LARGE, STAGED)


def stage(d: Driver, *bundles: Bundle) -> None:
    for command in packets.stage(d.thread, bundles):
        d.ledger.call(command)


def sending(*bundles: Bundle, cp: str = "cp-0") -> SuperstepEntry:
    """Return a superstep with two tasks for the packets of each bundle: the first and the last."""
    step = superstep(cp)
    checkpoint = replace(step.checkpoints[0], packets=bundles)
    tasks = tuple(
        TaskEntry(f"{each.name} {n}", b"task", packet=packet_name(each.name, n))
        for each in bundles
        for n in (0, len(each.blobs) - 1)
    )
    return replace(step, checkpoints=(checkpoint,), tasks=tasks)


def sent(d: Driver, ep: str, tid: str, *bundles: Bundle) -> Recorded:
    result = ResultEntry(tid, "", b"writes", packets=bundles)
    return d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)


def kept(d: Driver) -> set[str]:
    """Return the bundles of which something is stored, and does not lapse."""
    names = d.client.keys(f"{d.thread.prefix}{ThreadKey.bundle}*")
    found = {name.decode().rpartition(":")[2] for name in names if d.client.pttl(name) == -1}
    fields = (field.decode() for field in d.client.hkeys(d.thread.checkpoints))
    small = (field for field in fields if field.startswith(keys.packet_field("", "")))
    return found | {field.rpartition("|")[2].partition(PacketName.separator)[0] for field in small}


def named(d: Driver) -> set[str]:
    return {name.decode() for name in d.client.smembers(f"{d.thread.prefix}{ThreadKey.bundles}")}


def given(d: Driver, ep: str, tid: str) -> bytes | None:
    (task,) = d.claim(ep, tid).tasks
    return task.packet


def a_task_is_given_its_own_packet(d: Driver) -> None:
    stage(d, STAGED)
    ep = d.start(sending(*ALL)).ep
    for bundle in ALL:
        last = len(bundle.blobs) - 1
        assert given(d, ep, f"{bundle.name} 0") == bundle.blobs[0]
        assert given(d, ep, f"{bundle.name} {last}") == bundle.blobs[last]


def a_task_without_a_packet_is_given_none(d: Driver) -> None:
    assert given(d, d.started("a"), "a") is None


def what_is_kept_does_not_lapse(d: Driver) -> None:
    stage(d, STAGED)
    d.start(sending(*ALL))
    assert kept(d) == {bundle.name for bundle in ALL}
    assert named(d) == {LARGE.name, STAGED.name}


def what_nobody_keeps_lapses(d: Driver) -> None:
    stage(d, STAGED)
    assert 0 < d.client.pttl(f"{d.thread.prefix}{ThreadKey.bundle}{STAGED.name}") <= 600_000


def a_start_whose_packets_have_lapsed_is_refused(d: Driver) -> None:
    number, part = next(STAGED.slices())
    d.ledger.call(commands.stage_packets(d.thread, STAGED.name, number, part))
    assert d.start(sending(STAGED)).status == "unstaged"
    assert d.status == ""


def an_update_whose_packets_have_lapsed_is_refused(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    (checkpoint,) = sending(STAGED, cp="cp-1").checkpoints
    reply = d.ledger.update(d.thread, (checkpoint,), expect="cp-0", ep=nonce(), waiting=False)
    assert reply.status == "conflict"


def a_checkpoint_whose_packets_have_lapsed_is_not_put(d: Driver) -> None:
    (checkpoint,) = sending(STAGED).checkpoints
    put = commands.put(d.thread, FrameName(""), checkpoint, ep="e")
    assert d.ledger.call(put).status == "unstored"
    assert d.stored() == set()


def a_result_whose_packets_have_lapsed_is_not_taken(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    assert sent(d, ep, "a", STAGED).statuses == ("stale",)
    assert d.states() == {"a": "R"}


def what_a_graph_inside_sent_is_looked_for(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    for bundle, kept in ((STAGED, "gone"), (LARGE, "ok")):
        entry = InnerEntry(FrameName("a:a"), "", "", (), sending(bundle).checkpoints)
        assert d.ledger.inner(d.thread, ep, "a", entry, tok="t", new_ep=nonce()) == kept


def what_a_task_sent_is_there_after_the_commit(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    sent(d, ep, "a", SMALL, LARGE)
    step = replace(sending(SMALL, LARGE, cp="cp-1"), checkpoints=superstep("cp-1").checkpoints)
    assert d.commit(ep, step).status == "go"
    assert given(d, step.ep, f"{SMALL.name} 1") == b"two"
    assert given(d, step.ep, f"{LARGE.name} 1") == b"two"
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert kept(d) == {SMALL.name, LARGE.name}


def packets_are_read_as_many_as_fit(d: Driver) -> None:
    heavy = Bundle(LARGE.name, (b"x" * 600_000, b"y" * 600_000, b"z"))
    stage(d, heavy)
    d.start(sending(heavy))
    names = tuple(packet_name(heavy.name, n) for n in (0, 1, 2, 3))
    assert d.ledger.call(commands.packets(d.thread, "", names)) == heavy.blobs[:1]
    assert d.ledger.call(commands.packets(d.thread, "", names[1:])) == (*heavy.blobs[1:], None)


def reading(d: Driver, *tasks: TaskEntry) -> Context:
    """Start these tasks, and return what the claim of the first one brings."""
    blobs = {f"{name}@1": name.encode() for name in "abc"}
    checkpoint = CheckpointEntry("cp", b"cp", 0, tuple(blobs), blobs)
    ep = d.start(SuperstepEntry(nonce(), (checkpoint,), tasks, "go")).ep
    context = d.claim(ep, tasks[0].id).context
    assert context is not None
    return context


def a_task_is_brought_what_it_reads(d: Driver) -> None:
    tasks = TaskEntry("s", b"s", reads=("a", "c", "x")), TaskEntry("t", b"t", reads=("b",))
    context = reading(d, *tasks)
    assert (context.checkpoint, context.channels) == (None, {"a@1": b"a", "c@1": b"c"})


def a_task_that_will_commit_is_brought_the_state(d: Driver) -> None:
    context = reading(d, TaskEntry("s", b"s", reads=("a",)))
    assert (context.checkpoint, len(context.channels)) == (b"cp", 3)


def a_task_that_reads_nothing_is_brought_nothing(d: Driver) -> None:
    context = reading(d, TaskEntry("s", b"s"))
    assert (context.checkpoint, context.channels) == (None, {})


LAPSED = "if not all_staged({}) then return {{REPLY.{}}} end\n"


def a_slice_that_comes_late_lets_nothing_lapse(d: Driver) -> None:
    stage(d, STAGED)
    d.start(sending(STAGED))
    stage(d, STAGED)
    assert kept(d) == {STAGED.name}


GUARDS = (
    Guard(
        a_slice_that_comes_late_lets_nothing_lapse,
        "stage_packets.lua",
        "if call('SISMEMBER', P .. KEY.bundles, A.bundle) == 1 then return 1 end\n",
        "",
    ),
    Guard(
        a_task_is_given_its_own_packet,
        "claim.lua",
        "task[TASK.packet] ~= '' and packet(A.ns, task[TASK.packet])",
        "false",
    ),
    Guard(
        a_task_without_a_packet_is_given_none,
        "claim.lua",
        "task[TASK.packet] ~= '' and packet(",
        "'' .. packet(",
    ),
    Guard(what_is_kept_does_not_lapse, "packet.lua", "else call('PERSIST', key) end", "end"),
    Guard(
        what_is_kept_does_not_lapse,
        "packet.lua",
        "    if is_apart(bundle) then call('SADD', P .. KEY.bundles, bundle) end\n",
        "",
    ),
    Guard(
        what_nobody_keeps_lapses, "stage_packets.lua", "call('PEXPIRE', key, LIMIT.staged_ms)\n", ""
    ),
    Guard(
        a_start_whose_packets_have_lapsed_is_refused,
        "start.lua",
        "if not checkpoints_are_staged(A.step.checkpoints) then return {REPLY.unstaged} end\n",
        "",
    ),
    Guard(
        a_start_whose_packets_have_lapsed_is_refused,
        "packet.lua",
        "call('HLEN', key) ~= row[PACKETS.size]",
        "call('HLEN', key) == 0",
    ),
    Guard(
        an_update_whose_packets_have_lapsed_is_refused,
        "update.lua",
        "if not checkpoints_are_staged(A.checkpoints) then return {REPLY.conflict, head} end\n",
        "",
    ),
    Guard(
        a_checkpoint_whose_packets_have_lapsed_is_not_put,
        "put.lua",
        LAPSED.format("A.checkpoint[CHECKPOINT.packets]", "unstored"),
        "",
    ),
    Guard(
        a_result_whose_packets_have_lapsed_is_not_taken,
        "finished.lua",
        "if not all_staged(result[RESULT.packets]) then return REPLY.stale end\n",
        "",
    ),
    Guard(
        what_a_graph_inside_sent_is_looked_for,
        "inner.lua",
        "if not checkpoints_are_staged(A.checkpoints) then return REPLY.gone end\n",
        "",
    ),
    Guard(
        what_a_task_sent_is_there_after_the_commit,
        "drop.lua",
        "not committed and (at_rest",
        "(at_rest",
    ),
    Guard(
        packets_are_read_as_many_as_fit,
        "packets.lua",
        "  if size > LIMIT.inline_writes and i > 1 then break end\n",
        "",
    ),
    Guard(a_task_is_brought_what_it_reads, "claim.lua", "reads and is_alone(A.ns)", "reads"),
    Guard(
        a_task_is_brought_what_it_reads,
        "channels.lua",
        "if wanted[string.match(name, '^(.*)@')] then",
        "if true then",
    ),
    Guard(
        a_task_that_will_commit_is_brought_the_state,
        "claim.lua",
        "local all = reads and is_alone(A.ns)",
        "local all = false",
    ),
    Guard(
        a_task_that_reads_nothing_is_brought_nothing,
        "claim.lua",
        "reads and is_alone(A.ns)",
        "is_alone(A.ns)",
    ),
)
