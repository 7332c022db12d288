"""The user's own classes: which are allowed, and how their instances are taken apart and rebuilt.

Nothing here imports a module or finds a class by a name from data: an instance is rebuilt only of
a class that is in the table already.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from distgraph._loaded import class_in, module_of
from distgraph.checkpoint.serde.table import DATACLASS, ENUM, MODEL, NAMEDTUPLE

_PYTHONS_OWN = ("builtins", "types", "typing")


@dataclass(frozen=True, slots=True)
class UserClass:
    """An allowed class: its mark's ``code``, its name in data, and how to write and read it.

    ``write`` lists the values that stand for an instance, ``read`` makes one of such a list.
    """

    code: int
    cls: type
    ref: str
    names: tuple[str, ...]
    write: Callable[[UserClass, Any], list[Any]]
    read: Callable[[UserClass, list[Any]], Any]


def ref_of(cls: type) -> str:
    """The name of ``cls`` in stored data.

    Of a model with parameters it tells the classes among them: many may be called ``Page[Item]``.
    """
    named = f"{module_of(cls)}:{cls.__qualname__}"
    given = tuple(_parameters(cls))
    return f"{named} of {', '.join(map(ref_of, given))}" if given else named


def _parameters(cls: type) -> Iterator[type]:
    """Yield the classes that are parameters of a pydantic model."""
    known = vars(cls).get("__pydantic_generic_metadata__")
    if known and known["origin"] is not None:
        yield from _classes_in(known["args"])


def _classes_in(hints: Iterable[Any]) -> Iterator[type]:
    for hint in hints:
        if (origin := typing.get_origin(hint)) is not None:
            yield from _classes_in((origin, *typing.get_args(hint)))
        elif isinstance(hint, type) and hint.__module__ not in _PYTHONS_OWN:
            yield hint


def of_one_name(classes: Iterable[type]) -> tuple[type, ...]:
    """Those of ``classes`` whose name in stored data no other one of them has."""
    named: dict[str, list[type]] = {}
    for cls in classes:
        named.setdefault(ref_of(cls), []).append(cls)
    return tuple(found[0] for found in named.values() if len(found) == 1)


def describe(cls: type) -> UserClass | None:
    """How instances of ``cls`` are stored; None when it is no kind of class that can be."""
    if isinstance(cls, enum.EnumMeta):
        return UserClass(ENUM, cls, ref_of(cls), (), _write_enum, _read_enum)
    if dataclasses.is_dataclass(cls):
        return _describe_dataclass(cls)
    if issubclass(cls, tuple) and hasattr(cls, "_field_defaults"):
        names = cls._fields  # type: ignore[attr-defined]
        return UserClass(NAMEDTUPLE, cls, ref_of(cls), names, _write_pairs, _read_namedtuple)
    if is_model(cls):
        names = tuple(cls.model_fields)  # type: ignore[attr-defined]
        return UserClass(MODEL, cls, ref_of(cls), names, _write_model, _read_model)
    return None


def is_model(cls: type) -> bool:
    """Whether ``cls`` is a pydantic model; pydantic is not imported to find out."""
    base = class_in("pydantic.main", "BaseModel")
    return base is not None and issubclass(cls, base)


def table_of(classes: Iterable[type]) -> dict[str, UserClass]:
    """The allowed classes by their name in data.

    Raises TypeError for a class that cannot be stored, ValueError for two of one name.
    """
    table: dict[str, UserClass] = {}
    for cls in classes:
        entry = describe(cls)
        if entry is None:
            raise TypeError(
                f"{cls!r} cannot be allowed: only dataclasses, pydantic models, NamedTuples and "
                f"Enums can be stored."
            )
        if table.setdefault(entry.ref, entry).cls is not cls:
            raise ValueError(f"Two different classes are named {entry.ref}; rename one of them.")
    return table


# --- Enum ---------------------------------------------------------------------------------------


def _write_enum(entry: UserClass, value: enum.Enum) -> list[Any]:
    return [entry.ref, value.value if isinstance(value, enum.Flag) else value.name]


def _read_enum(entry: UserClass, items: list[Any]) -> Any:
    (key,) = items
    if issubclass(entry.cls, enum.Flag):
        return entry.cls(key)
    members: Mapping[str, Any] = entry.cls.__members__  # type: ignore[attr-defined]
    return members[key]


# --- dataclass and NamedTuple -------------------------------------------------------------------


def _describe_dataclass(cls: type) -> UserClass | None:
    try:
        object.__new__(cls)
    except TypeError:  # derived from dict, Exception, ...: it holds more than its fields
        return None
    names = tuple(field.name for field in dataclasses.fields(cls))
    return UserClass(DATACLASS, cls, ref_of(cls), names, _write_pairs, _read_dataclass)


def _write_pairs(entry: UserClass, value: Any) -> list[Any]:
    items: list[Any] = [entry.ref]
    for name in entry.names:
        if hasattr(value, name):  # a field with init=False may not be set yet
            items += (name, getattr(value, name))
    return items


def _pairs(items: list[Any]) -> dict[str, Any]:
    return dict(zip(items[::2], items[1::2], strict=True))


def _read_dataclass(entry: UserClass, items: list[Any]) -> Any:
    # Neither __init__ nor __post_init__ runs: the fields are what they were, also those that
    # __post_init__ derived or __init__ does not take. object.__setattr__ writes frozen and
    # slotted classes too. A field that the class has gained gets its default.
    given = _pairs(items)
    value: Any = object.__new__(entry.cls)
    for field in dataclasses.fields(entry.cls):
        if field.name in given:
            object.__setattr__(value, field.name, given[field.name])
        elif field.default is not dataclasses.MISSING:
            object.__setattr__(value, field.name, field.default)
        elif field.default_factory is not dataclasses.MISSING:
            object.__setattr__(value, field.name, field.default_factory())
        elif field.init:
            raise ValueError(f"{entry.ref} needs the field {field.name!r}")
    return value


def _read_namedtuple(entry: UserClass, items: list[Any]) -> Any:
    defaults: Mapping[str, Any] = entry.cls._field_defaults  # type: ignore[attr-defined]
    given = {**defaults, **_pairs(items)}
    # tuple.__new__, as a class may define a __new__ of its own.
    return tuple.__new__(entry.cls, [given[name] for name in entry.names])


# --- pydantic -----------------------------------------------------------------------------------


def _write_model(entry: UserClass, value: Any) -> list[Any]:
    # The fields as they are: model_dump would flatten nested models and run the user's
    # serializers. Private attributes that were never set are left out.
    state = value.__dict__
    fields = {name: state[name] for name in entry.names if name in state}
    private = value.__pydantic_private__
    if private is not None:
        private = {name: item for name, item in private.items() if not _is_unset(item)}
    fields_set = sorted(value.__pydantic_fields_set__)
    return [entry.ref, fields, fields_set, value.__pydantic_extra__, private]


def _read_model(entry: UserClass, items: list[Any]) -> Any:
    # As a copy would be made, without validators, model_post_init or __init__: a stored value was
    # valid when it was written, and reading must give back that value. (model_validate would
    # coerce again, model_construct runs model_post_init and forgets private attributes.)
    fields, fields_set, extra, private = items
    cls: Any = entry.cls
    value = cls.__new__(cls)
    for name, info in cls.model_fields.items():
        if name not in fields:
            if info.is_required():
                raise ValueError(f"{entry.ref} needs the field {name!r}")
            fields[name] = info.get_default(call_default_factory=True)
    known = {name: item for name, item in fields.items() if name in cls.model_fields}
    object.__setattr__(value, "__dict__", known)
    object.__setattr__(value, "__pydantic_fields_set__", set(fields_set))
    object.__setattr__(value, "__pydantic_extra__", extra)
    object.__setattr__(value, "__pydantic_private__", _private(cls, private))
    return value


def _private(cls: Any, given: dict[str, Any] | None) -> dict[str, Any] | None:
    defaults = {name: info.get_default() for name, info in cls.__private_attributes__.items()}
    private = {name: item for name, item in defaults.items() if not _is_unset(item)} | (given or {})
    return private if defaults or given is not None else None


def _is_unset(item: Any) -> bool:
    return item is sys.modules["pydantic_core"].PydanticUndefined
