"""What savers are given and give back, as the blobs that Redis holds; pure.

A checkpoint that distgraph made is stored as workers store it, so that either may go on from it.
Any other checkpoint is kept as it is, as a table; workers refuse such a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from checkpoint_redis.bundles import Bundle, Packets, blob_of, bundles
from checkpoint_redis.keys import Thread
from checkpoint_redis.known_lines import KnownLines, Lines, Spot
from checkpoint_redis.known_logs import KnownLogs
from checkpoint_redis.layout import TaskState
from checkpoint_redis.logged import logged, read_log
from checkpoint_redis.readings import LeftTask, Loaded
from checkpoint_redis.records import CheckpointEntry
from checkpoint_redis.references import (
    Blobs,
    Growing,
    Ref,
    name_of,
    needs,
    read_lines,
    read_values,
    refs_of,
    versioned,
)
from distgraph.checkpoint import codec, pending, records
from distgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
)
from distgraph.checkpoint.base.blobs import NULL, RECORD, Typed, dump, dump_packet, load
from distgraph.checkpoint.base.config import Coordinates
from distgraph.checkpoint.base.types import TASKS
from distgraph.checkpoint.blame import blamed, of_checkpoint
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.lines import place
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import TYPE_NAME, JsonPlusSerializer
from distgraph.checkpoint.targets import filled, packets_of, parted, sends_of
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core import model
from distgraph.core.deadlines import times, told
from distgraph.core.packets import Packet
from distgraph.errors import CorruptRecord, SerializationError

_PLAIN = JsonPlusSerializer()
_NONE = _PLAIN.dumps(None)
_VERSION = _NONE[:1]
_NOTHING = model.Checkpoint("", None, 0, "loop", "")
_FOREIGN = b"\xff"
"""First byte of a blob whose serializer names its own format: the name, NUL, the bytes."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What a saver keeps: the threads of a namespace, encoded with its serializer."""

    namespace: str
    serde: SerializerProtocol
    known: KnownLines = field(default_factory=KnownLines, compare=False)
    noted: KnownLogs = field(default_factory=KnownLogs, compare=False)

    def thread(self, thread_id: str) -> Thread:
        """Return the address of a thread; any object counts as its text."""
        return Thread(self.namespace, str(thread_id))

    # --- values ----------------------------------------------------------------------------

    def dump(self, name: str, value: Any) -> bytes:
        """Return the bytes of a value; SerializationError names the channel."""
        return self._bytes(dump(self.serde, name, value))

    def _bytes(self, typed: Typed) -> bytes:
        kind, data = typed
        if typed == NULL:
            return _NONE
        if kind == TYPE_NAME and data[:1] == _VERSION:
            return data
        return _FOREIGN + kind.encode() + b"\0" + data

    def load(self, name: str, blob: bytes) -> Any:
        """Return a value; DeserializationError names the channel."""
        if blob[:1] != _FOREIGN:
            return None if blob == _NONE else load(self.serde, name, (TYPE_NAME, blob))
        kind, _, data = blob[1:].partition(b"\0")
        return load(self.serde, name, (kind.decode(), data))

    # --- checkpoints -----------------------------------------------------------------------

    def entry(  # noqa: PLR0913, PLR0917 what a saver is given, and what is known of its parent
        self,
        under: Coordinates,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        before: Lines,
        nonce: str,
    ) -> CheckpointEntry:
        """Return what is stored of a checkpoint under the parent that ``under`` names.

        ``before``: the lines of that parent. Its Sends are a bundle, named from ``nonce``.
        """
        core, packets = _as_core(under, checkpoint, metadata), tuple[Bundle, ...]()
        growing = self._growing(core, new_versions) if core else frozenset()
        lists = self._lists(core, new_versions, before, growing) if core else Growing()
        if core is None:
            bare = {key: value for key, value in checkpoint.items() if key != "channel_values"}
            saved = {"checkpoint": bare, "metadata": metadata, "parent": under.checkpoint_id}
            record = numbered(Kind.saved, saved)
            versions: Mapping[str, Any] = checkpoint["channel_versions"]
        else:
            core, packets = self._parted(core, nonce)
            placed = replace(core, lines=lists.lines)
            record, versions = records.pack_checkpoint(placed), core.versions
        values = checkpoint["channel_values"]
        step = metadata.get("step")
        return CheckpointEntry(
            id=checkpoint["id"],
            blob=self._dump_record(record, core, metadata),
            step=step if isinstance(step, int) else 0,
            refs=refs_of(versions, lists.lines),
            channels={
                name_of(name, new_versions[name]): self.dump(name, values[name])
                for name in new_versions
                if name in versions and name in values and name not in growing
            }
            | lists.blobs,
            lines=lists.lines,
            packets=packets,
        )

    def _parted(
        self, core: model.Checkpoint, nonce: str
    ) -> tuple[model.Checkpoint, tuple[Bundle, ...]]:
        sends = sends_of(core.frontier)
        made = bundles(nonce, tuple(self._bytes(dump_packet(self.serde, s)) for s in sends))
        names = [replace(core, frontier=parted(core.frontier, each.name)) for each in made]
        return (names[0] if names else core), made

    def _growing(self, core: model.Checkpoint, new: ChannelVersions) -> frozenset[str]:
        """Return the channels among ``new`` that are lists which may stand in segments.

        A serializer of somebody else's may write the same items differently each time.
        """
        known = isinstance(self.serde, JsonPlusSerializer)
        lists = (n for n in core.grown if n in new and type(core.values.get(n)) is list)
        return frozenset(lists if known else ())

    def _lists(
        self, core: model.Checkpoint, new: ChannelVersions, before: Lines, growing: frozenset[str]
    ) -> Growing:
        same = {n: line for n, (ref, line) in before.items() if core.versions.get(n) == ref}
        found = Growing(lines={n: line for n, line in same.items() if n not in new})
        for name in sorted(growing):
            ref, line = before.get(name, (None, None))
            dumps = partial(self.dump, name)
            extended = line if ref == core.grown[name] else None
            limit = getattr(self.serde, "max_bytes", 0)
            placed = place(dumps, limit, str(new[name]), core.values[name], extended)
            found.add(name, str(new[name]), placed)
        return found

    def _dump_record(
        self, record: Any, core: model.Checkpoint | None, metadata: CheckpointMetadata
    ) -> bytes:
        """Return the bytes of a checkpoint's record; SerializationError names the config entry."""
        try:
            return self.dump(RECORD, record)
        except SerializationError as error:
            parts = of_checkpoint(core or replace(_NOTHING, metadata=metadata))
            raise blamed(error, lambda part: self.serde.dumps_typed(part)[1], parts) from error

    def needs(self, entry: CheckpointEntry, checkpoint: Checkpoint) -> tuple[str, ...]:
        """Return the references of ``checkpoint`` whose values are not among what is stored."""
        values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
        held = {name_of(name, ref) for name, ref in versions.items() if name in values}
        return tuple(needs(entry.refs, held, entry.channels))

    def refs(self, blob: bytes) -> tuple[Ref, ...]:
        """Return what the checkpoint of a record refers to."""
        record = self._record(blob)
        if isinstance(record, dict):
            return refs_of(record["checkpoint"]["channel_versions"], {})
        core = records.unpack_checkpoint(record, {})
        return refs_of(core.versions, core.lines)

    def remember(self, at: Spot, checkpoint: Checkpoint, entry: CheckpointEntry) -> None:
        """Remember the lines of a checkpoint that was stored, for who goes on from it."""
        self.known.keep(at, versioned(checkpoint["channel_versions"], entry.lines))

    def lines(self, blob: bytes, channels: Blobs) -> Lines:
        """Return which lists of a record stand in which lines; ``channels`` may close one."""
        record = self._record(blob)
        if isinstance(record, dict):
            return {}
        core = records.unpack_checkpoint(record, {})
        return versioned(core.versions, read_lines(core.lines, channels))

    def packets(self, blob: bytes) -> tuple[Packet, ...]:
        """Return the packets that the checkpoint of a record refers to."""
        record = self._record(blob)
        if isinstance(record, dict):
            return ()
        return packets_of(records.unpack_checkpoint(record, {}).frontier)

    def step(self, blob: bytes) -> int:
        """Return the step of a record."""
        record = self._record(blob)
        if isinstance(record, dict):
            step = record["metadata"].get("step")
            return step if isinstance(step, int) else 0
        return records.unpack_checkpoint(record, {}).step

    def metadata(self, blob: bytes) -> CheckpointMetadata:
        """Return the metadata of a record."""
        record = self._record(blob)
        if isinstance(record, dict):
            return cast(CheckpointMetadata, record["metadata"])
        return codec.metadata_of(records.unpack_checkpoint(record, {}))

    def _record(self, blob: bytes) -> Any:
        """Return a checkpoint's record, or the table of one that distgraph did not make."""
        packed = self.load("__checkpoint__", blob)
        match packed:
            case [_, dict()]:
                (table,) = fields_of(Kind.saved, packed)
                if table.keys() != {"checkpoint", "metadata", "parent"}:
                    raise corrupt(Kind.saved, packed)
                return table
            case list():
                return packed
            case _:
                raise corrupt(Kind.checkpoint, packed)

    def read(
        self,
        place: Coordinates,
        loaded: Loaded,
        channels: Mapping[str, bytes | None],
        packets: Packets,
    ) -> CheckpointTuple:
        """Return the checkpoint that was loaded, with its channel blobs ("channel@ref").

        ``packets`` are its own, and those that the tasks of its open superstep sent.
        """
        record = self._record(loaded.checkpoint or b"")
        if not isinstance(record, dict):
            return self._read_core(place, record, loaded, channels, packets)
        checkpoint = record["checkpoint"]
        versions = checkpoint["channel_versions"]
        checkpoint["channel_values"] = read_values(versions, {}, channels, self.load)
        here = place._replace(checkpoint_id=checkpoint["id"])
        writes = self._pending(loaded, checkpoint["id"], packets)
        return _tuple(here, checkpoint, record["metadata"], record["parent"], writes)

    def _read_core(
        self,
        place: Coordinates,
        record: Any,
        loaded: Loaded,
        channels: Mapping[str, bytes | None],
        packets: Packets,
    ) -> CheckpointTuple:
        bare = records.unpack_checkpoint(record, {})
        core = replace(
            bare,
            values=read_values(bare.versions, bare.lines, channels, self.load),
            frontier=self._filled(bare.frontier, packets),
        )
        if missing := bare.versions.keys() - core.values.keys():
            raise CorruptRecord(f"The values of {sorted(missing)} are not stored.")
        checkpoint, metadata, _ = codec.encode_checkpoint(core)
        here = place._replace(checkpoint_id=core.id)
        writes = self._pending(loaded, core.id, packets)
        return _tuple(here, checkpoint, metadata, core.parent_id, writes)

    def _filled(
        self, targets: tuple[model.Target, ...], packets: Packets
    ) -> tuple[model.Target, ...]:
        return filled(targets, lambda packet: self.load(TASKS, blob_of(packet, packets)))

    # --- pending writes ----------------------------------------------------------------------

    def log_records(
        self, task: str, path: str, writes: Iterable[tuple[str, Any]]
    ) -> tuple[bytes, ...]:
        """Return the records of one ``put_writes``: several of what is long."""
        return logged(task, path, [(name, self.dump(name, value)) for name, value in writes])

    def sent(self, loaded: Loaded) -> tuple[Packet, ...]:
        """Return the packets that the tasks sent of what is open, or over, at a checkpoint."""
        over = (records.unpack_result(self._plain(t.result)) for t in loaded.left or () if t.result)
        results = (*over, *(result for _, result in self._results(loaded)))
        done = (result for result in results if isinstance(result, model.Completed))
        return tuple(packet for result in done for packet in packets_of(result.goto))

    def _pending(self, loaded: Loaded, cp: str, packets: Packets) -> list[PendingWrite]:
        """Return the pending writes of a checkpoint: of its log, or of its open superstep."""
        if loaded.log:
            return list(self._replayed(loaded.log))
        opened = self._noted(loaded, cp, packets)
        return [(task, *write) for task, left in opened for write in left]

    def whole_log(self, loaded: Loaded, cp: str, packets: Packets) -> tuple[bytes, ...]:
        """Return the log of a checkpoint; an open superstep is written as one."""
        if loaded.log:
            return loaded.log
        opened = self._noted(loaded, cp, packets)
        return tuple(each for task, left in opened for each in self.log_records(task, "", left))

    def opened(self, loaded: Loaded, cp: str, packets: Packets) -> tuple[bytes, ...]:
        """Return what is not in the checkpoint's log yet: its open superstep, written as one."""
        return () if loaded.log else self.whole_log(loaded, cp, packets)

    def _noted(self, loaded: Loaded, cp: str, packets: Packets) -> list[pending.TaskWrites]:
        """Return what workers left at a checkpoint, as a saver is given it."""
        over = [part for task in loaded.left or () for part in self._left(task, packets)]
        return [*over, *self._opened(loaded, cp, packets)]

    def _left(self, task: LeftTask, packets: Packets) -> Iterator[pending.TaskWrites]:
        """Yield the calls of ``put_writes`` for a task of a superstep that is over."""
        if answers := self._answers(task.answers):
            yield task.tid, pending.encode_answers(answers)
        passed = (told(self._left_of(each.blob), dict(each.deadlines)) for each in task.asked)
        # Of each kind the last: what it asked, what it failed with.
        last = {type(left): left for left in passed}
        for result in (*last.values(), *([self._left_of(task.result)] if task.result else [])):
            whole = self._whole(_without(result, packets), packets)
            if model.Interrupted not in last:
                whole = _settled(whole)
            yield task.tid, pending.encode_left(whole)

    def _opened(self, loaded: Loaded, cp: str, packets: Packets) -> list[pending.TaskWrites]:
        """Return what workers left in an open superstep, as a saver is given it."""
        released, written = loaded.released, loaded.caller_writes
        left = {tid: self._whole(each, packets) for tid, each in self._results(loaded)}
        # The task around a frame raises what failed in that, as it was.
        is_root = loaded.header.frame is None
        results = {tid: _settled(each) for tid, each in left.items()} if is_root else left
        state = model.ThreadState(
            _NOTHING,
            results=results,
            answers={t.tid: self._answers(t.answers) for t in loaded.tasks if t.answers},
            caller_writes=tuple(self._written(blob, written.followed) for blob in written.blobs),
            released=released if released == cp else "",
            deadlines={tid: times(each) for tid, each in results.items()},
        )
        return pending.encode_changes(None, state)

    def _whole(self, left: model.Result, packets: Packets) -> model.Result:
        if not isinstance(left, model.Completed):
            return left
        return replace(left, goto=self._filled(left.goto, packets))

    def _written(self, blob: bytes, followed: bool) -> model.Completed:
        written = records.unpack_completed(self._plain(blob))
        return replace(written, goto=()) if followed else written

    def _results(self, loaded: Loaded) -> Iterator[tuple[str, model.Result]]:
        for tid, blob in loaded.writes.items():
            yield tid, self._left_of(blob)
        for asked in loaded.questions:
            yield asked.tid, told(self._left_of(asked.blob), dict(asked.questions))
        for task in loaded.tasks:
            if task.st is TaskState.failed and task.error:
                yield task.tid, self._left_of(task.error)

    def _answers(self, blobs: Iterable[bytes]) -> tuple[model.Answer, ...]:
        return tuple(records.unpack_answer(self._plain(blob)) for blob in blobs)

    def _left_of(self, blob: bytes) -> model.Result:
        return records.unpack_result(self._plain(blob))

    def _plain(self, blob: bytes) -> Any:
        return self.load("__result__", blob)

    def _replayed(self, log: Sequence[bytes]) -> Iterator[PendingWrite]:
        """A special write replaces the task's earlier one; any other stays as it was first."""
        kept: dict[tuple[str, int], tuple[str, bytes]] = {}
        for record in log:
            task, first, writes = read_log(record)
            for index, (name, blob) in enumerate(writes, first):
                key = task, WRITES_IDX_MAP.get(name, index)
                if key[1] < 0 or key not in kept:
                    kept[key] = name, blob
        for (task, _), (name, blob) in kept.items():
            yield task, name, self.load(name, blob)


