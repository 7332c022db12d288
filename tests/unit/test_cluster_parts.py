"""How what one server answers is put together from the nodes of a Cluster."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as Lost

from checkpoint_redis.servers.cluster import LONGEST_LOOK, StreamsRead, cursor_of, place_of


@given(st.integers(0, 2**64 - 1), st.integers(1, 9), st.data())
def test_a_cursor_tells_the_node_and_its_place(at: int, nodes: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, nodes - 1))
    cursor = cursor_of(number, at, nodes)
    if at:
        assert place_of(cursor, nodes) == (number, at)
    elif number < nodes - 1:
        assert place_of(cursor, nodes) == (number + 1, 0)
    else:
        assert cursor == 0


def reading(block_ms: int = 0) -> StreamsRead:
    words = ("XREAD", "COUNT", 5, "BLOCK", block_ms, "STREAMS", "a", "b", "1-0", "2-0")
    return StreamsRead.of(words)


def test_each_stream_is_read_by_itself() -> None:
    assert reading().each == [
        ("XREAD", "COUNT", 5, "STREAMS", "a", "1-0"),
        ("XREAD", "COUNT", 5, "STREAMS", "b", "2-0"),
    ]


@pytest.mark.parametrize(
    ("replies", "found"),
    [
        ([None, None], []),
        ([[["a", []]], None], [["a", []]]),
        ([{"a": []}, {"b": []}], [("a", []), ("b", [])]),
        ([Lost("x"), {"b": []}], [("b", [])]),
    ],
)
def test_news_are_put_together_in_either_protocol(replies: list[Any], found: list[Any]) -> None:
    assert reading().found(replies) == found


def test_a_node_that_is_away_is_told_where_others_have_no_news() -> None:
    with pytest.raises(Lost):
        reading().found([None, Lost("away")])


def test_a_look_is_never_far() -> None:
    pauses = list(reading(block_ms=1).pauses())
    assert pauses
    assert max(pauses) <= LONGEST_LOOK
