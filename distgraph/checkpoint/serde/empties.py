"""Which fields of a class are empty by default: None, or a text, list or dict without items."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any


def empties(cls: Any) -> Mapping[str, type]:
    """Return the fields of a dataclass or a model that are empty by default, and what makes one."""
    given = _of_dataclass(cls) if dataclasses.is_dataclass(cls) else _of_model(cls)
    return {name: type(default) for name, default in given if not default}


def _of_dataclass(cls: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING:
            yield field.name, field.default
        elif field.default_factory is not dataclasses.MISSING:
            yield field.name, field.default_factory()


def _of_model(cls: Any) -> Iterator[tuple[str, Any]]:
    for name, info in cls.model_fields.items():
        if not info.is_required():
            yield name, info.get_default(call_default_factory=True)
