"""Where the writes of a task stand in the bytes of its record."""

from __future__ import annotations

from collections.abc import Iterator

import msgpack

from distgraph.checkpoint.records import COMPLETED


def writes_in(record: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield channel, begin and end of the value of each write that a completed task left.

    Nothing of what another one left.
    """
    read = msgpack.Unpacker(max_buffer_size=len(record))
    read.feed(memoryview(record)[1:])  # after the serializer's byte
    read.read_array_header()
    read.skip()  # the number of the record's form
    if read.unpack() != COMPLETED:
        return
    for _ in range(read.read_array_header() // 2):
        channel = read.unpack()
        begin = read.tell() + 1
        read.skip()
        yield channel, begin, read.tell() + 1
