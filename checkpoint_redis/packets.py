"""Packets go to Redis and come from it in slices, as generators of commands."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from checkpoint_redis import commands
from checkpoint_redis.bundles import Blobs, Bundle, packet_name
from checkpoint_redis.commands import Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import Limit
from distgraph.core.packets import Packet
from distgraph.errors import CorruptRecord

Staging = Generator[Script[bool], bool, None]
Gathering = Generator[Script[tuple[bytes | None, ...]], tuple[bytes | None, ...], Blobs]


def stage(thread: Thread, bundles: Iterable[Bundle]) -> Staging:
    """Store beforehand what of ``bundles`` is too much for the script that they go with."""
    for each in bundles:
        for number, part in each.slices():
            yield commands.stage_packets(thread, each.name, number, part)


def read(thread: Thread, ns: str, packets: Iterable[Packet]) -> Gathering:
    """Return the blobs of ``packets``, as far as they are stored."""
    left, found = list(dict.fromkeys(packets)), dict[Packet, bytes]()
    while left:
        names = tuple(packet_name(each.bundle, each.number) for each in left[: Limit.slice])
        blobs = yield commands.packets(thread, ns, names)
        if not blobs:
            msg = "Redis answered no packet at all, where it was asked for some."
            raise CorruptRecord(msg)
        known = zip(left, blobs, strict=False)
        found |= {packet: blob for packet, blob in known if blob is not None}
        left = left[len(blobs) :]
    return found
