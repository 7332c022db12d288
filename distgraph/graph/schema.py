"""Read a state schema: which keys it has, and how writes to each merge."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from typing import Annotated, Any, NotRequired, Required, get_args, get_origin, get_type_hints

from distgraph._foreign import foreign
from distgraph.channels import BaseChannel, BinaryOperatorAggregate, LastValue
from distgraph.core.graph import ROOT, Schema
from distgraph.managed.base import Managed, ManagedValue

_TWO = 2
_INTERNAL = ("__", "branch:to:", "join:")
"""How names begin of what results and savers have beside the state keys."""


def channels_of(schema: Any) -> dict[str, BaseChannel]:
    """Return the channel of each key of ``schema``; of ``__root__`` for a bare type.

    Raises ValueError for a key with an internal name and for a reducer that does not take exactly
    two arguments, TypeError for what is LangGraph's, naming the key.
    """
    if advised := foreign(schema):
        msg = f"A state schema is a class of yours, or MessagesState. {advised}"
        raise TypeError(msg)
    hints = hints_of(schema)
    if hints is None:
        return {ROOT: _channel(schema, ROOT)}
    _check_keys(schema, hints)
    return {key: _channel(hint, key) for key, hint in hints.items() if _managed(hint) is None}


def managed_of(schema: Any) -> dict[str, Managed]:
    """Return the keys of ``schema`` that runs fill in by themselves."""
    kinds = {key: _managed(hint) for key, hint in (hints_of(schema) or {}).items()}
    return {key: kind for key, kind in kinds.items() if kind is not None}


def _managed(hint: Any) -> Managed | None:
    last = getattr(_peeled(hint), "__metadata__", (None,))[-1]
    return last if isinstance(last, type) and issubclass(last, ManagedValue) else None


def _peeled(hint: Any) -> Any:
    while get_origin(hint) in (Required, NotRequired):
        (hint,) = get_args(hint)
    return hint


def _check_keys(schema: type, keys: Iterable[str]) -> None:
    """Raise ValueError for a key that would be taken for what stands beside the state.

    The only key of a schema may be ``__root__``: then the state is that value, as of a bare type.
    """
    names = tuple(keys)
    for key in names:
        if key.startswith(_INTERNAL) and names != (ROOT,):
            msg = (
                f"The state key '{key}' of {schema.__qualname__} has a reserved name: none begins "
                f"with {', '.join(map(repr, _INTERNAL))}. Give it another name."
            )
            raise ValueError(msg)


def hints_of(schema: Any) -> Mapping[str, Any] | None:
    """Return the annotations of a schema class, or None for a bare type.

    Raises NameError for one that names what its module does not have.
    """
    if not isinstance(schema, type) or not _annotated(schema):
        return None
    try:
        return get_type_hints(schema, include_extras=True)
    except NameError as error:
        error.add_note(f"While reading the annotations of the schema {schema.__qualname__}")
        raise


def _annotated(schema: type) -> bool:
    return any("__annotations__" in vars(base) for base in schema.__mro__)


def _channel(hint: Any, key: str) -> BaseChannel:
    hint = _peeled(hint)
    if get_origin(hint) is not Annotated:
        return LastValue(hint)
    typ, *metadata = get_args(hint)
    for item in metadata:
        _refuse_foreign(key, item)
        if isinstance(item, BaseChannel):
            return item
        if isinstance(item, type) and issubclass(item, BaseChannel):
            return item(typ)
    last = metadata[-1]
    if callable(last) and not isinstance(last, type):
        return BinaryOperatorAggregate(typ, _checked(last))
    return LastValue(typ)


def _refuse_foreign(key: str, rule: Any) -> None:
    """Raise TypeError for a reducer or channel of LangGraph's."""
    if advised := foreign(rule):
        msg = f"The state key '{key}' is merged by a rule that is not of here. {advised}"
        raise TypeError(msg)


def _checked(reducer: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    try:
        parameters = inspect.signature(reducer).parameters.values()
    except ValueError:  # a builtin without a signature
        return reducer
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(positional) != _TWO and not any(p.kind == p.VAR_POSITIONAL for p in parameters):
        msg = f"Invalid reducer signature. Expected (a, b) -> c. Got {inspect.signature(reducer)}"
        raise ValueError(msg)
    return reducer


def reader(schema: Any) -> Schema:
    """Return how a function with the input schema ``schema`` reads the state."""
    hints = hints_of(schema)
    if hints is None:
        return Schema((ROOT,))
    made = is_dataclass(schema) or hasattr(schema, "model_fields")
    return Schema(tuple(hints), schema if made else None)
