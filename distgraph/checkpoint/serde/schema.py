"""The classes that a state schema names: what a compiled graph allows by itself."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any

from distgraph.checkpoint.serde.classes import describe, is_model


def classes_of(*schemas: Any) -> frozenset[type]:
    """Every dataclass, pydantic model, Enum and NamedTuple that the annotations lead to.

    Follows TypedDicts, unions, containers, ``Annotated``, type aliases and the fields of what it
    finds. A name in an annotation that cannot be resolved is passed over.
    """
    found: set[type] = set()
    seen: dict[int, Any] = {}  # by identity, as a hint need not be hashable
    todo: list[Any] = list(schemas)
    while todo:
        hint = todo.pop()
        if id(hint) not in seen:
            seen[id(hint)] = hint
            if isinstance(hint, type) and describe(hint) is not None:
                found.add(hint)
            todo.extend(_leads(hint))
    return frozenset(found)


def _leads(hint: Any) -> Iterator[Any]:
    """The hints that one hint refers to directly."""
    if isinstance(hint, Enum):  # an argument of Literal
        yield type(hint)
    if isinstance(hint, type):
        yield from _annotations(hint)
    if isinstance(hint, list):  # the parameters of a Callable
        yield from hint
    if hasattr(hint, "__metadata__"):  # what Annotated carries besides may be anything
        yield hint.__origin__
    else:
        yield from (typing.get_origin(hint), *typing.get_args(hint))
    if isinstance(hint, typing.TypeVar):
        yield from (hint.__bound__, *hint.__constraints__)
    # A NewType, or the alias that a `type` statement makes.
    yield from (getattr(hint, name, None) for name in ("__supertype__", "__value__"))


def _annotations(cls: type) -> Iterator[Any]:
    if is_model(cls):
        # pydantic has resolved these itself, also those of local classes.
        fields: dict[str, Any] = cls.model_fields  # type: ignore[attr-defined]
        yield from (field.annotation for field in fields.values())
    for base in cls.__mro__:
        space = vars(sys.modules.get(base.__module__, types))
        for name, hint in inspect.get_annotations(base).items():
            yield _resolved(name, hint, space, dict(vars(base)))


def _resolved(name: str, hint: Any, space: dict[str, Any], local: dict[str, Any]) -> Any:
    holder = types.SimpleNamespace(__annotations__={name: hint})
    try:
        return typing.get_type_hints(holder, space, local, include_extras=True)[name]
    except Exception:  # noqa: BLE001 - an annotation is code, and may fail in any way
        return None
