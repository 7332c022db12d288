"""What a message says of a value: of what kind it is, and never what is in it.

Errors end up in logs and trackers, where a state, an answer or a packet has no place.
"""

from __future__ import annotations

from typing import Any

_NAMED = 6
"""So many items of a list are named by their types."""
_SMALL = 10**6


def brief(value: Any) -> str:
    """Return what may be said of ``value``; small numbers and what is empty are shown."""
    cls = type(value)
    if value is None or cls is bool or (cls is int and -_SMALL < value < _SMALL):
        return repr(value)
    if cls in (list, tuple):
        return f"{cls.__name__} of {_types(value)}" if value else repr(value)
    if cls in (str, bytes, dict, set, frozenset):
        return f"{cls.__name__} of {len(value):,}" if value else repr(value)
    return cls.__name__


def _types(items: Any) -> str:
    names = [type(item).__name__ for item in items[:_NAMED]]
    more = ", ..." if len(items) > _NAMED else ""
    return f"{len(items):,} ({', '.join(names)}{more})"
