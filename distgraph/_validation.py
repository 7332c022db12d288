"""Pydantic's ValidationError taken apart into lines, and made again of them; nothing imports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from distgraph._brief import brief
from distgraph._loaded import class_in

_MODULE = "pydantic_core._pydantic_core"
KIND = f"{_MODULE}.ValidationError"
LINES = 100
"""So many lines of an error are stored; its text tells the others."""
_ERROR = "error"
_WRAPPED: Mapping[str, type[Exception]] = {
    "value_error": ValueError,
    "assertion_error": AssertionError,
}
"""What a validator of a user's raised stands in the context of a line; its text is kept."""


class Flaw(NamedTuple):
    """A line of an error."""

    kind: str
    loc: list[Any]
    msg: str
    given: Any
    context: Mapping[str, Any] | None


def lines_of(raised: Any) -> tuple[Any, ...]:
    """Return title, lines and whether the inputs are hidden; a line is the list of a ``Flaw``."""
    told = raised.errors(include_url=False)[:LINES]
    hidden = "input_value=" not in str(raised)
    return raised.title, [list(_flaw(each)) for each in told], hidden


def lean(args: Sequence[Any]) -> tuple[Any, ...]:
    """Return ``args`` without the inputs and contexts of the lines, which may be of any size."""
    title, lines, _ = args
    flaws = (Flaw(*line) for line in lines)
    return title, [list(f._replace(given=brief(f.given), context=None)) for f in flaws], True


def remade(cls: Any, args: Sequence[Any]) -> Exception:
    """Return the error of ``args``; raises what pydantic does when it cannot be made of them."""
    title, lines, hidden = args
    details = [_detail(cls, Flaw(*line)) for line in lines]
    made: Exception = cls.from_exception_data(title, details, hide_input=hidden)
    return made


def _flaw(told: Mapping[str, Any]) -> Flaw:
    context = told.get("ctx")
    if context and told["type"] in _WRAPPED:
        context = {**context, _ERROR: str(context.get(_ERROR))}
    return Flaw(told["type"], list(told["loc"]), told["msg"], told["input"], context)


def _detail(cls: Any, flaw: Flaw) -> Any:
    """Return how pydantic is given a line; one that would say something else says its own text."""
    place: dict[str, Any] = {"loc": tuple(flaw.loc), "input": flaw.given}
    context, wrapped = flaw.context, _WRAPPED.get(flaw.kind)
    if context and wrapped is not None:
        context = {**context, _ERROR: wrapped(context[_ERROR])}
    known = {"type": flaw.kind, **place, **({"ctx": context} if context else {})}
    return known if _says(cls, known) == flaw.msg else {"type": _custom(flaw), **place}


def _says(cls: Any, detail: Any) -> str | None:
    """Return the text of a line, None for one of a type that pydantic does not know."""
    try:
        found: str = cls.from_exception_data("", [detail]).errors()[0]["msg"]
    except (KeyError, TypeError, ValueError):
        return None
    return found


def _custom(flaw: Flaw) -> Any:
    made: Any = class_in(_MODULE, "PydanticCustomError")
    return made(flaw.kind, flaw.msg)
