"""How much of a failure is stored: its texts always, what its exception holds up to a size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from distgraph import _validation
from distgraph.core.model import Errored
from distgraph.errors import DeserializationError

ARGUMENTS = 65_536
"""What an exception holds is stored up to so many bytes in all; its text tells what is larger."""
_NAMED = 10
"""So many attributes that are left out are named."""


def within(error: Errored, dumps: Callable[[Any], bytes]) -> Errored:
    """Return as much of a failure as is stored."""
    return _within(error, dumps, ARGUMENTS)[0]


def _within(error: Errored, dumps: Callable[[Any], bytes], room: int) -> tuple[Errored, int]:
    """Return as much of a failure as there is room for, and the room that is left."""
    args, room = _arguments(error, dumps, room)
    attributes: dict[str, Any] = {}
    for name, value in error.attributes.items():
        if (size := _size({name: value}, dumps)) <= room:
            attributes[name], room = value, room - size
    inner, room = _inner(error.inner, dumps, room)
    notes = (*error.notes, *_left_out(error, attributes, inner))
    held = dumps(attributes) if attributes else error.held
    return replace(error, args=args, held=held, attributes={}, inner=inner, notes=notes), room


def opened(error: Errored, loads: Callable[[bytes], Any]) -> Errored:
    """Return a stored failure with the attributes that this process can read."""
    inner = tuple(opened(each, loads) for each in error.inner)
    if not error.held:
        return replace(error, inner=inner)
    try:
        attributes = dict(loads(error.held))
    except (DeserializationError, TypeError, ValueError) as wrong:
        notes = (*error.notes, f"Attributes that cannot be read here: {wrong}")
        return replace(error, held=b"", inner=inner, notes=notes)
    return replace(error, held=b"", inner=inner, attributes=attributes)


def _arguments(
    error: Errored, dumps: Callable[[Any], bytes], room: int
) -> tuple[tuple[Any, ...], int]:
    choices = [error.args]
    if error.kind == _validation.KIND and error.args:
        choices.append(_validation.lean(error.args))
    for args in choices:
        if (size := _size(list(args), dumps)) <= room:
            return args, room - size
    return (), room


def _inner(
    errors: tuple[Errored, ...], dumps: Callable[[Any], bytes], room: int
) -> tuple[tuple[Errored, ...], int]:
    """Return the first errors of a group that there is room for."""
    kept: list[Errored] = []
    for error in errors:
        texts = [error.kind, error.message, error.shown, *error.notes]
        room -= min(_size(texts, dumps), room + 1)
        if room < 0:
            break
        small, room = _within(error, dumps, room)
        kept.append(small)
    return tuple(kept), max(room, 0)


def _left_out(
    error: Errored, attributes: Mapping[str, Any], inner: tuple[Errored, ...]
) -> Iterator[str]:
    names = [name for name in error.attributes if name not in attributes]
    if names:
        more = ", ..." if len(names) > _NAMED else ""
        yield f"Attributes that could not be stored: {', '.join(names[:_NAMED])}{more}"
    if missing := len(error.inner) - len(inner):
        yield f"{missing} more of {len(error.inner)} exceptions in this group were not stored."


def _size(value: Any, dumps: Callable[[Any], bytes]) -> int:
    """Return how many bytes ``value`` takes: too many for any room when it cannot be stored."""
    try:
        return len(dumps(value))
    except Exception:  # noqa: BLE001 whatever an object of a user's does when it is written
        return ARGUMENTS + 1
