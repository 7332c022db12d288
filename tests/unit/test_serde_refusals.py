"""What cannot be stored, and bytes that must not be read, get an error that says why."""

from __future__ import annotations

import pickle
import struct
import sys
import threading
import time
import tracemalloc
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgpack
import pytest
from pydantic import BaseModel, PrivateAttr

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import DeserializationError, SerializationError
from distgraph.types import Interrupt, Send

SERDE = JsonPlusSerializer()


@dataclass
class Known:
    x: Any = None


@dataclass
class Unknown:
    x: Any = None


class Hue(Enum):
    RED = 1


class Thing:
    pass


class Texts(list[Any]):
    pass


class Box(BaseModel):
    item: Any = None
    _lock: Any = PrivateAttr(None)


@dataclass
class Mapped(dict[str, int]):
    x: int = 1


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def cyclic() -> Any:
    value: list[Any] = []
    value.append({"again": value})
    return value


# --- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "path", "says"),
    [
        ({"a": [0, 1, 2, Known(Thing())]}, "value['a'][3].x", "Thing"),
        ({"a": Unknown()}, "value['a']", "allowed=[Unknown]"),
        ([Hue.RED], "value[0]", "state schema"),
        ((1, (2, threading.Lock())), "value[1][1]", "lock"),
        ({Unknown: 1}, "value[key", "type"),
        ({"s": {frozenset({Hue.RED})}}, "value['s']{...}{...}", "Hue"),
        (Send("n", {"k": Thing()}), "value.arg['k']", "Thing"),
        (Interrupt(Thing()), "value.value", "Thing"),
        (Box(item=[Thing()]), "value.item[0]", "Thing"),
        (OrderedDict(a=[Thing()]), "value['a'][0]", "Thing"),
        (Texts([0, Thing()]), "value[1]", "Thing"),
        (time.localtime(0), "value", "struct_time"),
        (Mapped(), "value", "Mapped"),
        (1j, "value", "complex"),
        (range(3), "value", "range"),
        ([memoryview(b"a")], "value[0]", "memoryview"),
        ((memoryview(b"a"),), "value[0]", "memoryview"),
        ({"x": msgpack.ExtType(1, b"a")}, "value['x']", "ExtType"),
        ({msgpack.Timestamp(1, 2)}, "value{...}", "Timestamp"),
        (lambda: 1, "value", "function"),
        (int, "value", "type"),
        ({"in": cyclic()}, "value['in'][0]['again']", "contains itself"),
        (nested(101), "value" + "[0]" * 100, "100 deep"),
    ],
    ids=lambda v: v.replace(" ", "-") if isinstance(v, str) else type(v).__name__,
)
def test_error_names_path_and_reason(value: Any, path: str, says: str) -> None:
    serde = JsonPlusSerializer(allowed=[Known, Box])
    with pytest.raises(SerializationError) as caught:
        serde.dumps(value)
    assert str(caught.value).startswith(f"Cannot store {path}")
    assert says in str(caught.value)


@pytest.mark.parametrize("form", ["tolist", "to_dict"])
def test_an_array_or_a_table_is_refused_with_the_way_out(form: str) -> None:
    value = type("Table", (), {form: list})()
    with pytest.raises(SerializationError, match=rf"Cannot store value\['a'\]: .* its {form}\(\)"):
        SERDE.dumps({"a": value})


def test_a_private_attribute_that_cannot_be_stored_is_named() -> None:
    box = Box()
    box._lock = threading.Lock()
    with pytest.raises(SerializationError, match=r"value\._lock"):
        JsonPlusSerializer(allowed=[Box]).dumps(box)


def test_what_reading_a_field_raises_is_told() -> None:
    @dataclass
    class Broken:
        x: int

    def fail(_self: Broken) -> int:
        raise RuntimeError("no such luck")

    Broken.x = property(fail)  # type: ignore[assignment]
    with pytest.raises(SerializationError, match=r"value\[0\].*no such luck"):
        JsonPlusSerializer(allowed=[Broken]).dumps([object.__new__(Broken)])


