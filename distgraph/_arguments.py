"""How what a caller passed is read as names, and named in a message."""

from __future__ import annotations

import reprlib
from collections.abc import Collection
from typing import Any


def shortly(value: Any) -> str:
    """Return a value's type and the beginning of its text, for a message."""
    return "None" if value is None else f"{type(value).__name__} {reprlib.repr(value)}"


def names_of(given: str | Collection[str]) -> list[str]:
    """Return ``given``, a name or a collection of names, as a list."""
    return [as_name(name) for name in ([given] if isinstance(given, str) else given)]


def as_name(given: Any) -> Any:
    """Return a string of a class of its own, such as a member of a str Enum, as a plain one.

    What is no string is returned as it is.
    """
    if type(given) is str or not isinstance(given, str):
        return given
    return str.__str__(given)  # not str(), which is the class' own
