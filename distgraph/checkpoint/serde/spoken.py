"""Messages are stored as other dataclasses and models, without what is empty in them.

There may be thousands in one list, which is encoded in each superstep and decoded for each task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from distgraph.checkpoint.serde.classes import UserClass, describe, ref_of
from distgraph.checkpoint.serde.empties import empties
from distgraph.checkpoint.serde.table import DATACLASS


def message_class(ref: str) -> UserClass | None:
    """A class of messages: one of ours, or of langchain-core's where that is installed."""
    cls = _class_named(ref)
    entry = describe(cls) if cls is not None and ref_of(cls) == ref else None
    return entry and briefly(entry)


def briefly(entry: UserClass) -> UserClass:
    """How a class is stored, if it is one of messages without what is empty in them."""
    if _class_named(entry.ref) is not entry.cls:
        return entry
    empty, fixed = empties(entry.cls), _fixed(entry.cls)
    names = tuple(name for name in entry.names if name not in fixed)
    form = _Form(entry, names, empty, frozenset(names) - empty.keys())
    if entry.code == DATACLASS:
        return replace(entry, write=form.write_pairs, read=form.read_pairs)
    return replace(entry, write=form.write_model, read=form.read_model)


def _class_named(ref: str) -> type | None:
    from distgraph.messages.stored import class_named  # noqa: PLC0415 most store no messages

    return class_named(ref)


def _fixed(cls: Any) -> frozenset[str]:
    """Return the fields whose value is that of the class."""
    given = fields(cls) if is_dataclass(cls) else ()
    return frozenset(field.name for field in given if not field.init)


@dataclass(frozen=True, slots=True)
class _Form:
    """How messages of a class are written; one without a ``needed`` field is read as ``entry``.

    ``empty`` makes the values of the fields that may be left out.
    """

    entry: UserClass
    names: tuple[str, ...]
    empty: Mapping[str, type]
    needed: frozenset[str]

    def write_pairs(self, entry: UserClass, value: Any) -> list[Any]:
        items: list[Any] = [entry.ref]
        for name, item in vars(value).items():
            if item or type(item) is not self.empty.get(name):
                items += (name, item)
        return items

    def read_pairs(self, entry: UserClass, items: list[Any]) -> Any:
        given = dict(zip(items[::2], items[1::2], strict=True))
        if not self.needed <= given.keys():
            return self.entry.read(entry, items)
        value: Any = object.__new__(entry.cls)
        vars(value).update(self._whole(given))
        return value

    def write_model(self, entry: UserClass, value: Any) -> list[Any]:
        if value.__pydantic_private__:
            return self.entry.write(entry, value)
        state, empty = value.__dict__, self.empty
        told = {
            name: item
            for name in self.names
            if name in state and ((item := state[name]) or type(item) is not empty.get(name))
        }
        fields_set = sorted(value.__pydantic_fields_set__)
        return [entry.ref, told, fields_set, value.__pydantic_extra__, None]

    def read_model(self, entry: UserClass, items: list[Any]) -> Any:
        fields, fields_set, extra, private = items
        if private is not None or not self.needed <= fields.keys():
            return self.entry.read(entry, items)
        value: Any = object.__new__(entry.cls)
        object.__setattr__(value, "__dict__", self._whole(fields))
        object.__setattr__(value, "__pydantic_fields_set__", set(fields_set))
        object.__setattr__(value, "__pydantic_extra__", extra)
        object.__setattr__(value, "__pydantic_private__", None)
        return value

    def _whole(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all fields, in their order, those that were left out as empty ones."""
        return {name: given[name] if name in given else self.empty[name]() for name in self.names}