def test_cycle_through_an_allowed_class_is_refused() -> None:
    value = Known()
    value.x = (value,)
    with pytest.raises(SerializationError, match="contains itself"):
        JsonPlusSerializer(allowed=[Known]).dumps(value)


def test_depth_is_the_same_limit_at_both_ends() -> None:
    assert SERDE.loads(SERDE.dumps(nested(100))) == nested(100)
    assert SERDE.loads(SERDE.dumps((nested(99),))) == (nested(99),)
    with pytest.raises(SerializationError, match="100 deep"):
        SERDE.dumps((nested(100),))
    with pytest.raises(DeserializationError, match="100 deep"):
        SERDE.loads(JsonPlusSerializer(max_depth=101).dumps(nested(101)))
    with pytest.raises(DeserializationError, match="100 deep"):
        SERDE.loads(JsonPlusSerializer(max_depth=101).dumps((nested(100),)))


def test_too_large_a_value_is_refused_at_both_ends() -> None:
    small = JsonPlusSerializer(max_bytes=100)
    with pytest.raises(SerializationError, match="100"):
        small.dumps("x" * 100)
    with pytest.raises(DeserializationError, match="too large"):
        small.loads(SERDE.dumps("x" * 100))


def test_only_classes_that_can_be_stored_can_be_allowed() -> None:
    with pytest.raises(TypeError, match="Thing"):
        JsonPlusSerializer(allowed=[Thing])


def test_two_classes_of_one_name_are_refused_together_and_replace_each_other_apart() -> None:
    other = type("Known", (), {"__annotations__": {"x": int}, "__module__": Known.__module__})
    other.__qualname__ = Known.__qualname__
    again: type = dataclass(other)
    with pytest.raises(ValueError, match="Two different classes"):
        JsonPlusSerializer(allowed=[Known, again])
    newer = JsonPlusSerializer(allowed=[Known]).allow(again)
    blob = JsonPlusSerializer(allowed=[Known]).dumps(Known(1))
    assert type(newer.loads(blob)) is again
    with pytest.raises(SerializationError, match="not allowed"):
        newer.dumps(Known())


def test_allow_leaves_the_first_serializer_as_it_was() -> None:
    assert SERDE.allow(Known).loads(SERDE.allow(Known).dumps(Known(1))) == Known(1)
    with pytest.raises(SerializationError):
        SERDE.dumps(Known())


def test_a_learning_serializer_allows_what_it_has_written() -> None:
    learning = JsonPlusSerializer(learn=True)
    blob = JsonPlusSerializer(allowed=[Known]).dumps(Known(1))
    with pytest.raises(DeserializationError):
        learning.loads(blob)
    assert learning.loads(learning.dumps(Known(2))) == Known(2)
    assert learning.loads(blob) == Known(1)
    with pytest.raises(SerializationError, match="Thing"):
        learning.dumps(Thing())


# --- reading ------------------------------------------------------------------------------------


def packed(value: Any) -> bytes:
    return b"\x01" + bytes(msgpack.packb(value))


def mark(code: int, *items: Any) -> list[Any]:
    return [msgpack.ExtType(code, b""), *items]


