"""Every type of the table comes back equal and of exactly its type."""

from __future__ import annotations

import enum
import ipaddress
import pathlib
import re
from collections import deque, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from math import inf, isnan, nan
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from pydantic import BaseModel, ConfigDict, PrivateAttr, RootModel, model_validator

from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.core.model import Expired
from distgraph.graph import START, StateGraph
from distgraph.types import Command, Interrupt, Overwrite, Send, TimeoutPolicy
from tests.support.site import on


class Color(enum.Enum):
    RED = "r"
    GREEN = (1, 2)


class Level(str, enum.Enum):  # noqa: UP042 - what many programs still write
    LOW = "low"


class Size(enum.IntEnum):
    BIG = 3


class Flags(enum.Flag):
    A = 1
    B = 2


@dataclass
class Point:
    x: Any
    y: Any = 0


@dataclass(frozen=True, slots=True)
class Frozen:
    items: tuple[int, ...]
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", sum(self.items))


class Pair(NamedTuple):
    left: Any
    right: Any = None


Plain = namedtuple("Plain", "a b")  # noqa: PYI024 - the untyped form is a NamedTuple, too


class Inner(BaseModel):
    n: int


class Model(BaseModel):
    model_config = ConfigDict(extra="allow")
    inner: Inner
    when: datetime | None = None
    pair: tuple[int, ...] = ()
    _secret: list[int] = PrivateAttr(default_factory=list)


class Numbers(RootModel[list[int]]):
    pass


CLASSES = (Color, Level, Size, Flags, Point, Frozen, Pair, Plain, Inner, Model, Numbers)
SERDE = JsonPlusSerializer(allowed=CLASSES)
NOON = datetime(2024, 2, 29, 12, 30, 15, 123456)  # noqa: DTZ001 - naive ones are stored as such

VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    2**64 - 1,
    2**64,
    -(2**63),
    -(2**63) - 1,
    10**400,
    -(10**400),
    0.0,
    -0.0,
    1.5,
    inf,
    -inf,
    "",
    "grüße \U0001f600",
    "lone \ud800 surrogate",
    "x" * 70_000,
    [],
    [1, [2, []]],
    {},
    {"a": {"b": None}},
    {1: "a", None: 2, 1.5: 3, True + 1: 4},
    {"b": 1, "a": 2},
    {(1, (2,)): "tuple key", frozenset({1}): "set key", b"k": 1, date(2024, 1, 1): 2},
    b"",
    b"\x00\xff" * 300,
    bytearray(),
    bytearray(b"abc"),
    [bytearray(b"in"), {"a": bytearray(b"d")}],
    (),
    (1, (2, [3, (4,)])),
    ((), [()]),
    [(1, bytearray(b"x"))],
    set(),
    {1, "a", (2, 3)},
    frozenset(),
    frozenset({frozenset({1}), 2}),
    deque(),
    deque([1, (2,)]),
    deque([1, 2], maxlen=2),
    NOON,
    NOON.replace(tzinfo=UTC),
    NOON.replace(tzinfo=timezone(timedelta(hours=5, seconds=7))),
    NOON.replace(tzinfo=timezone(timedelta(hours=-3), "BRT")),
    NOON.replace(tzinfo=ZoneInfo("Europe/Berlin")),
    NOON.replace(year=4),
    NOON.replace(year=9996),
    datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    date.min,
    date.max,
    time(1, 2, 3, 4, fold=1),
    time(1, tzinfo=UTC),
    UTC,
    timedelta.min,
    timedelta.max,
    timedelta(microseconds=-1),
    UUID(int=0),
    UUID("12345678123456781234567812345678"),
    Decimal("1.10"),
    Decimal("-0"),
    Decimal("1E+999"),
    Decimal("Infinity"),
    pathlib.Path("/a/../b"),
    pathlib.Path(),
    pathlib.PurePosixPath("a\udcff"),
    pathlib.PureWindowsPath("c:/x"),
    ZoneInfo("America/Argentina/Buenos_Aires"),
    ZoneInfo("Etc/GMT+1"),
    re.compile("a(b)", re.IGNORECASE | re.MULTILINE),
    re.compile(b"x"),
    re.compile("(?i)inline"),
    ipaddress.ip_address("10.0.0.1"),
    ipaddress.ip_address("fe80::1%eth0"),
    ipaddress.ip_network("10.0.0.0/8"),
    ipaddress.ip_network("2001:db8::/32"),
    ipaddress.ip_interface("10.0.0.1/8"),
    ipaddress.ip_interface("::1/64"),
    Color.RED,
    Color.GREEN,
    Level.LOW,
    Size.BIG,
    Flags.A,
    Flags.A | Flags.B,
    Flags(0),
    {Level.LOW: Size.BIG},
    Point(1, (2, Point({3}, Color.RED))),
    Frozen((1, 2)),
    {Frozen((3,)): 1},
    Pair(1, Pair([2])),
    Plain((1,), {2}),
    [Pair(1), (1, None)],
    Model(inner=Inner(n=1), pair=(1, 2), when=NOON),
    Model.model_validate({"inner": {"n": 1}, "more": (1, 2)}),
    Numbers([1, 2]),
    Send("node", {"a": (1,)}),
    Send("node", 1, timeout=TimeoutPolicy(idle_timeout=2, refresh_on="heartbeat")),
    Interrupt({"q": (1,)}, "f" * 32),
    Interrupt("q", "f" * 32, datetime(2030, 1, 1, tzinfo=UTC)),
    Expired(fails=True),
    Expired(fails=False, default=(1,)),
    Overwrite([1]),
    Overwrite((Send("a", 1),)),
    Command(),
    Command(graph=Command.PARENT, update={"a": (1,)}, resume={"i": None}, goto=(Send("n", 1), "m")),
    Command(goto=["a"]),
    Command(goto="a"),
    HumanMessage("hello", id="1"),
    AIMessage([{"type": "text", "text": "x"}], id="2"),
    AIMessage("", tool_calls=[{"name": "f", "args": {"a": 1}, "id": "c"}]),
    ToolMessage("4", tool_call_id="c", artifact=(1, 2)),
    RemoveMessage(id="1"),
]


