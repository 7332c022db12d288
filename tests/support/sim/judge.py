"""What must be true at every moment, and of the history in the end; AssertionError if it is not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from checkpoint_redis import commands, events, keys, loading, references
from checkpoint_redis.about import Sought
from checkpoint_redis.bundles import packet_name
from checkpoint_redis.layout import EventKind, IndexName, ThreadStatus
from checkpoint_redis.readings import CallerWrites
from distgraph.effects import carry
from tests.support.sim.accepted import MARKS
from tests.support.sim.called import check_called, check_nothing_open, check_shared
from tests.support.sim.packets import packet_of
from tests.support.sim.plan import (
    PLAN,
    Known,
    State,
    calls,
    check_given,
    digest,
    number_of,
    questions_of,
    tids,
)
from tests.support.sim.world import GRAPHS, World

# The indexes tell the status, the graph, and when the thread changed; questions are found by their
# ids; what rests has nothing due but deadlines of its questions; only events expire, and not those
# of a run that is followed.
MOMENT = """
local st, updated = unpack(redis.call('HMGET', KEYS[1], 'st', 'upd'))
local wanted = {['s:' .. tostring(st)] = true}
for _, set in ipairs(cjson.decode(ARGV[4])) do wanted[set] = true end
for _, set in ipairs(cjson.decode(ARGV[3])) do
  local score = redis.call('ZSCORE', ARGV[1] .. 'ix:' .. set, ARGV[2])
  if score ~= (st and wanted[set] and updated or false) then
    return tostring(st) .. ' at ' .. tostring(updated) .. ', but not so in ix:' .. set
  end
end
local lasting = {'h', 'c', 's:', 'w:', 'u:', 'a:', 'q:', 'o:', 'm:', 'v:', 'r:', 'fs',
  st == 'busy' and 'e' or nil}
for _, kind in ipairs(lasting) do
  if redis.call('PTTL', string.sub(KEYS[1], 1, -2) .. kind) >= 0 then return kind .. ' expires' end
end
local asked, prefix = 0, string.sub(KEYS[1], 1, -2)
for _, part in ipairs({'u:', 'v:'}) do
  for _, text in ipairs(redis.call('HVALS', prefix .. part)) do
    for _, question in ipairs(cjson.decode(text)) do
      if question[2] ~= 'stopped' then
        asked = asked + 1
        if redis.call('HEXISTS', prefix .. 's:', 'q|' .. question[2]) == 0 then
          return question[2] .. ' is not found by its id'
        end
      end
    end
  end
end
for _, field in ipairs(redis.call('HKEYS', prefix .. 's:')) do
  if string.sub(field, 1, 2) == 'q|' then asked = asked - 1 end
end
if asked ~= 0 then return -asked .. ' questions are found that nobody asks' end
if st == 'busy' or st == 'error' then return '' end
if redis.call('ZCARD', ARGV[1] .. 'ob') > 0 then return tostring(st) .. ', with an outbox' end
for _, member in ipairs(redis.call('ZRANGE', ARGV[1] .. 'due', 0, -1)) do
  -- What is put aside goes whatever the thread does.
  local aside = string.find(member, '|g$')
  if not aside and (st ~= 'interrupted' or not string.find(member, '|i$')) then
    return tostring(st) .. ', but due is ' .. member
  end
