"""Values of classes that extend a plain type, such as OrderedDict: stored as what they hold.

Named tuples and dataclasses hold more than the type that they extend, and are no such values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

# The methods of the plain types themselves: a class may have others of these names.
_HELD: Mapping[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: bytes.__bytes__,
    list: list.copy,
    dict: dict,  # goes by the keys of a class that has an order of its own
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    set: set,
    frozenset: frozenset,
}
_NAMED = ("_fields", "n_fields")
"""What named tuples have, those of Python's own library too."""


def extended(cls: type) -> type | None:
    """Return the plain type that ``cls`` extends and holds nothing beside; None without one."""
    if dataclasses.is_dataclass(cls) or any(hasattr(cls, name) for name in _NAMED):
        return None
    return next((base for base in _HELD if issubclass(cls, base)), None)


def held(value: Any, base: type) -> Any:
    """Return what ``value`` holds, as one of the plain type that its class extends."""
    return _HELD[base](value)