GARBAGE: dict[str, Any] = {
    "empty": b"",
    "no value": b"\x01",
    "other version": b"\x02" + msgpack.packb(1),
    "pickle": pickle.dumps({"a": 1}),
    "text": b'{"a": 1}',
    "no bytes": "text",
    "trailing": packed([1]) + b"\x00",
    "truncated": packed({"a": "b" * 50})[:-1],
    "reserved byte": b"\x01\xc1",
    "bad utf-8": b"\x01\xa2\xff\xff",
    "unknown ext": packed(msgpack.ExtType(77, b"x")),
    "negative ext": packed(msgpack.ExtType(5, b"x" * 16)).replace(b"\xd8\x05", b"\xd8\xfb"),
    "timestamp": packed([msgpack.Timestamp(1, 2)]),
    "timestamp in a tuple": packed(mark(32, {"a": msgpack.Timestamp(1, 2)})),
    "unhashable key": b"\x01\x81\x90\x01",
    "unhashable item": packed(mark(33, [1])),
    "mark alone": packed(msgpack.ExtType(32, b"")),
    "mark inside": packed([1, msgpack.ExtType(32, b"")]),
    "mark with data": packed(mark(32, 1)).replace(b"\xc7\x00\x20", b"\xd4\x20\x00"),
    "two marks": packed(mark(32, msgpack.ExtType(33, b""))),
    "class without name": packed(mark(41)),
    "unknown class": packed(mark(41, "os:system", "x", 1)),
    "unimported class": packed(mark(41, "antigravity:Thing")),
    "class of another kind": packed(mark(43, f"{__name__}:Known", {}, [], None, None)),
    "class named by a list": packed(mark(41, [1], "x", 1)),
    "odd fields": packed(mark(41, f"{__name__}:Known", "x")),
    "unknown member": packed(mark(40, f"{__name__}:Hue", "BLUE")),
    "bad uuid": packed(msgpack.ExtType(5, b"x")),
    "bad date": packed(msgpack.ExtType(3, b"2024-13-01")),
    "bad decimal": packed(msgpack.ExtType(6, b"one")),
    "bad path kind": packed(msgpack.ExtType(7, b"?x")),
    "foreign path": packed(msgpack.ExtType(7, b"w" if sys.platform != "win32" else b"p")),
    "zone outside": packed(msgpack.ExtType(8, b"../../etc/passwd")),
    "zone unknown": packed(msgpack.ExtType(8, b"Mars/Base")),
    "bad address": packed(msgpack.ExtType(9, b"a4300.1.1.1")),
    "bad pattern": packed(mark(39, "(", 0)),
    "printing pattern": packed(mark(39, "a", 128)),
    "deep pattern": packed(mark(39, "(" * 50_000, 0)),
    "bad moment": packed(mark(36, "noon", 0, None)),
    "moment with text as zone": packed(mark(36, "2024-01-01T00:00:00", 0, "UTC")),
    "negative deque": packed(mark(35, -1, 1)),
    "send without arg": packed(mark(44, "n")),
    "array bomb": b"\x01\xdd\xff\xff\xff\xff",
    "map bomb": b"\x01\xdf\xff\xff\xff\xff",
    "str bomb": b"\x01\xdb\xff\xff\xff\xff",
    "bin bomb": b"\x01\xc6\xff\xff\xff\xff",
    "ext bomb": b"\x01\xc9\xff\xff\xff\xff\x01",
    "array nest": b"\x01" + b"\x91" * 100_000 + b"\x90",
    "map nest": b"\x01" + b"\x81\xa1a" * 100_000 + b"\x90",
    "key nest": b"\x01" + b"\x81" * 100_000,
    "tuple nest": b"\x01" + b"\x92\xc7\x00\x20" * 500 + b"\x90",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_refused(name: str) -> None:
    with pytest.raises(DeserializationError):
        SERDE.allow(Known, Hue).loads(GARBAGE[name])


def test_nothing_is_imported_for_a_class_that_data_names() -> None:
    with pytest.raises(DeserializationError, match="antigravity:Thing"):
        SERDE.loads(GARBAGE["unimported class"])
    assert "antigravity" not in sys.modules


def test_another_format_name_is_refused() -> None:
    with pytest.raises(DeserializationError, match="'pickle'"):
        SERDE.loads_typed(("pickle", pickle.dumps(1)))


@pytest.mark.parametrize("levels", [90, 800])
def test_announced_lengths_take_no_memory(levels: int) -> None:
    size = 4 * 2**20
    bomb = b"\x01" + (b"\xdd" + struct.pack(">I", size)) * levels + b"\x01" * size
    tracemalloc.start()
    try:
        with pytest.raises(DeserializationError):
            SERDE.loads(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(bomb)
