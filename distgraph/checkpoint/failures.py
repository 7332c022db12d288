"""How much of a failure is stored: its text always, the arguments of its exception up to a size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

ARGUMENTS = 65_536
"""The arguments of an exception are stored up to so many bytes; its text tells larger ones."""


def stored_arguments(args: Sequence[Any], dumps: Callable[[Any], bytes]) -> Sequence[Any]:
    """Return the arguments of an exception, or none when they are large or cannot be stored."""
    try:
        return args if len(dumps(list(args))) <= ARGUMENTS else ()
    except Exception:  # noqa: BLE001 whatever an object of a user's does when it is written
        return ()


def bounded(packed: Any, dumps: Callable[[Any], bytes]) -> Any:
    """Return the record of what a task left with as much of a failure as is stored."""
    match packed:
        case [number, int(kind), str(name), str(text), str(trace), [_, *_] as args, list(notes)]:
            kept = list(stored_arguments(args, dumps))
            return [number, kind, name, text, trace, kept, notes]
        case _:
            return packed
