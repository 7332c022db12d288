"""The text of a traceback is Python's, in all that tells where it was raised."""

from __future__ import annotations

import re
import traceback

import pytest

from distgraph.core.trace import trace


def fails(depth: int) -> None:
    if depth:
        fails(depth - 1)
    raise ValueError("not\nthis")


def plain() -> None:
    raise KeyError("a")


def chained() -> None:
    try:
        plain()
    except KeyError as error:
        raise ValueError("b") from error


def inside() -> None:
    try:
        plain()
    except KeyError:
        raise ValueError("c")  # noqa: B904 the point of it


def grouped() -> None:
    raise ExceptionGroup("d", [ValueError("e")])


def without_marks(text: str) -> str:
    return re.sub(r"^ +[~^]+\n", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("body", [plain, chained, inside, grouped, lambda: fails(9)])
def test_a_trace_is_what_python_shows(body: object) -> None:
    with pytest.raises((KeyError, ValueError, ExceptionGroup)) as raised:
        body()  # type: ignore[operator]
    shown = "".join(traceback.format_exception(raised.value))
    assert without_marks(trace(raised.value)) == without_marks(shown)


def test_an_exception_that_was_not_raised_has_its_last_line() -> None:
    assert trace(ValueError("f")) == "ValueError: f\n"