def types_in(value: Any) -> Any:
    """The types of a value and of all that it holds, in order."""
    if isinstance(value, dict):
        return type(value), [(types_in(k), types_in(v)) for k, v in value.items()]
    if isinstance(value, list | tuple | deque):
        return type(value), [types_in(item) for item in value]
    return type(value)


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_round_trip_keeps_value_and_type(value: Any) -> None:
    blob = SERDE.dumps(value)
    back = SERDE.loads(blob)
    assert back == value
    assert types_in(back) == types_in(value)
    assert SERDE.dumps(back) == blob


def test_all_values_together_round_trip() -> None:
    assert SERDE.loads(SERDE.dumps(VALUES)) == VALUES


def test_nan_and_negative_zero_survive() -> None:
    not_a_number, zero = SERDE.loads(SERDE.dumps([nan, -0.0]))
    assert isnan(not_a_number)
    assert str(zero) == "-0.0"
    assert SERDE.loads(SERDE.dumps(Decimal("NaN12"))).compare_total(Decimal("NaN12")) == 0


def test_fold_zone_and_zone_name_survive() -> None:
    when = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    back = SERDE.loads(SERDE.dumps(when))
    assert (back.fold, back.tzinfo, back.utcoffset()) == (1, when.tzinfo, when.utcoffset())
    named = timezone(timedelta(hours=-3), "BRT")
    assert SERDE.loads(SERDE.dumps(named)).tzname(None) == "BRT"
    assert SERDE.loads(SERDE.dumps(UTC)) is UTC


def test_deque_keeps_its_bound() -> None:
    assert SERDE.loads(SERDE.dumps(deque([1, 2], maxlen=5))).maxlen == 5


def test_dict_keeps_its_order_and_sets_have_one_encoding() -> None:
    assert list(SERDE.loads(SERDE.dumps({"b": 1, "a": 2}))) == ["b", "a"]
    one, two = {f"k{i}" for i in range(50)}, {f"k{i}" for i in reversed(range(50))}
    assert SERDE.dumps(one) == SERDE.dumps(two)


