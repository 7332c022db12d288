"""Any value comes back equal and of the same types; any bytes are read or refused cleanly."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.model import Expired
from distgraph.errors import DeserializationError
from distgraph.types import Command, Interrupt, Overwrite, Send

pytestmark = pytest.mark.no_cover


class Hue(Enum):
    RED = 1
    BLUE = "b"


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any = None


class Pair(NamedTuple):
    left: Any
    right: Any


class Box(BaseModel):
    item: Any
    more: Any = None


SERDE = JsonPlusSerializer(allowed=[Hue, Point, Pair, Box])
zones = st.none() | st.timezones() | st.builds(
    timezone, st.integers(-86_399, 86_399).map(lambda seconds: timedelta(seconds=seconds))
)  # fmt: skip
hashable_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(),
    st.text(st.characters(categories=["Cs", "Ll"])),
    st.binary(),
    st.datetimes(timezones=zones, allow_imaginary=False),
    st.times(timezones=st.none() | st.just(timezone.utc)),  # noqa: UP017
    st.dates(),
    st.timedeltas(),
    st.uuids(),
    st.decimals(allow_nan=False).map(Decimal),
    st.ip_addresses(),
    st.text(st.characters(exclude_characters="\0", codec="utf-8")).map(PurePosixPath),
    st.sampled_from(Hue),
)
hashable = st.recursive(
    hashable_leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple),
        st.frozensets(inner, max_size=4),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=6,
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.lists(inner, max_size=5).map(deque),
        st.dictionaries(st.text(max_size=5), inner, max_size=5),
        st.dictionaries(hashable, inner, max_size=3),
        st.sets(hashable, max_size=4),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
        st.builds(Box, item=inner),
        st.builds(Send, st.text(), inner),
        st.builds(Interrupt, inner, st.text()),
        st.builds(Interrupt, inner, st.text(), st.datetimes(timezones=st.just(UTC))),
        st.builds(Expired, st.booleans(), inner),
        st.builds(Overwrite, inner),
        st.builds(Command, update=inner, resume=inner),
    )


values = st.recursive(
    hashable_leaves | st.floats() | st.binary().map(bytearray), containers, max_leaves=20
)


ATTRIBUTES: dict[type, tuple[str, ...]] = {
    Point: ("x", "y"),
    Box: ("item", "more", "model_fields_set"),
    Send: ("node", "arg"),
    Interrupt: ("value", "id", "deadline"),
    Expired: ("fails", "default"),
    Overwrite: ("value",),
    Command: ("graph", "update", "resume", "goto"),
}


def shape(value: Any) -> Any:
    """The value with every type spelled out, so that 1, True and 1.0, or nan and nan, compare."""
    kind = type(value)
    if names := ATTRIBUTES.get(kind):
        return kind, [shape(getattr(value, name)) for name in names]
    match value:
        case dict():
            return kind, [(shape(key), shape(item)) for key, item in value.items()]
        case set() | frozenset():
            return kind, sorted((shape(item) for item in value), key=repr)
        case list() | tuple() | deque():
            return kind, [shape(item) for item in value]
        case _:
            return kind, repr(value)


@given(values)
def test_round_trip(value: Any) -> None:
    blob = SERDE.dumps(value)
    back = SERDE.loads(blob)
    assert shape(back) == shape(value)
    assert SERDE.dumps(back) == blob


def read(blob: bytes) -> None:
    try:
        value = SERDE.loads(blob)
    except DeserializationError:
        return
    # What can be read can be written.
    SERDE.dumps(value)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    read(data)
    read(b"\x01" + data)


@settings(max_examples=300)
@given(values, st.data())
def test_mutated_blobs_are_read_or_refused(value: Any, data: st.DataObject) -> None:
    blob = bytearray(SERDE.dumps([value]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(1, max(1, len(blob) - 1)))
        with_bytes = data.draw(st.binary(max_size=3))
        blob[at : at + data.draw(st.integers(0, 3))] = with_bytes
    read(bytes(blob))
