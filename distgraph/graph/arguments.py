"""How what a caller passed is read as names, and named in a message."""

from __future__ import annotations

import reprlib
from collections.abc import Collection
from typing import Any


def shortly(value: Any) -> str:
    """Return a value's type and the beginning of its text, for a message."""
    return f"{type(value).__name__} {reprlib.repr(value)}"


def names_of(what: str, given: Any) -> list[str]:
    """Return ``given``, a name or a collection of names, as a list; TypeError for another."""
    names = [given] if isinstance(given, str) else given
    if isinstance(names, Collection) and all(isinstance(name, str) for name in names):
        return list(names)
    msg = f"{what} must be a name or a list of names, not {shortly(given)}."
    raise TypeError(msg)