def test_deeply_nested_sets_take_no_exponential_time() -> None:
    value: Any = frozenset({1, 2})
    for _ in range(60):
        value = frozenset({value, 0})
    assert SERDE.loads(SERDE.dumps(value)) == value


def test_rebuilding_a_dataclass_runs_none_of_its_code() -> None:
    value = Frozen((1, 2))
    object.__setattr__(value, "total", 99)
    assert SERDE.loads(SERDE.dumps(value)).total == 99


def test_a_field_that_was_never_set_stays_unset() -> None:
    @dataclass
    class Late:
        a: int = 1
        b: int = field(init=False)

    serde = JsonPlusSerializer(allowed=[Late])
    back = serde.loads(serde.dumps(Late()))
    assert back.a == 1
    assert not hasattr(back, "b")


def make(version: int) -> Any:
    """The same class before and after it gained and lost fields."""
    if version == 1:

        @dataclass
        class Record:
            kept: int
            lost: int = 0

    else:

        @dataclass
        class Record:  # type: ignore[no-redef]
            kept: int
            gained: list[int] = field(default_factory=lambda: [7])
            plain: int = 8

    Record.__qualname__ = "Record"
    return Record


def test_a_class_may_gain_fields_with_defaults_and_lose_fields() -> None:
    old, new = make(1), make(2)
    blob = JsonPlusSerializer(allowed=[old]).dumps(old(1, 2))
    back = JsonPlusSerializer(allowed=[new]).loads(blob)
    assert back == new(1, [7], 8)


def test_a_model_comes_back_without_its_validators_being_run() -> None:
    runs: list[int] = []

    class Checked(BaseModel):
        a: int
        b: int = 5
        _private: tuple[int, ...] = PrivateAttr((1,))

        @model_validator(mode="after")
        def check(self) -> Checked:
            runs.append(self.a)
            return self

        def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002
            runs.append(-self.a)

    serde = JsonPlusSerializer(allowed=[Checked])
    value = Checked(a=1)
    value._private = (1, 2)
    value.__dict__["a"] = "not even an int"
    seen = list(runs)
    back = serde.loads(serde.dumps(value))
    assert runs == seen
    assert back == value
    assert (back._private, back.model_fields_set) == ((1, 2), {"a"})


def test_messages_need_no_permission_and_keep_their_class() -> None:
    value = [HumanMessage("a", id="1"), AIMessage("b", usage_metadata=None)]
    back = JsonPlusSerializer().loads(JsonPlusSerializer().dumps(value))
    assert back == value
    assert [type(message) for message in back] == [HumanMessage, AIMessage]


def test_typed_form_names_the_format() -> None:
    name, blob = SERDE.dumps_typed((1, 2))
    assert name == "msgpack"
    assert SERDE.loads_typed((name, blob)) == (1, 2)
    assert isinstance(SERDE, SerializerProtocol)


def test_a_serializer_of_a_class_of_the_users_stays_of_that(tmp_path: pathlib.Path) -> None:
    class Reversed(JsonPlusSerializer):
        def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
            name, blob = super().dumps_typed(obj)
            return name, blob[::-1]

        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            return super().loads_typed((data[0], data[1][::-1]))

    serde = Reversed(max_bytes=99).allow(Color)
    assert (type(serde), serde.max_bytes) == (Reversed, 99)
    assert serde.loads_typed(serde.dumps_typed(Color.RED)) is Color.RED
    builder = StateGraph(dict).add_node("n", lambda _: {"a": "b"}).add_edge(START, "n")
    with SqliteSaver.from_conn_string(str(tmp_path / "file")) as saver:
        saver.serde = Reversed()
        graph = builder.compile(checkpointer=saver)
        assert graph.invoke({}, on("t")) == {"a": "b"}
        assert graph.get_state(on("t")).values == {"a": "b"}
    assert b"\xa1a\xa1b"[::-1] in (tmp_path / "file").read_bytes()
