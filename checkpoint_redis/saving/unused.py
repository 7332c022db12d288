"""What nothing refers to any more once some checkpoints are gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain

from checkpoint_redis.bundles import is_apart, packet_name
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import channel_field, packet_field
from checkpoint_redis.layout import Field
from checkpoint_redis.records import NewHead
from checkpoint_redis.references import Ref, ref_of
from checkpoint_redis.saving.finding import Located
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.lines import numbered_segment
from distgraph.core.packets import Packet


def unused(
    archive: Archive,
    names: set[str],
    blobs: Mapping[Located, bytes],
    gone: set[Located],
    noted: Iterable[tuple[str, str]],
) -> tuple[tuple[str, ...], tuple[NewHead, ...]]:
    """Return the fields to be removed, and the new heads where the head is among them.

    ``noted``: the frames and names of the values in which parts of the logs stand that stay.
    """
    kept = {each: archive.refs(blob) for each, blob in blobs.items() if each not in gone}
    of_logs = ((frame, ref_of(name)) for frame, name in noted)
    used = Used(((each.frame, ref) for each, refs in kept.items() for ref in refs), of_logs)
    owners = {"", *(f"{each.frame}|{each.cp}" for each in kept)}
    fields = [
        name
        for name in names
        if (name.startswith(Field.channel) and not used.has(name)) or _owner(name) not in owners
    ]
    heads = []
    for ns in {each.ns for each in gone}:
        rest = [each for each in kept if each.ns == ns]
        last = max(rest, default=None)
        if last is None:
            heads.append(NewHead(FrameName(ns).hash))
        elif last.cp < max(each.cp for each in gone if each.ns == ns):
            heads.append(
                NewHead(FrameName(ns).hash, last.cp, archive.step(blobs[last]), kept[last])
            )
    return tuple(fields), tuple(heads)


class Used:
    """The values and segments that checkpoints refer to: of a line those up to the highest."""

    def __init__(self, *refs: Iterable[tuple[str, Ref]]) -> None:
        """``refs``: with the frame that each is of."""
        self._whole, self._most = set[str](), dict[str, int]()
        for frame, ref in chain(*refs):
            if isinstance(ref, str):
                self._whole.add(channel_field(frame, ref))
            else:
                line = channel_field(frame, ref.line)
                self._most[line] = max(ref.last, self._most.get(line, 0))

    def has(self, field: str) -> bool:
        """Whether something refers to what is stored in ``field``."""
        line, number = numbered_segment(field) or ("", 1)
        return field in self._whole or number <= self._most.get(line, 0)


def packets_of(archive: Archive, blobs: Mapping[Located, bytes]) -> set[tuple[str, Packet]]:
    """Return the packets that checkpoints refer to, with the frame of each."""
    return {
        (each.frame, packet) for each, blob in blobs.items() for packet in archive.packets(blob)
    }


def unsent(packets: Collection[tuple[str, Packet]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields, and the larger bundles, of packets that are referred to no more."""
    small = sorted(
        packet_field(frame, packet_name(packet.bundle, packet.number))
        for frame, packet in packets
        if not is_apart(packet.bundle)
    )
    return tuple(small), tuple(sorted({p.bundle for _, p in packets if is_apart(p.bundle)}))


def _owner(name: str) -> str:
    """Return "ns|cp" of a field that goes with a checkpoint, else ''."""
    for kind in (Field.checkpoint, Field.caller_writes, Field.left):
        if name.startswith(kind):
            return name.removeprefix(kind)
    if not name.startswith(Field.log):
        return ""
    # Of a log: how many records it has, and each of them by its number.
    log = name.removeprefix(Field.log)
    head, _, last = log.rpartition("|")
    return head if last.isdigit() else log
