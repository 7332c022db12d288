"""Where in a value the part is that cannot be stored: run only after storing it has failed."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from distgraph.checkpoint.serde.classes import describe, is_model, ref_of
from distgraph.checkpoint.serde.held import extended
from distgraph.errors import SerializationError
from distgraph.types import Send

_SEQUENCES: frozenset[type] = frozenset({list, tuple, deque})
_SETS: frozenset[type] = frozenset({set, frozenset})
_LEAVES: frozenset[type] = frozenset({type(None), bool, int, float, str, bytes})
_LONGEST = 60
_PLAIN_FORMS = ("tolist", "to_dict", "to_dicts")
"""What makes plain data of arrays, tensors and their items, and of tables."""


class UnsupportedError(TypeError):
    """A value of a type that is not in the table, or of a class that is not allowed."""


def unsupported(value: Any) -> UnsupportedError:
    """What to say about a value that has no row in the table."""
    cls = type(value)
    if describe(cls) is not None:
        return UnsupportedError(
            f"its class {ref_of(cls)} is not allowed. Name the class in the state schema, or allow "
            f"it: JsonPlusSerializer(allowed=[{cls.__name__}])."
        )
    return UnsupportedError(
        f"it is of the type {ref_of(cls)}, which cannot be stored. {_way_out(cls)}"
    )


def _way_out(cls: type) -> str:
    """What to do about a value of a class that cannot be stored."""
    for method in _PLAIN_FORMS:
        if callable(getattr(cls, method, None)):
            return (
                f"Store its {method}(), plain data; one that is large belongs in a file or a store "
                f"made for it, and the name of it in the state."
            )
    return (
        "Use plain data, a dataclass, a pydantic model, a NamedTuple or an Enum; what is not worth "
        "storing belongs into the run's context, or is made in the node that needs it."
    )


def explain(
    value: Any, write: Callable[[Any], Any], limit: int, error: Exception
) -> SerializationError:
    """The error that names the first place in ``value`` that ``write`` refuses.

    ``write`` takes one value and raises if that one cannot be stored; ``error`` is told when no
    single place is at fault.
    """
    path, reason = _fault(value, "value", (), write, limit) or ("value", str(error))
    return SerializationError(f"Cannot store {path}: {reason}")


def _fault(
    value: Any, path: str, above: tuple[int, ...], write: Callable[[Any], Any], limit: int
) -> tuple[str, str] | None:
    if id(value) in above:
        return path, "it contains itself."
    if len(above) > limit:
        return path, f"it is nested more than {limit} deep."
    above = (*above, id(value))
    for label, item in _items(value):
        if fault := _fault(item, path + label, above, write, limit):
            return fault
    return _own_fault(value, path, write)


def _own_fault(value: Any, path: str, write: Callable[[Any], Any]) -> tuple[str, str] | None:
    try:
        if type(value) is str:
            value.encode("utf-8", "surrogatepass")
        elif type(value) not in (_LEAVES | {list, dict}):
            write(value)
    except Exception as error:  # noqa: BLE001 - whatever the value's own code raises
        return path, str(error) if isinstance(error, UnsupportedError) else _told(value, error)
    return None


def _told(value: Any, error: Exception) -> str:
    return f"reading this {ref_of(type(value))} raised {type(error).__name__}: {error}"


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    cls = _looked_into(type(value))
    if cls in _SEQUENCES:
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    elif cls in _SETS:
        yield from (("{...}", item) for item in value)
    elif cls is dict:
        for key, item in value.items():
            yield f"[key {_short(key)}]", key
            yield f"[{_short(key)}]", item
    else:
        yield from _attributes(value)


def _looked_into(cls: type) -> type:
    """Return ``cls``, or the plain type that it extends."""
    return cls if describe(cls) is not None else extended(cls) or cls


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    for name in _names(type(value)):
        try:
            yield f".{name}", getattr(value, name)
        except Exception:  # noqa: BLE001, S112 - unset, or told about when the whole is written
            continue


def _names(cls: type) -> tuple[str, ...]:
    if cls is Send:
        return ("node", "arg")
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    if is_model(cls):
        private: dict[str, Any] = cls.__private_attributes__  # type: ignore[attr-defined]
        return (*cls.model_fields, *private)  # type: ignore[attr-defined]
    return tuple(getattr(cls, "_fields", ()))


def _short(key: Any) -> str:
    text = repr(key)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
