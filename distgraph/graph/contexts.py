"""What a caller gives as the context of a run, by its schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

from typing_extensions import is_typeddict

_SLOT = "__pregel_runtime"
"""Where LangGraph's servers put what they know of a run into its config's ``configurable``."""


def seeded(config: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return ``config`` without what a server has put into the runtime's slot, and its context.

    That counts for a run whose caller gives none, as in LangGraph, whatever object holds it.
    """
    given = config.get("configurable", {})
    if _SLOT not in given:
        return config, None
    left = {key: value for key, value in given.items() if key != _SLOT}
    return {**config, "configurable": left}, getattr(given[_SLOT], "context", None)


def context_of(schema: Any, context: Any) -> Any:
    """Return the run's context; a dict becomes an instance of a dataclass or pydantic schema.

    Raises TypeError for a key of it that the schema has not, and what the schema raises.
    """
    if not isinstance(context, dict) or not isinstance(schema, type):
        return context
    if is_typeddict(schema):
        _check(schema, context, schema.__annotations__)
        return context
    if is_dataclass(schema):
        return _of_dataclass(schema, context)
    return _of_model(schema, context) if hasattr(schema, "model_fields") else context


def _of_dataclass(schema: Any, context: Mapping[str, Any]) -> Any:
    try:
        return schema(**context)
    except TypeError:
        _check(schema, context, schema.__dataclass_fields__)
        raise


def _of_model(schema: Any, context: Mapping[str, Any]) -> Any:
    """Return the model; of keys that it would ignore none is meant to be one of another name."""
    made = schema(**context)
    ignores = schema.model_config.get("extra", "ignore") == "ignore"
    if ignores and not schema.__pydantic_decorators__.model_validators:
        _check(schema, context, _names_of(schema.model_fields))
    return made


def _names_of(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys that a model reads: names of its fields, and their aliases."""
    for name, field in fields.items():
        yield name
        yield from _aliases(field.alias)
        yield from _aliases(field.validation_alias)


def _aliases(alias: Any) -> Iterator[str]:
    if isinstance(alias, str):
        yield alias
    elif hasattr(alias, "choices"):
        for choice in alias.choices:
            yield from _aliases(choice)
    elif hasattr(alias, "path"):
        yield str(alias.path[0])


def _check(schema: type, context: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Raise TypeError for a key of ``context`` that is none of ``keys``."""
    known = tuple(dict.fromkeys(keys))
    for key in context:
        if key not in known:
            msg = (
                f"context has the key {key!r}, and its schema {schema.__qualname__} none of that "
                f"name: it has {', '.join(known) or 'no keys'}."
            )
            raise TypeError(msg)
