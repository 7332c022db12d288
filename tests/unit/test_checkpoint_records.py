"""Records are compact lists with fixed positions; anything else is refused by name."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest

from distgraph._deadline import Deadline
from distgraph.checkpoint.records import (
    pack_answer,
    pack_checkpoint,
    pack_result,
    unpack_answer,
    unpack_answers,
    unpack_checkpoint,
    unpack_completed,
    unpack_result,
)
from distgraph.core.model import (
    Answer,
    Checkpoint,
    Completed,
    Errored,
    Escaped,
    Interrupted,
    Line,
    Question,
    Slot,
)
from distgraph.errors import CorruptRecord
from distgraph.types import Command, Interrupt, Send

HOME = ["", 0, "", 0]
SLOT = Slot("~ab.1", 2, "ab", 3)
CHECKPOINT = Checkpoint(
    id="c2",
    parent_id="c1",
    step=3,
    source="loop",
    ts="2024-01-01T00:00:00+00:00",
    values={"xs": [1]},
    versions={"xs": "3.c2"},
    changed=frozenset({"xs"}),
    lines={"xs": Line("l", 1, 1, 99, b"12345678")},
    frontier=("b", Send("w", {"k": 1})),
    arrived={"join:a+b:d": frozenset({"b", "a"})},
    deferred=frozenset({"z"}),
    last=("a",),
    authors=("a",),
    metadata={"user": "u"},
    parents={"": "p"},
)


def test_a_checkpoint_is_a_list_without_its_values() -> None:
    packed = pack_checkpoint(CHECKPOINT)
    assert packed == [
        1,
        "c2",
        "c1",
        3,
        "loop",
        "2024-01-01T00:00:00+00:00",
        {"xs": "3.c2"},
        ["xs"],
        {"xs": [1, "l", 1, 1, 99, b"12345678"]},
        ["b", Send("w", {"k": 1})],
        {"join:a+b:d": ["a", "b"]},
        ["z"],
        ["a"],
        {"user": "u"},
        {"": "p"},
    ]
    assert unpack_checkpoint(packed, {"xs": [1]}) == CHECKPOINT


def test_authors_other_than_the_last_nodes_stand_at_the_end() -> None:
    edited = replace(CHECKPOINT, authors=("b",))
    packed = pack_checkpoint(edited)
    assert packed == [*pack_checkpoint(CHECKPOINT), ["b"]]
    assert unpack_checkpoint(packed, {"xs": [1]}) == edited


@pytest.mark.parametrize(
    ("result", "packed"),
    [
        (
            Completed((("xs", [1]), ("n", 2)), ("b", Send("w", 1))),
            [1, 0, ["xs", [1], "n", 2], ["b", Send("w", 1)]],
        ),
        (
            Interrupted((Question(Interrupt("q", "1"), "ns", slot=SLOT),)),
            [1, 1, ["q", "1", "ns", ["~ab.1", 2, "ab", 3]]],
        ),
        (
            Interrupted(
                (
                    Question(Interrupt("q", "1"), "ns"),
                    Question(Interrupt("r", "2"), "", Deadline(5, None, fails=True), "p"),
                    Question(
                        Interrupt("s", "3", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
                        "",
                        Deadline(None, 1000, fails=False, default=(1,)),
                        "p2",
                    ),
                )
            ),
            [
                1,
                1,
                ["q", "1", "ns", HOME, "r", "2", "", HOME, "s", "3", "", HOME],
                [[1, "p", 5, None, True, None], [2, "p2", None, 1000, False, (1,)]],
            ],
        ),
        (
            Errored("builtins.ValueError", "no", "Traceback", ("no",), ("note",)),
            [
                1,
                2,
                "builtins.ValueError",
                "no",
                "Traceback",
                ["no"],
                ["note"],
            ],
        ),
        (Escaped(Command(goto="a")), [1, 3, Command(goto="a")]),
    ],
)
def test_a_result_is_a_list_that_names_its_kind(result: Any, packed: list[Any]) -> None:
    assert pack_result(result) == packed
    assert unpack_result(packed) == result


def test_a_live_exception_is_not_part_of_a_record() -> None:
    packed = pack_result(Errored("builtins.ValueError", "no", exception=ValueError("no")))
    back = unpack_result(packed)
    assert isinstance(back, Errored)
    assert back.exception is None


def test_an_answer_is_a_list_of_four_after_its_format() -> None:
    answer = Answer("1", "ns", {"k": 1}, SLOT)
    packed = [1, "1", "ns", ["~ab.1", 2, "ab", 3], {"k": 1}]
    assert pack_answer(answer) == packed
    assert unpack_answer(packed) == answer


def swapped(packed: list[Any], index: int, value: Any) -> list[Any]:
    return [*packed[:index], value, *packed[index + 1 :]]


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, "1"),
        (0, 0),
        (0, True),
        (1, 1),
        (2, 1),
        (3, "3"),
        (4, "magic"),
        (5, None),
        (6, {"xs": 1}),
        (7, "xs"),
        (8, {"xs": [1, "l", 2, 1, 99, b""]}),
        (9, [1]),
        (10, {"join": [1]}),
        (11, "z"),
        (12, [None]),
        (13, {1: "a"}),
        (14, {"": 2}),
    ],
)
def test_a_malformed_checkpoint_is_refused(index: int, value: Any) -> None:
    with pytest.raises(CorruptRecord):
        unpack_checkpoint(swapped(pack_checkpoint(CHECKPOINT), index, value), {})


@pytest.mark.parametrize(
    "packed",
    [
        None,
        "text",
        [],
        [1],
        [0, 0, [], []],
        [1, 0, ["xs"], []],
        [1, 0, [1, 2], []],
        [1, 0, [], [None]],
        [1, 1, ["q", "1"]],
        [1, 1, ["q", 1, "ns", ["", 0, "", 0]]],
        [1, 1, ["q", "1", "ns", ["", 0, ""]]],
        [1, 1, [], {}],
        [1, 1, ["q", "1", "ns"], [[1, "p", 5, None, True, None]]],
        [1, 1, ["q", "1", "ns"], [[0, "p", 5, 10**20, True, None]]],
        [1, 1, ["q", "1", "ns"], [[0, "p", 5, None, True]]],
        [1, 2, "kind", "message", "traceback", [], [1]],
        [1, 3, "not a command"],
        [1, 4, []],
        [True, 0, [], []],
    ],
)
def test_a_malformed_result_is_refused(packed: Any) -> None:
    with pytest.raises(CorruptRecord):
        unpack_result(packed)


def test_other_malformed_records_are_refused() -> None:
    for read, packed in (
        (unpack_answer, [1, "1", "ns", 2]),
        (unpack_answer, [1, "1", "ns", [0, 0, "", 0], 2]),
        (unpack_answers, {}),
        (unpack_completed, [1, 1, []]),
    ):
        with pytest.raises(CorruptRecord):
            read(packed)


def test_the_message_quotes_a_bad_record_in_short() -> None:
    with pytest.raises(CorruptRecord, match="A stored result is not of the form") as caught:
        unpack_result(["x" * 10_000])
    assert len(str(caught.value)) < 300


def test_a_result_is_read_in_few_calls() -> None:
    packed = pack_result(Completed((("xs", [1]),), ("b",)))
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        unpack_result(packed)
    finally:
        sys.setprofile(None)
    assert "unpack_result" in called
    assert len(called) < 20, called
