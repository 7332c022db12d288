"""Packets go to Redis and come from it in slices, as generators of commands."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from functools import partial

from checkpoint_redis import commands, loading
from checkpoint_redis.bundles import Bundle, Packets, packet_name
from checkpoint_redis.commands import Script
from checkpoint_redis.keys import Thread
from distgraph.core.packets import Packet

Staging = Generator[Script[bool], bool, None]


def stage(thread: Thread, bundles: Iterable[Bundle]) -> Staging:
    """Store beforehand what of ``bundles`` is too much for the script that they go with."""
    for each in bundles:
        for number, part in each.slices():
            yield commands.stage_packets(thread, each.name, number, part)


def read(thread: Thread, ns: str, packets: Iterable[Packet]) -> loading.Slices[Packets]:
    """Return the blobs of ``packets``, as far as they are stored."""
    wanted = {packet_name(each.bundle, each.number): each for each in packets}
    blobs = yield from loading.values(partial(commands.packets, thread, ns), tuple(wanted))
    return {wanted[name]: blob for name, blob in blobs.items() if blob is not None}
