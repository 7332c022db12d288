"""Brings records that older versions wrote into today's form, a function per kind and step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distgraph._brief import brief
from distgraph.checkpoint import formats
from distgraph.checkpoint.formats import Kind
from distgraph.errors import CorruptRecord, NewerFormat

Upgrade = Callable[[list[Any]], list[Any]]
"""Takes the fields of a record, without its number, and returns those of the next form."""

STEPS: dict[tuple[Kind, int], Upgrade] = {}
"""By kind and number of the form that comes out; each is tested on bytes of the form before."""


def numbered(kind: Kind, *fields: Any) -> list[Any]:
    """Return the record of ``fields``, which are in today's form."""
    return [formats.WRITTEN[kind], *fields]


def fields_of(kind: Kind, packed: Any) -> list[Any]:
    """Return the fields of a record in today's form, without its number.

    CorruptRecord when it is none; NewerFormat when this version is too old for it.
    """
    if not isinstance(packed, list) or not packed:
        raise corrupt(kind, packed)
    return upgraded(kind, packed[0], packed[1:])


def upgraded(kind: Kind, number: Any, fields: list[Any]) -> list[Any]:
    """Return ``fields`` of the form ``number`` in today's form."""
    if type(number) is not int or number < 1:
        raise corrupt(kind, [number, *fields])
    today = formats.WRITTEN[kind]
    if number == today:
        return fields
    if number > formats.FORMAT:
        raise NewerFormat(f"A stored {kind}", number, formats.FORMAT)
    if number > today:
        raise corrupt(kind, [number, *fields])
    return _converted(kind, number, fields)


def _converted(kind: Kind, number: int, fields: list[Any]) -> list[Any]:
    now = fields
    try:
        for each, to in sorted(STEPS):
            if each == kind and number < to:
                now = STEPS[each, to](now)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise corrupt(kind, [number, *fields]) from error
    return now


def corrupt(what: str, packed: Any) -> CorruptRecord:
    """Return the error for what is not a record of ``what``."""
    found = brief(packed)
    return CorruptRecord(f"A stored {what} is not of the form that this version writes: {found}")
