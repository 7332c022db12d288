"""Ids, configs, metadata, and what a saver inherits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import RFC_4122, UUID

import pytest
import uuid6

from distgraph.checkpoint.base import (
    BaseCheckpointSaver,
    CheckpointTuple,
    copy_checkpoint,
    empty_checkpoint,
    get_checkpoint_id,
    get_checkpoint_metadata,
)
from distgraph.checkpoint.base.id import next_id
from distgraph.checkpoint.base.id import uuid6 as own_uuid6
from distgraph.checkpoint.memory import InMemorySaver, MemorySaver
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer


def test_ids_rise_as_text() -> None:
    ids = [next_id(None)]
    for _ in range(1000):
        ids.append(next_id(ids[-1]))
    assert ids == sorted(set(ids))
    assert {UUID(each).version for each in ids} == {6}


def test_an_id_is_greater_than_a_parent_from_the_future() -> None:
    parent = "ffff0000-ffff-6fff-bfff-ffffffffffff"
    later = next_id(parent)
    assert later > parent
    assert UUID(later).version == 6
    assert next_id(later) > later


def test_an_id_carries_over_into_the_higher_part_of_the_time() -> None:
    assert next_id("f0000000-ffff-6fff-8000-000000000000").startswith("f0000001-0000-6000-")


def test_no_id_can_follow_what_is_no_id_or_the_last_one() -> None:
    for parent in ("zzz", "ffffffff-ffff-6fff-bfff-ffffffffffff"):
        with pytest.raises(ValueError, match=parent):
            next_id(parent)


def test_ids_rise_while_the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distgraph.checkpoint.base.id.time.time_ns", lambda: 0)
    ids = [next_id(None) for _ in range(3)]
    assert ids == sorted(set(ids))


def test_the_last_bits_of_a_uuid6_may_be_given() -> None:
    made = own_uuid6(node=-1, clock_seq=5)
    assert (made.version, made.variant) == (6, RFC_4122)
    assert str(made).endswith("-8005-ffffffffffff")


def test_the_first_id_is_of_now() -> None:
    before, after = str(uuid6.uuid6()), next_id(None)
    assert before < after < str(uuid6.uuid6())


def test_the_checkpoint_id_of_a_config_may_be_missing() -> None:
    assert get_checkpoint_id({"configurable": {"checkpoint_id": "1"}}) == "1"
    without: list[dict[str, Any]] = [
        {},
        {"configurable": {}},
        {"configurable": {"checkpoint_id": ""}},
    ]
    for config in without:
        assert get_checkpoint_id(config) is None


def test_metadata_of_the_config_do_not_replace_the_checkpoints_own() -> None:
    config = {"metadata": {"step": 9, "x": None, "y": 1.5}, "configurable": {"y": 2, "z": True}}
    assert get_checkpoint_metadata(config, {"step": 1}) == {"step": 1, "y": 1.5, "z": True}


def test_a_copied_checkpoint_can_be_changed() -> None:
    checkpoint = empty_checkpoint()
    checkpoint["versions_seen"] = {"a": {"x": 1}}
    copied = copy_checkpoint(checkpoint)
    assert copied == checkpoint
    copied["versions_seen"]["a"]["x"] = 2
    copied["channel_values"]["x"] = 1
    assert checkpoint["versions_seen"] == {"a": {"x": 1}}
    assert checkpoint["channel_values"] == {}


class OnlyReads(BaseCheckpointSaver):
    def __init__(self) -> None:
        super().__init__()
        self.found = CheckpointTuple({}, empty_checkpoint(), {})

    def get_tuple(self, config: Mapping[str, Any]) -> CheckpointTuple | None:
        return None if config else self.found

    def list(self, config: Mapping[str, Any] | None, **_: Any) -> Iterator[CheckpointTuple]:
        if config is None:
            yield self.found


async def test_the_async_methods_of_a_new_saver_call_its_blocking_ones() -> None:
    saver = OnlyReads()
    assert await saver.aget_tuple({}) is saver.found
    assert await saver.aget({}) is saver.found.checkpoint
    assert [each async for each in saver.alist(None)] == [saver.found]


async def test_what_a_saver_does_not_implement_says_so() -> None:
    saver = BaseCheckpointSaver()
    calls: list[Any] = [
        lambda: saver.get({}),
        lambda: saver.list(None),
        lambda: saver.put({}, empty_checkpoint(), {}, {}),
        lambda: saver.put_writes({}, [], ""),
        lambda: saver.delete_thread("t"),
        lambda: saver.delete_for_runs([]),
        lambda: saver.copy_thread("a", "b"),
        lambda: saver.prune([]),
        lambda: saver.get_next_version("1"),
    ]
    for call in calls:
        with pytest.raises(NotImplementedError):
            call()


def test_a_base_saver_counts_versions_and_has_no_further_fields() -> None:
    saver = BaseCheckpointSaver()
    assert (saver.get_next_version(None), saver.get_next_version(1)) == (1, 2)
    assert saver.config_specs == []
    assert isinstance(saver.serde, JsonPlusSerializer)


@dataclass
class Mine:
    x: int


def test_an_allowlist_makes_a_saver_that_can_store_the_classes() -> None:
    saver = BaseCheckpointSaver()
    allowing = saver.with_allowlist([Mine])
    assert allowing is not saver
    assert allowing.serde.loads_typed(allowing.serde.dumps_typed(Mine(1))) == Mine(1)


def test_a_serializer_of_the_users_own_is_left_alone() -> None:
    class Own:
        def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
            return "own", repr(obj).encode()

        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            return data[1].decode()

    saver = BaseCheckpointSaver(serde=Own())
    assert saver.with_allowlist([Mine]) is saver


def test_a_memory_saver_learns_classes_by_itself_but_with_a_serializer_given() -> None:
    learning, strict = InMemorySaver(), InMemorySaver(serde=JsonPlusSerializer())
    assert learning.with_allowlist([Mine]) is learning
    assert learning.serde.loads_typed(learning.serde.dumps_typed(Mine(1))) == Mine(1)
    assert strict.with_allowlist([Mine]) is not strict
    assert strict.with_allowlist([Mine]).storage is strict.storage


async def test_a_memory_saver_may_be_entered_and_keeps_what_it_has() -> None:
    with InMemorySaver() as saver:
        saver.put({"configurable": {"thread_id": "t"}}, empty_checkpoint(), {}, {})
    async with saver as same:
        assert same is saver
        assert set(saver.storage) == {"t"}
    assert MemorySaver is InMemorySaver
