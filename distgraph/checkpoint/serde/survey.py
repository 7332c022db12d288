"""How deep a value is nested and which types it is made of, without a Python step per item."""

from __future__ import annotations

from gc import get_referents
from itertools import chain
from typing import Any

import msgpack

# Bytes that can begin a msgpack container. There are at least as many of them in a blob as
# containers, so a blob with few of them is shallow, whatever else they may stand for.
_CONTAINERS = bytes([*range(0x80, 0xA0), *range(0xDC, 0xE0)])
# Bytes that can begin a bin or ext value.
_SPECIAL = bytes([*range(0xC4, 0xCA), *range(0xD4, 0xD9)])
_OTHERS = bytes(set(range(256)) - set(_CONTAINERS) - set(_SPECIAL))


class TooDeepError(ValueError):
    """The value is nested deeper than the limit (or contains itself)."""


def is_simple(data: bytes, limit: int) -> bool:
    """Whether ``data`` is surely free of bin and ext values and nested at most ``limit`` deep."""
    rest = data.translate(None, _OTHERS)
    return len(rest) <= limit and not rest.translate(None, _CONTAINERS)


def may_be_deep(data: bytes, limit: int) -> bool:
    """Whether ``data`` has enough container bytes to be nested more than ``limit`` deep."""
    return len(data) - len(data.translate(None, _CONTAINERS)) > limit


def survey(value: Any, limit: int) -> set[type]:
    """Every type in the lists and dicts that ``value`` is made of; ``str`` keys are left out.

    Other containers are not entered. Raises TooDeepError when lists and dicts are nested more
    than ``limit`` deep. ``gc.get_referents`` yields all items of a level in one C call.
    """
    kinds = {type(value)}
    level = [value] if kinds <= _PLAIN else []
    for _ in range(limit):
        if not level:
            return kinds
        items = get_referents(*level)
        found = set(map(type, items))
        kinds |= found
        level = [] if found.isdisjoint(_PLAIN) else _inner(items)
    if level:
        raise TooDeepError(f"nested more than {limit} deep")
    return kinds


_PLAIN: frozenset[type] = frozenset({list, dict})


def _inner(items: list[Any]) -> list[Any]:
    return [item for item in items if type(item) is list or type(item) is dict]


def survey_blob(data: Any, limit: int) -> set[type]:
    """The survey of the raw msgpack structure of ``data``, with all ext values left unread."""
    raw = msgpack.unpackb(data, object_pairs_hook=_flat, strict_map_key=False, **LENIENT)
    return survey(raw, limit)


# The text of a forged blob may be anything; its structure is what is looked at.
LENIENT: dict[str, Any] = {"unicode_errors": "surrogatepass"}


def _flat(pairs: list[tuple[Any, Any]]) -> list[Any]:
    return list(chain.from_iterable(pairs))
