"""What runs next: packets stand in a record as ranges, and are no arguments."""

from __future__ import annotations

from typing import Any

import pytest

from distgraph.checkpoint.targets import (
    content,
    filled,
    pack_targets,
    packets_of,
    parted,
    sends_of,
    sent_by,
    unpack_targets,
)
from distgraph.core.model import Target
from distgraph.core.packets import Packet
from distgraph.core.plan import plan
from distgraph.errors import CorruptRecord
from distgraph.types import Send, TimeoutPolicy
from tests.support.core_graphs import checkpoint

MANY = tuple(Packet("w", "b", n) for n in range(1_000))


@pytest.mark.parametrize(
    ("targets", "packed"),
    [
        (("a", Send("w", 1)), ["a", Send("w", 1)]),
        (MANY, [["w", "b", 0, 1_000]]),
        ((MANY[2], MANY[0], MANY[1]), [["w", "b", 2, 1], ["w", "b", 0, 2]]),
        ((Packet("v", "b", 0), MANY[1]), [["v", "b", 0, 1], ["w", "b", 1, 1]]),
        ((MANY[0], Packet("w", "c", 1)), [["w", "b", 0, 1], ["w", "c", 1, 1]]),
        ((MANY[0], "a", MANY[1]), [["w", "b", 0, 1], "a", ["w", "b", 1, 1]]),
    ],
)
def test_packets_in_a_row_are_one_range(targets: tuple[Target, ...], packed: list[Any]) -> None:
    assert pack_targets(targets) == packed
    assert unpack_targets(packed) == targets


@pytest.mark.parametrize(
    "item",
    [
        None,
        1,
        [],
        ["w", "b", 0],
        ["w", "b", 0, 0],
        ["w", "b", -1, 1],
        ["w", "b", 0, 10**6 + 1],
        [1, "b", 0, 1],
        ["w", 1, 0, 1],
        ["w", "b", "0", 1],
        ["w", "b", 0, 1.0],
    ],
)
def test_anything_else_is_damage(item: Any) -> None:
    with pytest.raises(CorruptRecord):
        unpack_targets([item])


def test_a_packet_takes_the_place_of_its_send_and_gives_it_back() -> None:
    targets = ("a", Send("w", "x"), Packet("w", "old", 7), Send("v", "y"))
    kept = parted(targets, "new")
    assert kept == ("a", Packet("w", "new", 0), Packet("w", "old", 7), Packet("v", "new", 1))
    assert [send.arg for send in sends_of(targets)] == ["x", "y"]
    assert packets_of(kept) == (kept[1], kept[2], kept[3])
    back = filled(kept, lambda packet: f"{packet.bundle}.{packet.number}")
    assert back == ("a", Send("w", "new.0"), Send("w", "old.7"), Send("v", "new.1"))


def test_a_superstep_is_planned_without_the_arguments() -> None:
    sent = plan(checkpoint("b", Send("w", 2), "a", Send("w", 1)))
    known = plan(checkpoint("b", Packet("w", "b", 0), "a", Packet("w", "b", 1)))
    assert [(task.id, task.path, task.order) for task in sent] == [
        (task.id, task.path, task.order) for task in known
    ]


def test_the_argument_of_a_packet_that_was_not_read_is_nothing_to_work_with() -> None:
    (task, *_) = plan(checkpoint(Packet("w", "b", 0)))
    assert task.send is not None
    with pytest.raises(RuntimeError, match="packet sent to node 'w' was not read"):
        assert task.send.arg


@pytest.mark.parametrize(
    "send",
    [
        Send("w", {"a": 1}),
        Send("w", None),
        Send("w", 1, timeout=TimeoutPolicy(idle_timeout=2)),
        Send("w", Send("v", 1)),
        Send("w", Send("v", 1, timeout=0.5)),
    ],
    ids=["argument", "nothing", "limited", "of-a-send", "of-a-limited-send"],
)
def test_what_is_stored_apart_of_a_send_gives_it_again(send: Send) -> None:
    assert sent_by(send.node, content(send)) == send
