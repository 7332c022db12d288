"""A saver's user: puts checkpoints and notes of tasks, goes on from older ones, removes some.

What takes several commands is a generator, so that others come between two of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from checkpoint_redis import commands, references, saving
from checkpoint_redis.commands import Script
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import Field
from checkpoint_redis.readings import Loaded
from checkpoint_redis.records import CheckpointEntry
from checkpoint_redis.references import Ref
from checkpoint_redis.replies import Changed
from checkpoint_redis.saving import forgetting
from checkpoint_redis.saving.finding import Located
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import CheckpointMetadata
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.packets import Packet
from distgraph.errors import ThreadBusy, ThreadConflict
from tests.support.sim.accepted import Accepted
from tests.support.sim.client import Client
from tests.support.sim.lists import Grown
from tests.support.sim.packets import bundle_name, bundles_of
from tests.support.sim.plan import PLAN, Known, number_of, tids, updated
from tests.support.sim.world import GRAPHS, QUEUE, World

PUT_LATER = 20
"""Within so many steps a checkpoint is put on what was read: it may be gone by then."""
Steps = Generator[str, None, None]


class Keeper:
    """`step` does what there is to do up to the next command."""

    def __init__(self, world: World, client: Client) -> None:
        self._world, self._client = world, client
        self._archive = Records(world.thread.namespace, JsonPlusSerializer())
        self._job: Iterator[str] | None = None

    def step(self) -> None:
        if self._job is None:
            self._job = self._begun()
        if next(self._job, "") == "":
            self._job = None

    def finish(self) -> None:
        """Do the rest of what was begun."""
        for _ in self._job or ():
            pass
        self._job = None

    def _begun(self) -> Iterator[str]:
        draw = self._world.draw
        if not draw.chaos:
            return iter(())
        p = draw.number()
        if p < 0.15:
            return self._remove(saving.prune(self._archive, self._world.thread.thread_id))
        if p < 0.3:
            return self._remove_run()
        if p < 0.4:
            return self._note()
        return self._go_on(draw.one((self._start, self._update, self._put, self._put)))

    # --- another line of checkpoints --------------------------------------------------------------

    def _go_on(self, how: Callable[[Loaded, str], Steps]) -> Steps:
        """Go on from some checkpoint, as it is read."""
        drawn = self._drawn()
        loaded = self._world.ledger.load(self._world.thread, "", drawn) if drawn else None
        yield "chosen"
        if loaded is not None and loaded.checkpoint is not None and number_of(drawn) < len(PLAN):
            yield from how(loaded, drawn)

    def _drawn(self) -> str:
        """Draw a checkpoint of the root, mostly one of the last; '' when there is none."""
        world = self._world
        found = world.ledger.call(commands.history(world.thread, "", "", 8))
        return world.draw.one(found) if found else ""

    def _start(self, loaded: Loaded, cp: str) -> Steps:
        new, after = yield from self._updated(loaded, cp)
        entry = after.entry(new)
        self._client.start(loaded.header.cp, after, (entry,), seen=loaded.header.ep)

    def _update(self, loaded: Loaded, cp: str) -> Steps:
        new, after = yield from self._updated(loaded, cp)
        self._client.update(new, after, expect=loaded.header.cp, seen=loaded.header.ep)

    def _updated(self, loaded: Loaded, cp: str) -> Generator[str, None, tuple[str, Known]]:
        """Plan what follows `cp`, after a look whether somebody else has continued its line."""
        known = Known.read(loaded.checkpoint or b"")
        names = references.names((known.grown.ref,), beyond=True)
        blobs = self._world.channels(names, {})
        yield "looked"
        return updated(self._world.draw, cp, known, blobs)

    def _put(self, loaded: Loaded, cp: str) -> Steps:
        """Put a checkpoint as a saver does, which learns from Redis that a line is taken.

        Either it goes on with the list, or it stores that and goes on with the other value.
        """
        known, draw = Known.read(loaded.checkpoint or b""), self._world.draw
        new, after = updated(draw, cp, known, {})
        own = replace(after, grown=Grown.begun(after.grown.items, draw))
        if shares := draw.chance(0.5):
            after = replace(own, whole=known.whole or cp)
        for _ in range(draw.below(PUT_LATER)):
            yield "computing"
        entry = self._copied(new, after)
        held = [ref for ref in entry.refs if isinstance(ref, str)]
        needs = references.needs(entry.refs, held, entry.channels)
        put = self._given(self._putting(entry, needs, "" if shares else cp))
        if put.status == "unstored":
            yield "unstored"
            put = self._given(self._putting(self._copied(new, own), []))
            assert put.status != "unstored", "a checkpoint that brings everything needs something"

    def _copied(self, cp: str, known: Known) -> CheckpointEntry:
        """Return an entry with packets of its own; what it is put on may be gone."""
        draw = self._world.draw
        own = replace(known, kind="put", bundle=bundle_name(draw.nonce()))
        packets = bundles_of(own.bundle, tids(number_of(cp)))
        self._world.stage_packets(packets)
        return own.entry(cp, packets)

    def _putting(
        self, entry: CheckpointEntry, needs: list[str], after: str = ""
    ) -> Script[Changed]:
        free, ep = tuple(references.free(entry.refs, entry.channels)), self._world.draw.nonce()
        return commands.put(
            self._world.thread, FrameName(), entry,
            ep=ep, needs=tuple(needs), after=after, free=free, graph=GRAPHS[0], fp="1", queue=QUEUE,
        )  # fmt: skip

    def _given(self, put: Script[Changed]) -> Changed:
        """Carry out a put, which makes a thread anew that was removed meanwhile."""
        changed, accepted = self._world.change(put), self._world.accepted
        if changed.status == "ok" and not accepted.graph:
            accepted.stand(GRAPHS[0], (), b"")
        return changed

    # --- what a saver notes, and removes ----------------------------------------------------------

    def _note(self) -> Steps:
        """Note what tasks of a checkpoint wrote; what workers left of them goes along."""
        world, cp = self._world, self._drawn()
        asks, added = world.draw.chance(0.3), (f"noted {world.draw.nonce()}".encode(),)
        noted = self._noted(cp, added, asks=asks)
        if cp and noted.status == "conflict":
            yield "refused"
            world.ledger.load(world.thread, "", cp)
            yield "read"
            self._noted(cp, (b"before", *added), asks=asks, ep=noted.head)

    def _noted(self, cp: str, records: tuple[bytes, ...], *, asks: bool, ep: str = "") -> Changed:
        world = self._world
        noted = world.change(
            commands.put_writes(
                world.thread, "", cp, records, asks=asks, new_ep=world.draw.nonce(), ep=ep
            )
        )
        if noted.status == "ok":
            world.accepted.noted.add(cp)
            world.accepted.logs.setdefault(cp, []).extend(records)
        return noted

    def _remove_run(self) -> Steps:
        """Remove the checkpoints of a run, as the saver's delete_for_runs does with all threads."""
        runs = list(self._world.accepted.submits)
        gone = self._world.draw.one(runs) if runs else ""

        def doomed(found: list[Located], blobs: Mapping[Located, bytes]) -> set[Located]:
            return {each for each in found if self._archive.run(blobs[each]) == gone}

        yield from self._remove(forgetting._forget(self._archive, self._world.thread, doomed))

    def _remove(self, removal: saving.Steps[None]) -> Steps:
        reply: Any = None
        name = self._world.draw.nonce()
        with suppress(ThreadBusy, ThreadConflict):
            while True:
                try:
                    command = removal.send(reply)
                except StopIteration:
                    self._world.accepted.torn.discard(name)
                    return
                yield "removing"
                reply = self._carry_out(command, name)

    def _carry_out(self, command: Any, name: str) -> Any:
        world = self._world
        if not isinstance(command, Script):
            return world.ledger.call(command)
        if command.name not in {"forget", "delete"}:
            return world.call(command)
        head = world.head()
        reply = world.change(command)
        # A delete that is repeated finds nothing any more.
        if command.name == "delete" and reply.status in {"ok", "missing"}:
            world.accepted = Accepted()
        elif reply.status == "ok":
            world.accepted.torn.add(name)
            given = json.loads(command.args[0])
            self._removed(given["fields"])
            if back := {cp for ns, cp, *_ in given["heads"] if ns == ""}:
                world.accepted.given_up.add(head)
                world.accepted.returned |= back
        return reply

    def _removed(self, fields: list[str]) -> None:
        accepted = self._world.accepted
        gone = {field for field in fields if field.startswith(Field.checkpoint)}
        accepted.removed |= gone
        accepted.joined.clear()
        for field in gone:
            accepted.logs.pop(field.removeprefix(f"{Field.checkpoint}|"), None)


class Records(Archive):
    """What removals must know of the simulation's checkpoints."""

    def refs(self, blob: bytes) -> tuple[Ref, ...]:
        fields = json.loads(blob)
        return ("c@1",) if "around" in fields else Known.read(blob).refs(fields["id"])

    def metadata(self, blob: bytes) -> CheckpointMetadata:
        around = json.loads(blob).get("around")
        return {"parents": {"": around}} if around else {}

    def run(self, blob: bytes) -> str:
        return str(json.loads(blob).get("run", ""))

    def packets(self, blob: bytes) -> tuple[Packet, ...]:
        fields = json.loads(blob)
        to = () if "around" in fields else tids(number_of(fields["id"]))
        return tuple(Packet(tid, fields["bundle"], i) for i, tid in enumerate(to))

    def step(self, blob: bytes) -> int:
        fields = json.loads(blob)
        return 0 if "around" in fields else number_of(fields["id"])
