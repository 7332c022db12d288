"""Values of classes that extend a plain type are stored as what they hold."""

from __future__ import annotations

import enum
import http
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from langchain_core.messages import AIMessage

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import SerializationError

SERDE = JsonPlusSerializer()


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not what it holds"


class Step(str, enum.Enum):  # noqa: UP042 the text of such a member is not its value
    REVIEW = "review"


class Level(enum.IntEnum):
    HIGH = 3


class Number(int):
    pass


class Share(float):
    pass


class Raw(bytes):
    pass


class Items(list[Any]):
    def copy(self) -> NoReturn:
        raise AssertionError

    def __iter__(self) -> Iterator[NoReturn]:
        raise AssertionError


class Record(dict[str, Any]):
    pass


class Pair(tuple[Any, ...]):
    __slots__ = ()


class Few(set[Any]):
    pass


class Frozen(frozenset[Any]):
    pass


def moved() -> OrderedDict[str, int]:
    value = OrderedDict(a=1, b=2)
    value.move_to_end("a")
    return value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Text("a"), "a"),
        (Text("\ud800"), "\ud800"),
        (AIMessage("hi").text, "hi"),
        (Step.REVIEW, "review"),
        (Level.HIGH, 3),
        (http.HTTPStatus.OK, 200),
        (Number(-1), -1),
        (Number(2**63), 2**63),
        (Number(-(2**80)), -(2**80)),
        (Share(0.5), 0.5),
        (Raw(b"a"), b"a"),
        (Items([1, Items([2])]), [1, [2]]),
        (Items([bytearray(b"a")]), [bytearray(b"a")]),
        (Record(a=Record(b=bytearray(b"a"))), {"a": {"b": bytearray(b"a")}}),
        (Record({Text("a"): (Text("b"),)}), {"a": ("b",)}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (Counter("aab"), {"a": 2, "b": 1}),
        (moved(), {"b": 2, "a": 1}),
        (Pair((1, Pair((2,)))), (1, (2,))),
        (Few({1, 2}), {1, 2}),
        (Frozen({1, Frozen({2})}), frozenset({1, frozenset({2})})),
        ({"in": [Step.REVIEW, {Level.HIGH: Record()}]}, {"in": ["review", {3: {}}]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_is_stored_as_the_plain_value_is(value: Any, plain: Any) -> None:
    stored = SERDE.dumps(value)
    assert stored == SERDE.dumps(plain)
    assert repr(SERDE.loads(stored)) == repr(plain)


@pytest.mark.parametrize(
    "serde", [JsonPlusSerializer(allowed=[Step, Level]), JsonPlusSerializer(learn=True)]
)
def test_a_class_that_is_allowed_stays_itself(serde: JsonPlusSerializer) -> None:
    first, second = serde.loads(serde.dumps([Step.REVIEW, Level.HIGH]))
    assert (first, second) == (Step.REVIEW, Level.HIGH)
    assert (type(first), type(second)) == (Step, Level)


def test_deeply_nested_ones_are_each_written_a_few_times() -> None:
    """Sorting writes the items of a set once more, but not again at each level above."""
    value: Any = Frozen()
    for _ in range(90):
        value = Frozen({value})
    assert len(SERDE.dumps(value)) < 1_000


def test_one_that_contains_itself_is_refused() -> None:
    value = Record()
    value["again"] = [value]
    with pytest.raises(SerializationError, match="contains itself"):
        SERDE.dumps(value)
