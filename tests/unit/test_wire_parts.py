"""What a claim brings of the state without the checkpoint: some channels, whole or in segments."""

from __future__ import annotations

import pytest

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.model import Task
from distgraph.errors import CorruptRecord
from distgraph.types import Send
from tests.support.core_graphs import node
from workers.shared.wire import Wire

WIRE = Wire(JsonPlusSerializer())
dumps = WIRE.serializer.dumps


def test_channels_are_read_without_their_record() -> None:
    numbers = range(1, 12)
    segments = {f"log@l;{n}": dumps([n, "item"]) for n in reversed(numbers)}
    brought = {"a@b@3": dumps({"k": 1}), "log@l;12": b"", **segments}
    log = [item for n in numbers for item in (n, "item")]
    assert WIRE.read_parts(brought) == {"a@b": {"k": 1}, "log": log}


def test_a_channel_that_is_not_stored_is_named() -> None:
    with pytest.raises(CorruptRecord, match="state key 'a'"):
        WIRE.read_parts({"a@1": None})


def test_what_a_caller_sent_is_in_its_task_and_any_other_packet_apart() -> None:
    task = Task("t", "a", 3, Send("a", "caller's"))
    entry = WIRE.task(task, node("a"), "g")
    assert (WIRE.read_task("t", entry.blob), entry.packet) == (task, "")
    apart, (bundle,) = WIRE.apart((Send("a", "packet"),), "nonce")
    entry = WIRE.task(Task("t", "a", 0, apart[0]), node("a"), "g")  # type: ignore[arg-type]
    assert entry.packet == "nonce/0"
    assert b"packet" not in entry.blob
    read = WIRE.read_task("t", entry.blob, bundle.blobs[0])
    assert read == Task("t", "a", 0, Send("a", "packet"))
    with pytest.raises(CorruptRecord, match=r"packet of task t, .* node 'a', is not stored"):
        WIRE.read_task("t", entry.blob)
