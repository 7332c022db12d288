"""What annotations allow."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple, Protocol, TypedDict, TypeVar

import pytest

from distgraph._allowed import HowMany, OneOrMore, allowed_by
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

T = TypeVar("T")


class Point(NamedTuple):
    x: int


class Options(TypedDict, total=False):
    x: int


class Unasked(Protocol):
    def run(self) -> None: ...


Pairs = Sequence[tuple[str, Any]]
Points = Point | Sequence[Point] | None
Rows = Sequence[Sequence[Point]]
PAIRS = "tuples of a string, anything"
PROTOCOL = f"{SerializerProtocol.__module__}.SerializerProtocol"
POINT = f"{__name__}.Point"
FITTING = [
    (str, ("", "a"), (5, b"a", None), "a string"),
    (int, (0, -5), ("5", True, 5.0, None), "a whole number"),
    (HowMany, (0, 5), (-1, "5", True, 5.0, None), "a whole number of 0 or more"),
    (OneOrMore | None, (1, None), (0, -1, "5", True), "a whole number of 1 or more or None"),
    (Annotated[str, "a word"], ("", "a"), (5, None), "a string"),
    (float, (0, 0.5, math.inf), ("5", True, math.nan, None), "a number"),
    (bool, (True, False), (0, 1, "no", None), "True or False"),
    (int | None, (5, None), ("5", False), "a whole number or None"),
    (None | str, ("a", None), (5,), "a string or None"),
    (Literal["a", "b"] | None, ("a", "c", None), (5,), "a string or None"),
    (Mapping[str, Any], ({}, OrderedDict(a=5)), ([], "a", None), "a dict"),
    (dict[str, Any] | None, ({}, None), ([("a", 5)],), "a dict or None"),
    (Options, ({}, {"y": 5}), ([],), "a dict"),
    (Sequence[str], ([], ["a"], {"a"}, deque("a")), ("a", {"a": 5}, [5], 5), "a list of strings"),
    (str | Sequence[str], ("a", ["a"]), (5, [5], [["a"]]), "a string or a list of strings"),
    (Sequence[Any], ([5], ["a"]), ("a", 5, {}), "a list"),
    (Pairs, ([("a", 5)], [["a", 5]]), ([5], [("a",)], [(5, 5)]), f"a list of {PAIRS}"),
    (Rows, ([[Point(5)]], [[]]), ([Point(5)], [[5]]), f"a list of lists of {POINT}"),
    (Points, (Point(5), [Point(5)], None), ((5,), 5), f"a {POINT} or a list of {POINT} or None"),
    (tuple[str, ...], (("a", "b"), ()), ("a", (5,)), "a list of strings"),
    (Iterable[type], ([], iter([str])), ("a", 5, b"a"), "a list"),
    (Callable[..., Any], (len, str), (5,), "a function"),
    (Fraction, (Fraction(5),), (5, "5"), "a fractions.Fraction"),
    (SerializerProtocol, (JsonPlusSerializer(),), (5,), f"a {PROTOCOL}"),
]  # fmt: skip


@pytest.mark.parametrize(("hint", "right", "wrong", "said"), FITTING)
def test_what_fits_an_annotation(
    hint: Any, right: tuple[Any, ...], wrong: tuple[Any, ...], said: str
) -> None:
    allowed = allowed_by(hint)
    assert allowed is not None
    assert all(map(allowed.fits, right))
    assert not any(map(allowed.fits, wrong))
    assert not any(type(value) in allowed.quick for value in wrong)
    assert allowed.one == said


@pytest.mark.parametrize("hint", [Any, object, T, type[str], str | Any, Unasked])
def test_what_leaves_a_value_free(hint: Any) -> None:
    assert allowed_by(hint) is None
