"""Records tell their form: what older versions wrote is read, what newer ones wrote is named."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkpoint_redis.stored import Archive
from distgraph.checkpoint import formats, records, upgrades
from distgraph.checkpoint.base import empty_checkpoint
from distgraph.checkpoint.base.blobs import load_record
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.lines import unpack_excerpt, unpack_line
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.model import Answer, Completed
from distgraph.errors import CorruptRecord, NewerFormat, StoreError
from tests.support.newer import newer
from workers.shared.runconfig import decode_config
from workers.shared.wire import Wire

OLD = Path(__file__).parent / "stored"
SERIALIZER = JsonPlusSerializer()
WIRE = Wire(SERIALIZER)
NEVER = formats.FORMAT + 1


def read(name: str) -> bytes:
    return (OLD / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        (
            "checkpoint-1",
            lambda blob: WIRE.read_checkpoint(WIRE.unpack(blob), {"xs@2.c": SERIALIZER.dumps([1])}),
        ),
        ("completed-1", WIRE.read_result),
        ("interrupted-1", WIRE.read_result),
        ("errored-1", WIRE.read_error),
        ("errored-group-1", WIRE.read_error),
        ("excerpt-1", lambda blob: unpack_excerpt(SERIALIZER.loads(blob))),
        ("line-1", lambda blob: unpack_line(SERIALIZER.loads(blob))),
        ("answer-1", lambda blob: WIRE.read_answers((blob,))),
        ("task-1", lambda blob: WIRE.read_task("t", blob)),
        ("config-1", lambda blob: decode_config(blob, SERIALIZER)),
        ("saved-1", lambda blob: load_record(SERIALIZER, ("msgpack", blob))),
    ],
)
def test_what_the_first_format_wrote_is_read(name: str, reader: Callable[[bytes], Any]) -> None:
    assert reader(read(name))


def test_every_kind_begins_with_the_number_of_its_form() -> None:
    assert set(formats.WRITTEN) == set(Kind)
    assert max(formats.WRITTEN.values()) == formats.FORMAT
    for kind, number in formats.WRITTEN.items():
        assert number == max([1, *(to for each, to in upgrades.STEPS if each is kind)])


# --- older ----------------------------------------------------------------------------------------


def split(fields: list[Any]) -> list[Any]:
    """Convert a made-up form of answers, in which id and namespace were one text."""
    both, value = fields
    return [*both.split("/", 1), ["", 0, "", 0], value]


def test_an_older_form_is_converted() -> None:
    packed = SERIALIZER.loads(read("answer-made-up"))
    assert packed == [1, "1/ns", {"k": 1}]
    with newer(Kind.answer, steps={(Kind.answer, 2): split}):
        assert records.unpack_answer(packed) == Answer("1", "ns", {"k": 1})
        assert records.unpack_answer([2, "1", "ns", ["", 0, "", 0], 0]) == Answer("1", "ns", 0)


def test_a_record_takes_every_step_from_its_form_on_in_their_order() -> None:
    steps = {
        (Kind.answer, 2): lambda fields: [*fields, "two"],
        (Kind.answer, 3): lambda fields: [*fields, "three"],
        (Kind.result, 2): lambda fields: [*fields, "another kind's"],
    }
    with newer(), newer(Kind.answer, steps=steps):
        assert upgrades.fields_of(Kind.answer, [1, "a"]) == ["a", "two", "three"]
        assert upgrades.fields_of(Kind.answer, [2, "a"]) == ["a", "three"]
        assert upgrades.fields_of(Kind.answer, [3, "a"]) == ["a"]


def test_an_older_form_that_is_damaged_is_refused() -> None:
    with newer(Kind.answer, steps={(Kind.answer, 2): split}), pytest.raises(CorruptRecord):
        records.unpack_answer([1, 7, 7, 7])


def test_a_number_that_no_version_gave_to_the_kind_is_damage() -> None:
    with newer(Kind.answer), pytest.raises(CorruptRecord):
        records.unpack_result([2, *records.pack_result(Completed(()))[1:]])


# --- newer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unpack", "packed"),
    [
        (records.unpack_result, [NEVER, "of a form that nobody knows"]),
        (records.unpack_completed, [NEVER]),
        (records.unpack_answer, [NEVER, {}]),
        (lambda packed: records.unpack_checkpoint(packed, {}), [NEVER, "c"]),
        (lambda packed: WIRE.read_task("t", SERIALIZER.dumps(packed)), [NEVER, "node"]),
        (lambda packed: decode_config(SERIALIZER.dumps(packed), SERIALIZER), [NEVER]),
        (lambda packed: load_record(SERIALIZER, SERIALIZER.dumps_typed(packed)), [NEVER, {}]),
        (lambda packed: Archive("ns", SERIALIZER).refs(SERIALIZER.dumps(packed)), [NEVER, {}]),
    ],
)
def test_a_newer_form_is_named_and_not_called_damaged(
    unpack: Callable[[Any], Any], packed: Any
) -> None:
    with pytest.raises(NewerFormat, match=f"format {NEVER}.*upgrade this process") as caught:
        unpack(packed)
    assert isinstance(caught.value, StoreError)
    assert not isinstance(caught.value, CorruptRecord)
    assert (caught.value.number, caught.value.known) == (NEVER, formats.FORMAT)


def test_the_release_is_named_where_it_is_known() -> None:
    error = NewerFormat("Thread 't'", 7, 1, "3.0")
    assert "upgrade this process to distgraph 3.0 or newer" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_savers_of_one_process_store_their_form() -> None:
    saver, config = InMemorySaver(), {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    with newer(Kind.saved):
        saver.put(config, empty_checkpoint(), {}, {})
    with pytest.raises(NewerFormat):
        saver.get_tuple(config)
