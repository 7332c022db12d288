"""Where a growing list is stored: what was appended alone, or all of it."""

from __future__ import annotations

from typing import Any

import pytest

from distgraph.checkpoint.lines import (
    SHORT,
    SMALLEST,
    WORTH,
    Placed,
    check_of,
    closed,
    excerpt,
    holds,
    next_segment,
    numbered_segment,
    pack_excerpt,
    pack_line,
    place,
    segments,
    unpack_excerpt,
    unpack_line,
)
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.model import Line
from distgraph.errors import CorruptRecord, SerializationError

LIMIT = 1_000_000
SERIALIZER = JsonPlusSerializer(max_bytes=LIMIT)


def item(n: int) -> dict[str, Any]:
    return {"n": n, "text": "x" * SHORT}


def placed(value: list[Any], before: Line | None = None, limit: int = LIMIT) -> Placed:
    return place(SERIALIZER.dumps, limit, "new", value, before)


def line(value: list[Any], before: Line | None = None) -> Line:
    found = placed(value, before).line
    assert found is not None
    return found


def read(blob: bytes | None) -> Any:
    return SERIALIZER.loads(blob or b"")


def test_a_short_list_is_stored_as_it_is() -> None:
    found = placed([1, 2])
    assert (found.line, read(found.blob)) == (None, [1, 2])


def test_a_longer_one_begins_a_line() -> None:
    found = placed([item(1)])
    assert (found.line and found.line.name, read(found.blob)) == ("new", [item(1)])


@pytest.mark.parametrize("length", [1, 15, 16, 63, 64, 65, 200])
def test_what_is_appended_is_a_segment(length: int) -> None:
    value = [item(n) for n in range(length)]
    before = place(SERIALIZER.dumps, LIMIT, "old", value).line
    found = placed([*value, item(-1), item(-2)], before)
    assert found.line is not None
    assert (found.line.name, found.line.segments, found.line.items) == ("old", 2, length + 2)
    assert read(found.blob) == [item(-1), item(-2)]
    assert found.line.digest == line([*value, item(-1), item(-2)]).digest


def test_nothing_is_stored_where_nothing_was_appended() -> None:
    before = line([item(1)])
    assert placed([item(1)], before) == Placed(before, None)


def changed(value: list[Any]) -> None:
    value[1]["text"] = "y" * SHORT


def taken(value: list[Any]) -> None:
    del value[1]


def unstorable(value: list[Any]) -> None:
    value[1]["text"] = 1j


def true_for_one(value: list[Any]) -> None:
    value[1]["n"] = True


@pytest.mark.parametrize("change", [changed, taken, true_for_one])
def test_a_change_within_begins_another_line(change: Any) -> None:
    value = [item(0), item(1), item(2)]
    before = place(SERIALIZER.dumps, LIMIT, "old", value).line
    change(value)
    found = placed([*value, item(3)], before)
    assert found.line is not None
    assert (found.line.name, found.line.segments, read(found.blob)) == ("new", 1, [*value, item(3)])


def test_a_change_into_what_cannot_be_stored_is_told_as_before() -> None:
    value = [item(0), item(1)]
    before = line(value)
    unstorable(value)
    with pytest.raises(SerializationError):
        placed([*value, item(3)], before)


def test_a_closed_line_is_not_continued() -> None:
    assert line([item(0), item(1)], closed(line([item(0)]))).name == "new"


def test_segments_that_are_small_on_an_average_are_brought_together() -> None:
    value: list[Any] = [item(0), item(1)]
    at = line(value)
    sizes = []
    for n in range(20):
        value = [*value, n]
        at = line(value, at)
        sizes.append(at.segments)
    assert (max(sizes) - 1) * SMALLEST <= line(value).size
    assert 1 in sizes


def test_the_limit_holds_for_the_whole_list() -> None:
    small = JsonPlusSerializer(max_bytes=3 * SHORT)
    value = [item(0), item(1)]
    before = place(small.dumps, small.max_bytes, "old", value).line
    with pytest.raises(SerializationError, match="more than the 12,288 that may"):
        place(small.dumps, small.max_bytes, "new", [*value, item(2)], before)


def test_it_is_seen_whether_segments_are_those_of_a_line() -> None:
    first, second = [item(1)], [item(2), item(3)]
    before = line(first)
    after = line([*first, *second], before)
    blobs = [SERIALIZER.dumps(first), SERIALIZER.dumps(second)]
    assert holds(check_of(before), blobs[:1])
    assert holds(check_of(after), blobs)
    assert not holds(check_of(after), [blobs[0], SERIALIZER.dumps([item(2), item(4)])])
    assert not holds(check_of(after), [blobs[0], None])
    assert not holds(check_of(closed(after)), blobs)


def test_segments_are_numbered_from_one() -> None:
    at = Line("l", 3, 7, 99, b"")
    assert list(segments(at)) == ["l;1", "l;2", "l;3"]
    assert next_segment(at) == "l;4"
    assert numbered_segment("a;b;12") == ("a;b", 12)
    assert numbered_segment("l;x") is numbered_segment("l") is None


def test_a_line_is_a_record() -> None:
    at = Line("l", 3, 7, 99, b"12345678")
    assert unpack_line(pack_line(at)) == at


@pytest.mark.parametrize(
    "packed",
    [
        None,
        [],
        [1, "l", 0, 7, 99, b""],
        [1, "l", 3, 7, 6, b""],
        [1, "l", 8, 7, 99, b""],
        [1, 3, 3, 7, 99, b""],
        [1, "l", 1],
    ],
)
def test_what_is_no_line_is_refused(packed: Any) -> None:
    with pytest.raises(CorruptRecord):
        unpack_line(packed)


SEGMENT = SERIALIZER.dumps([item(0), item(1), item(2)])


@pytest.mark.parametrize(
    "written",
    [[item(0)], [item(1)], [item(1), item(2)], [item(0), item(1), item(2)], item(1)],
)
def test_what_stands_in_a_segment_is_an_excerpt_of_it(written: Any) -> None:
    blob = SERIALIZER.dumps(written)
    found = excerpt(blob, "l;1", SEGMENT)
    assert found is not None
    assert found.of(SEGMENT) == blob
    assert unpack_excerpt(pack_excerpt(found)) == found
    assert len(SERIALIZER.dumps(pack_excerpt(found))) < WORTH


@pytest.mark.parametrize("written", [[item(3)], [item(0), item(2)], [], 0, "xxxx", None])
def test_what_does_not_or_is_small_is_none(written: Any) -> None:
    assert excerpt(SERIALIZER.dumps(written), "l;1", SEGMENT) is None


@pytest.mark.parametrize("packed", [None, [1], [1, "l;1", b"", 0, 1], [1, "l;1", "", 2, 9]])
def test_what_is_no_excerpt_is_refused(packed: Any) -> None:
    with pytest.raises(CorruptRecord):
        unpack_excerpt(packed)
