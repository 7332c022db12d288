"""A virtual worker: a generator that runs one script a step, so that it may end or stop between."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping

from checkpoint_redis import commands
from checkpoint_redis.bundles import Bundle
from checkpoint_redis.commands import Script
from checkpoint_redis.layout import PartedRow, QuestionId, SpanRow
from checkpoint_redis.readings import Context
from checkpoint_redis.records import Lease, QuestionEntry, ResultEntry
from checkpoint_redis.replies import Advance, Claimed, ClaimedTask, OutboxEntry, Recorded
from tests.support.sim.called import Call
from tests.support.sim.packets import bundle_name, bundles_of, packet_of
from tests.support.sim.plan import (
    Planned,
    calls,
    following,
    kind_of,
    question,
    questions,
    stops,
    tids,
)
from tests.support.sim.shelf import Shelf
from tests.support.sim.world import GRAPHS, MANY, World

LEASE_MS, RETRY_MS = 25_000, 5_000
SERVED = tuple(f"{graph}@1" for graph in GRAPHS)
Reducing = tuple[str, Advance | None]
NOTHING: Reducing = ("", None)
SHARED = 0.7
Carried = tuple[ClaimedTask, str]
"""A task, and how the call of its graph ended, '' when it calls none."""


class Worker:
    """`phase` tells what it did last, '' when it is free."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._shelf = Shelf(world)
        self._job: Iterator[str] | None = None
        self._held: tuple[str, tuple[str, ...]] | None = None
        self._shares: list[Script[int]] = []
        self.phase = ""
        self.paused_until = 0

    def step(self, now: int) -> None:
        if self._job is not None:
            if self.paused_until <= now:
                self.phase = next(self._job, "")
                self._job = self._job if self.phase else None
        elif message := self._world.take():
            self._share()
            self._job = self._work(message)

    def crash(self) -> None:
        """End at once; often its main process lives on and tells, or it was a shutdown."""
        held, self._job, self._held, self.phase = self._held, None, None, ""
        self._shares.clear()
        world = self._world
        if held and world.draw.chance(0.5):
            released = world.call(
                commands.release(
                    world.thread, "", held[0], held[1],
                    owner=self._name, max_lost=MANY, given_back=world.draw.chance(0.5),
                )
            )  # fmt: skip
            world.send(*released.hints)

    def _work(self, hint: OutboxEntry) -> Iterator[str]:
        world, tok = self._world, self._world.draw.nonce()
        if hint.tid == "@":
            claim = commands.claim_advance(
                world.thread, "", hint.ep,
                tok=tok, lease_ms=LEASE_MS, served=SERVED, max_advances=MANY,
                known=self._shelf.reach(),
            )  # fmt: skip
            advance: Advance | None = self._shelf.checked(world.call(claim))
            yield "claimed"
        else:
            tok, advance = yield from self._execute(hint, tok)
        if advance is not None and advance.status == "advance":
            yield from self._reduce(hint.ep, tok, advance)

    # --- tasks -----------------------------------------------------------------------------------

    def _execute(self, hint: OutboxEntry, tok: str) -> Generator[str, None, Reducing]:
        world, ep = self._world, hint.ep
        more = world.take(ep) if world.draw.chance(0.3) else None
        tids = tuple(dict.fromkeys([hint.tid, *([more.tid] if more else [])]))
        claimed = world.call(
            commands.claim(
                world.thread, "", ep, tids,
                tok=tok, owner=self._name, lease_ms=LEASE_MS, served=SERVED,
                known=self._shelf.reach(),
            )
        )  # fmt: skip
        if claimed.status != "ok":
            return NOTHING
        for task in claimed.tasks:
            if task.status == "ok":
                world.accepted.check_failures(ep, task)
        assert claimed.context is not None
        world.check_brought(claimed)
        self._shelf.check(claimed.context)
        self._held = (ep, tids)
        yield "claimed"
        self._live(ep, tok, claimed.context.head.run, tids)
        yield "ran"
        mine = yield from self._called(ep, tok, claimed, claimed.context)
        return (yield from self._report(ep, tok, mine, claimed.context))

    def _called(
        self, ep: str, tok: str, claimed: Claimed, context: Context
    ) -> Generator[str, None, list[Carried]]:
        """Carry the graphs that tasks call; return the tasks whose attempts were not given up."""
        inside, left = Call(self._world, ep, tok, self._name, context.head.cp), list[Carried]()
        for task in (each for each in claimed.tasks if each.status == "ok"):
            ended = (yield from inside.carry(task)) if calls(task.tid) else ""
            left += [(task, ended)] if ended or not calls(task.tid) else []
        return left

    def _live(self, ep: str, tok: str, run: str, tids: tuple[str, ...]) -> None:
        """Give a sign of life now and then: a heartbeat, an event of the node's own."""
        world = self._world
        if world.draw.chance(0.2):
            leases = tuple(Lease(world.thread.x, "", ep, tid, tok) for tid in tids)
            namespace, shard = world.thread.namespace, world.thread.shard
            world.call(commands.beat(namespace, shard, leases, lease_ms=LEASE_MS))
        if world.draw.chance(0.1):
            chunks = (f"1 {tok}".encode(), f"2 {tok}".encode())
            world.call(
                commands.emit(world.thread, run, "", tids[0], tok=tok, first=1, blobs=chunks)
            )

    def _report(
        self, ep: str, tok: str, mine: list[Carried], context: Context
    ) -> Generator[str, None, Reducing]:
        """Complete, or where the task is alone finish, and publish what follows."""
        world, token = self._world, self._world.draw.nonce()
        results = tuple(r for each in mine if (r := self._attempt(ep, tok, *each)))
        if not results:
            return NOTHING
        for result in results:
            world.stage_packets(result.packets)
        alone = context.checkpoint is not None and not results[0].questions
        if not alone or world.draw.chance(0.2):
            command = commands.complete(
                world.thread, "", ep, results, tok=tok, tok2=token, lease_ms=LEASE_MS,
                known=self._shelf.reach(),
            )  # fmt: skip
            recorded = world.call(command)
            world.accepted.check_taken(ep, recorded)
            advance = self._shelf.checked(recorded.advance)
            self._held = None
            yield "reported"
            return token, advance
        planned = self._following(context, {results[0].tid: results[0].blob})
        yield "finishing"
        reply = world.call(
            commands.finish(
                world.thread, "", ep, results[0], planned.entry,
                tok=tok, tok2=token, lease_ms=LEASE_MS,
                caller_writes=len(context.caller_writes.blobs), known=self._shelf.reach(),
            )
        )  # fmt: skip
        world.accepted.check_taken(ep, reply)
        advance = self._shelf.checked(reply.advance) if isinstance(reply, Recorded) else None
        self._held = None
        yield "reported"
        if isinstance(reply, Recorded):
            return token, advance
        if reply.status in ("go", "again"):
            self._shelf.keep(planned)
            world.publish(planned)
            self._note(context.head.cp, {results[0].tid: results[0].blob}, planned)
        return NOTHING

    def _attempt(self, ep: str, tok: str, task: ClaimedTask, ended: str) -> ResultEntry | None:
        """Run a task's node: it ends with writes, with questions, or fails."""
        world = self._world
        if kind_of(task.tid) == "flaky" and world.draw.fault(0.5):
            retry_in = RETRY_MS if world.draw.chance(0.6) else -1
            command = commands.fail(
                world.thread, "", ep, task.tid, tok=tok, error=b"e", retry_in_ms=retry_in
            )
            if world.call(command).status == "retry":
                world.accepted.failures[ep, task.tid] += 1
            return None
        given = [blob.decode() for blob in task.answers]
        asked = tuple(
            question(iid, world.draw.ends(task.tid)) for iid in questions(task.tid, len(given), tok)
        )
        if stops(task.tid, task.rnd):
            asked = (QuestionEntry(QuestionId.stopped),)
        assert task.packet == packet_of(task.tid), f"{task.tid} was given {task.packet!r}"
        name = bundle_name(world.draw.nonce())
        blob = json.dumps([task.blob.decode(), given, name, ended]).encode()
        packets = () if asked else sent_by(task.tid, name)
        return ResultEntry(task.tid, task.rnd, blob, blob, asked, packets=packets)

    # --- what results share with values ---

    def _note(self, cp: str, writes: Mapping[str, bytes], planned: Planned) -> None:
        parts = parts_in(writes, planned.entry.checkpoints[-1].channels)
        self._shares.append(commands.share(self._world.thread, "", cp, parts))

    def _share(self) -> None:
        """Have what results share stored once, now that others went on; a reply may be lost."""
        ledger, draw = self._world.ledger, self._world.draw.sharing
        for command in self._shares:
            if draw.random() < SHARED:
                replies = {ledger.call(command) for _ in range(draw.choice((1, 1, 2)))}
                assert len(replies) == 1, f"a share answered {replies} when it was repeated"
        self._shares.clear()

    # --- supersteps ------------------------------------------------------------------------------

    def _following(self, context: Context, writes: Mapping[str, bytes]) -> Planned:
        planned = following(self._world.draw, context, writes)
        self._world.stage(planned)
        return planned

    def _reduce(self, ep: str, advtok: str, advance: Advance) -> Iterator[str]:
        world = self._world
        assert advance.context is not None
        assert advance.writes is not None
        yield "reduce"
        if world.draw.fault(0.2):
            world.call(commands.fail_advance(world.thread, "", ep, advtok=advtok, error=b"reducer"))
            return
        planned = self._following(advance.context, advance.writes)
        yield "reduce"
        commit = commands.commit(world.thread, "", ep, planned.entry, advtok=advtok)
        reply = world.call(commit)
        if reply.status == "unstaged":  # a fail-over took what was staged
            world.stage(planned)
            reply = world.call(commit)
        if reply.status in ("go", "again"):
            yield "committed"
            self._shelf.keep(planned)
            world.publish(planned)
            self._note(advance.context.head.cp, advance.writes, planned)


def parts_in(results: Mapping[str, bytes], values: Mapping[str, bytes]) -> tuple[PartedRow, ...]:
    """Return what of results stands in the value that each checkpoint of its own has."""
    own = [name for name in values if name.startswith("c@")]
    spans = {
        tid: tuple(
            SpanRow(name, result.index(values[name]) + 1, 1, len(values[name]))
            for name in own
            if values[name] in result
        )
        for tid, result in results.items()
    }
    return tuple(PartedRow(tid, found) for tid, found in spans.items() if found)


def sent_by(tid: str, name: str) -> tuple[Bundle, ...]:
    """Return what a task sends: the first of a superstep has a packet for each of the next one."""
    number, i = tid.split(".")
    return bundles_of(name, tids(int(number) + 1)) if i == "0" else ()
