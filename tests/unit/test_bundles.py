"""Packets that are stored together: where a bundle stands, and how it is cut into slices."""

from __future__ import annotations

import pytest

from checkpoint_redis.bundles import Bundle, blob_of, bundle, bundles, is_apart, packet_name
from checkpoint_redis.layout import Limit
from distgraph.core.packets import Packet
from distgraph.errors import CorruptRecord

MB = Limit.inline_writes


def test_a_few_small_packets_are_fields_and_more_have_a_key() -> None:
    few = (b"x",) * Limit.few_packets
    assert not is_apart(bundle("n", few).name)
    assert is_apart(bundle("n", (*few, b"x")).name)
    assert is_apart(bundle("n", (b"x" * (Limit.inline_channels + 1),)).name)
    assert bundles("n", ()) == ()


@pytest.mark.parametrize(
    ("sizes", "slices"),
    [
        ([1] * Limit.inline_packets, []),
        ([MB], []),
        ([1] * (Limit.inline_packets + 1), [(0, Limit.slice), (Limit.slice, 1)]),
        ([MB, 1], [(0, 1), (1, 1)]),
        ([MB // 2] * 3, [(0, 2), (2, 1)]),
        ([3 * MB, 3 * MB], [(0, 1), (1, 1)]),
        ([1, 3 * MB, 1], [(0, 1), (1, 1), (2, 1)]),
    ],
)
def test_what_is_too_much_for_a_script_goes_in_slices(
    sizes: list[int], slices: list[tuple[int, int]]
) -> None:
    made = Bundle("n", tuple(b"x" * size for size in sizes))
    assert made.is_staged == bool(slices)
    cut = list(made.slices())
    assert [(first, len(part)) for first, part in cut] == slices
    if slices:
        assert tuple(blob for _, part in cut for blob in part) == made.blobs


def test_a_packet_that_is_not_stored_is_named() -> None:
    packet = Packet("work", "b", 3)
    assert blob_of(packet, {packet: b"x"}) == b"x"
    with pytest.raises(CorruptRecord, match=f"{packet_name('b', 3)}.* node 'work'"):
        blob_of(packet, {})
