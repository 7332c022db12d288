"""Which values a search takes: fields that are as wanted, or compare with it by operators."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def takes(given: Mapping[str, Any] | None, value: Mapping[str, Any]) -> bool:
    """Whether a filter takes ``value``; ValueError for an operator that is none."""
    return all(_fits(value.get(field), wanted) for field, wanted in (given or {}).items())


def _fits(value: Any, wanted: Any) -> bool:
    match wanted:
        case Mapping() if any(str(name).startswith("$") for name in wanted):
            return all(_holds(name, value, bound) for name, bound in wanted.items())
        case Mapping():
            is_dict = isinstance(value, Mapping)
            return is_dict and all(_fits(value.get(k), part) for k, part in wanted.items())
        case list() | tuple():
            is_list = isinstance(value, list | tuple) and len(value) == len(wanted)
            return is_list and all(map(_fits, value, wanted))
        case _:
            return bool(value == wanted)


def _holds(name: str, value: Any, bound: Any) -> bool:
    if name not in _COMPARED:
        msg = f"A filter has the operator {name!r}. There are: {', '.join(_COMPARED)}."
        raise ValueError(msg)
    try:
        return bool(_COMPARED[name](value, bound))
    except TypeError:  # what cannot be compared, as a field that is not there
        return False