def _as_core(
    place: Coordinates, checkpoint: Checkpoint, metadata: CheckpointMetadata
) -> model.Checkpoint | None:
    """Return the core's checkpoint when it holds everything that is in ``checkpoint``."""
    parent = place.config if place.checkpoint_id else None
    try:
        core = codec.decode_checkpoint(CheckpointTuple(place.config, checkpoint, metadata, parent))
    except CorruptRecord:
        return None
    again, known, _ = codec.encode_checkpoint(core)
    whole = core.versions.keys() <= core.values.keys()
    return core if whole and (again, known) == (checkpoint, metadata) else None


def _tuple(
    here: Coordinates,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    parent: str | None,
    writes: list[PendingWrite],
) -> CheckpointTuple:
    above = here._replace(checkpoint_id=parent).config if parent else None
    return CheckpointTuple(here.config, checkpoint, metadata, above, writes)


def _settled(left: model.Result) -> model.Result:
    """Return what a worker stored of a task; of a failure, which is settled, the text counts."""
    return replace(left, is_settled=True) if isinstance(left, model.Errored) else left


def _without(left: model.Result, packets: Packets) -> model.Result:
    """Return what a task left without what it sent that is not stored any more."""
    if not isinstance(left, model.Completed):
        return left
    there = (each for each in left.goto if not isinstance(each, Packet) or each in packets)
    return replace(left, goto=tuple(there))
