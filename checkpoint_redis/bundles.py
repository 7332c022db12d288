"""Packets that are stored together, and how a large bundle of them goes to Redis in slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from checkpoint_redis.layout import Limit, PacketName
from distgraph.core.packets import Packet
from distgraph.errors import CorruptRecord

Packets = Mapping[Packet, bytes]
"""What was found of some packets."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one task sent, or what one start brought; a packet is named by its number in it.

    One of more than a few packets stands in a key of its own, and its name says so.
    """

    name: str
    blobs: tuple[bytes, ...]

    @property
    def is_staged(self) -> bool:
        """Whether it is too large for one script, and has to be stored in slices before it."""
        size = sum(map(len, self.blobs))
        return len(self.blobs) > Limit.inline_packets or size > Limit.inline_writes

    def slices(self) -> Iterator[tuple[int, tuple[bytes, ...]]]:
        """Yield (number of the first, packets) for what is to be staged: nothing of a small one."""
        first = 0
        while self.is_staged and first < len(self.blobs):
            last = self._last(first)
            yield first, self.blobs[first:last]
            first = last

    def _last(self, first: int) -> int:
        """Return where a slice ends that begins at ``first``: one packet is always in it."""
        size, last = 0, first
        while last < min(first + Limit.slice, len(self.blobs)):
            size += len(self.blobs[last])
            if size > Limit.inline_writes and last > first:
                break
            last += 1
        return last


def bundle(nonce: str, blobs: tuple[bytes, ...]) -> Bundle:
    """Return a new bundle under a name that nobody had before."""
    few = len(blobs) <= Limit.few_packets and sum(map(len, blobs)) <= Limit.inline_channels
    return Bundle(nonce if few else f"{PacketName.apart}{nonce}", blobs)


def bundles(nonce: str, blobs: tuple[bytes, ...]) -> tuple[Bundle, ...]:
    """Return the bundle of ``blobs``, none when there are none."""
    return (bundle(nonce, blobs),) if blobs else ()


def packet_name(bundle: str, number: int) -> str:
    """Return by which a task's record, and who reads packets, names one."""
    return f"{bundle}{PacketName.separator}{number}"


def is_apart(bundle: str) -> bool:
    """Whether the bundle of that name has a key of its own."""
    return bundle.startswith(PacketName.apart)


def blob_of(packet: Packet, blobs: Packets) -> bytes:
    """Return the argument of ``packet``; CorruptRecord when it is not stored."""
    try:
        return blobs[packet]
    except KeyError:
        name = packet_name(packet.bundle, packet.number)
        msg = f"The packet {name}, which was sent to node '{packet.node}', is not stored."
        raise CorruptRecord(msg) from None