end
return ''
"""
SETS = sorted(
    [
        IndexName.all.value,
        *(f"{IndexName.status}{status}" for status in ThreadStatus),
        *(f"{IndexName.graph}{graph}" for graph in GRAPHS),
        *(f"{IndexName.mark}{mark}" for mark in MARKS),
    ]
)
ENDED = {"success", "error", "interrupted", "cancelled", "joined"}


class Judge:
    def __init__(self, world: World) -> None:
        self._world = world
        self._moment = world.client.register_script(MOMENT)

    def check_moment(self) -> None:
        world = self._world
        sets = [json.dumps(SETS), json.dumps(sorted(world.accepted.indexes()))]
        wrong = self._moment([world.thread.header], [world.shard, world.thread.x, *sets])
        assert not wrong, f"at a moment: {wrong.decode()}"

    def check_end(self) -> None:
        """The run has ended: its history is whole, and nothing is left but that."""
        self.check_moment()
        known = self._stored()
        commits = Counter(each.parent for each in known.values() if each.kind == "commit")
        twice = {cp for cp in commits if commits[cp] > 1}
        # A removal moves the head first, and a run may go on from there before the rest is gone.
        assert not twice or self._world.accepted.torn, f"committed twice: {twice}"
        self._check_history(known)
        self._check_caller_writes(known, set(commits), twice)
        self._check_outcomes()
        self._check_events()
        check_nothing_open(self._world)
        self._check_rest()
        self._check_listing()
        self._check_packets(known)
        self._check_lists(known)
        self._check_logs(known)
        self._check_found()

    def _stored(self) -> dict[str, Known]:
        fields = self._world.client.hgetall(self._world.thread.checkpoints)
        prefix = b"k||"
        return {
            field.removeprefix(prefix).decode(): Known.read(fields[field])
            for field in fields
            if field.startswith(prefix)
        }

    # --- the history -----------------------------------------------------------------------------

    def _check_history(self, known: dict[str, Known]) -> None:
        header = self._world.ledger.header(self._world.thread)
        assert header is not None
        cp, recorded = header.cp, self._recorded()
        assert number_of(cp) == len(PLAN), f"the last superstep is missing: {cp}"
        if known[cp].run != header.run:
            recorded = {}  # the checkpoints of the last run were removed
        while known[cp].kind != "input":
            if self._is_removed(known[cp]):
                return
            after, before = known[cp], known[known[cp].parent]
            committed = after.kind == "commit"
            assert number_of(cp) == number_of(after.parent) + committed
            if committed:
                self._check_superstep(after, before, recorded)
            else:
                assert digest(before.state) == digest(without_update(after.state, cp))
            cp = after.parent
        assert number_of(cp) == 0

    def _is_removed(self, after: Known) -> bool:
        """Tell whether it is right that its parent is missing; a saver puts without one too."""
        field = keys.checkpoint_field("", after.parent)
        return field in self._world.accepted.removed or (
            after.kind == "put"
            and not self._world.client.hexists(self._world.thread.checkpoints, field)
        )

    def _check_left(self, cp: str, writes: Mapping[str, str]) -> None:
        """What the tasks left that were committed stands beside the checkpoint they ran from."""
        thread, ledger = self._world.thread, self._world.ledger
        (kept,) = ledger.left(thread, "", (cp,))
        found = carry(loading.left(thread, "", cp, kept), ledger.call)
        left = {task.tid: task.result.decode() for task in found}
        assert left == writes, f"{cp} keeps {left} of {writes}"
        given = {task.tid: len(task.answers) for task in found}
        for tid, answers in given.items():
            assert answers == questions_of(tid), f"{tid} has {answers} answers"

    def _check_superstep(self, after: Known, before: Known, recorded: dict[str, str]) -> None:
        number, seen, writes = number_of(after.parent), digest(before.state), after.writes or {}
        assert sorted(writes) == list(tids(number)), f"superstep {number}: {writes}"
        assert after.before == seen, f"superstep {number}: reduced on another state"
        if after.parent not in self._world.accepted.noted:
            self._check_left(after.parent, writes)
        check_shared({tid: json.loads(writes[tid])[3] for tid in writes})
        for tid in writes:
            task_saw, given, _, ended = json.loads(writes[tid])
            assert task_saw == seen, f"{tid} computed from another state"
            assert len(given) == questions_of(tid), f"{tid} was given {given}"
            if calls(tid):
                check_called(self._world, tid, after.parent, ended)
            check_given(self._world.draw, tid, given)
            other = recorded.get(tid, writes[tid])
            assert other == writes[tid], f"{tid}: other writes were recorded"

    def _recorded(self) -> dict[str, str]:
        """Return what the scripts accepted in the last run: task id -> writes.

        Results that come while the run is failed leave no event.
        """
        accepted: dict[str, str] = {}
        for _, fields in self._world.client.xrange(self._world.thread.events):
            _, *payload = json.loads(fields[b"p"])
            if fields[b"k"] == b"run" and payload[0] == "start":
                accepted = {}
            if fields[b"k"] == b"task":
                assert payload[0] not in accepted, f"{payload[0]} was accepted twice"
                accepted[payload[0]] = fields[b"b"].decode()
        return accepted

    def _check_events(self) -> None:
        """None is missing among those that are kept, no chunk and no end is told twice."""
        world = self._world
        told = [events.decode(entry) for entry in world.client.xrange(world.thread.events)]
        numbers = [event.number for event in told]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers
        chunks = Counter(event.blob for event in told if event.kind == EventKind.custom)
        assert not [chunk for chunk in chunks if chunks[chunk] > 1], "a chunk was told twice"
        ends = world.client.xrange(keys.ends(world.thread.namespace, world.thread.shard))
        ended = Counter(events.decode_end(entry).run for entry in ends)
        assert not [run for run in ended if ended[run] > 1], "a run ended twice"
        last = world.ledger.header(world.thread)
        assert last is not None
        assert last.run in ended, "nobody was told of the end"

    # --- what callers wrote, and what is left -----------------------------------------------------

    def _check_caller_writes(
        self, known: dict[str, Known], committed: set[str], twice: set[str]
    ) -> None:
        """What was accepted at a checkpoint is kept there, and in its successor exactly once."""
        world = self._world
        # A start there takes up what was followed, beside a successor that is still to be removed.
        again = world.accepted.returned if world.accepted.torn else set()
        for cp in sorted(known.keys() - world.accepted.noted - world.accepted.given_up):
            written = tuple(world.accepted.writes.get(cp, ()))
            (kept,) = world.ledger.caller_writes(world.thread, "", (cp,))
            # What followed may be removed.
            followed = cp in committed or bool(world.accepted.removed and kept.followed)
            marked = kept.followed if cp in again else followed
            wanted = CallerWrites(written, followed=bool(written) and marked)
            assert kept == wanted, f"{cp} keeps {kept}, and should {wanted}"
        for after in known.values():
            if after.kind == "commit" and after.parent not in world.accepted.noted | twice:
                written = tuple(world.accepted.writes.get(after.parent, ()))
                texts = tuple(record.decode() for record in written)
                there = texts[: len(after.applied)] if after.parent in again else texts
                assert after.applied == there, f"{after.applied} was applied of {texts}"

    def _check_outcomes(self) -> None:
        world = self._world
        header = world.ledger.header(world.thread)
        assert header is not None
        for run in world.accepted.known():
            outcome = world.ledger.outcome(world.thread, run)
            assert outcome is not None, f"the outcome of run {run} is unknown"
            assert outcome.status in ENDED, f"run {run}: {outcome}"
            success = outcome.status == "success" or world.accepted.removed
            assert run != header.run or success, outcome

    def _check_rest(self) -> None:
        world = self._world
        left = world.due()
        assert not left, f"still due: {left}"
        # What was staged by a worker that ended then is lost after ten minutes, and the record of
        # a run that is not the last after an hour.
        lasting = [key for key in world.stored() if world.client.pttl(key) == -1]
        kinds = sorted(key.decode().removeprefix(world.thread.prefix) for key in lasting)
        others = [kind for kind in kinds if kind.startswith(("f:", "j")) or kind == "i"]
        assert {"c", "h"} <= {*kinds} - {*others} <= {"c", "fs", "h"}, f"keys left: {kinds}"
        staged = {key.split(b":")[-2] for key in world.stored() if key not in lasting}
        lapsing = {b"S", b"A", b"Q", b"M", b"g", b"j", b"n", world.thread.x.encode()}
        assert staged <= lapsing, f"keys left: {staged}"

    def _check_listing(self) -> None:
        """Where a list of the checkpoints has come about, it has all of them."""
        thread, client = self._world.thread, self._world.client
        prefix, listed = b"k|", client.zrange(f"{thread.prefix}i", 0, -1)
        fields = client.hkeys(thread.checkpoints)
        stored = {each.removeprefix(prefix) for each in fields if each.startswith(prefix)}
        assert set(listed) in (set(), stored), f"listed are {listed}, and stored {stored}"

    def _check_packets(self, known: dict[str, Known]) -> None:
        """Each checkpoint has the packets of its tasks; torn removals alone leave others."""
        world = self._world
        wanted = {
            packet_name(each.bundle, i): packet_of(tid)
            for cp, each in known.items()
            for i, tid in enumerate(tids(number_of(cp)))
        }
        kept = {name.decode() for name in world.client.smembers(f"{world.thread.prefix}j")}
        found = {
            packet_name(bundle, int(number)): packet
            for bundle in kept
            for number, packet in world.client.hgetall(f"{world.thread.prefix}j:{bundle}").items()
        }
        for field, packet in world.client.hgetall(world.thread.checkpoints).items():
            if field.startswith(b"j||"):
                found[field.removeprefix(b"j||").decode()] = packet
        if world.accepted.torn:
            found = {name: packet for name, packet in found.items() if name in wanted}
        assert found == wanted, f"packets: {found}, and should be {wanted}"
        bundles = world.client.keys(f"{world.thread.prefix}j:*")
        lasting = {key for key in bundles if world.client.pttl(key) == -1}
        named = {f"{world.thread.prefix}j:{bundle}".encode() for bundle in kept}
        assert lasting == named, f"bundles left: {lasting - named}"

    # --- what savers do ---------------------------------------------------------------------------

    def _check_lists(self, known: dict[str, Known]) -> None:
        """Each list is whole; torn removals alone leave values that nothing refers to."""
        world = self._world
        for cp in known:
            world.check_list(cp, {})
        refs = [ref for cp, each in known.items() for ref in each.refs(cp)]
        wanted = {keys.channel_field("", name) for name in references.names(refs)}
        prefix = keys.channel_field("", "")
        fields = [field.decode() for field in world.client.hkeys(world.thread.checkpoints)]
        kept = {field for field in fields if field.startswith(prefix)}
        right = kept >= wanted if world.accepted.torn else kept == wanted
        assert right, f"missing: {wanted - kept}, too many: {kept - wanted}"

    def _check_logs(self, known: dict[str, Known]) -> None:
        """What savers noted of a checkpoint's tasks stands there once, until a run began there."""
        world = self._world
        for cp in known:
            loaded = world.ledger.load(world.thread, "", cp)
            assert loaded is not None
            wanted = tuple(world.accepted.logs.get(cp, ()))
            assert loaded.log == wanted, f"{cp} has the log {loaded.log}, and should {wanted}"

    def _check_found(self) -> None:
        """A list of threads has it with the metadata that it was given last."""
        world, accepted = self._world, self._world.accepted
        sets = sorted(accepted.indexes())
        namespace, shard = world.thread.namespace, world.thread.shard
        sought = Sought(tuple(sets))
        found = world.ledger.call(commands.threads(namespace, shard, sought, "", 100))
        counted = world.ledger.call(commands.count(namespace, shard, sought, ""))
        assert counted.threads == len(found.threads), counted
        (mine,) = [each for each in found.threads if each.x == world.thread.x]
        header = world.ledger.header(world.thread)
        assert header is not None
        assert (mine.graph, mine.run, mine.st) == (accepted.graph, header.run, header.st), mine
        about = json.loads(accepted.about or b"{}")
        assert mine.metadata == about, f"it has {mine.metadata}, and should {about}"


def without_update(state: State, cp: str) -> State:
    nonce = cp.split(".")[2]
    assert f"update {nonce}" in state
    return {name: state[name] for name in state if name != f"update {nonce}"}
