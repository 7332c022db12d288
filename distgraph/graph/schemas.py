"""Pydantic models of what a graph takes and returns, and their JSON schemas, as LangGraph has them.

A class of which pydantic knows nothing may be anything there.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, RootModel, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import is_typeddict

from distgraph._arguments import names_of
from distgraph.core.graph import ROOT, Graph

Model = type[BaseModel]


def model_of_input(graph: Graph, schema: Any, bare: Any) -> Model:
    """Return the model of an input: of a state ``schema``, of the type ``bare``, or of channels."""
    for own in (schema, bare):
        if isinstance(own, type) and issubclass(own, BaseModel):
            return own
    name = _titled(graph, "input")
    if bare is None:
        types = {key: graph.channels[key].UpdateType for key in names_of(graph.inputs)}
        return _with_fields(name, types)
    return _root(name, bare, graph)


def model_of_output(graph: Graph, schema: Any, bare: Any) -> Model:
    """Return the model of a result: of a state ``schema``, of the type ``bare``, or of channels."""
    name = _titled(graph, "output")
    if bare is not None:
        return _root(name, bare, graph)
    if schema is not Any:
        return _root(name, schema, graph)
    types = {key: graph.channels[key].ValueType for key in names_of(graph.outputs)}
    return _with_fields(name, types)


def model_of_config(graph: Graph, context: Any) -> Model:
    """Return the model of a config whose "configurable" is a ``context``."""
    types = {} if context is None else {"configurable": context}
    return _with_fields(_titled(graph, "config"), types)


def _titled(graph: Graph, what: str) -> str:
    """Return the name of a model: that of the graph, or what graphs without one are called."""
    name = "LangGraph" if graph.name == graph.entry else graph.name
    return f"{name}{what.title()}" if name[:1].isupper() else f"{name}_{what}"


def _with_fields(name: str, types: dict[str, Any]) -> Model:
    own: dict[str, Any] = {key: (typ, None) for key, typ in types.items()}
    return create_model(name, __config__=_LOOSE, **own)


def _root(name: str, typ: Any, graph: Graph) -> Model:
    if is_dataclass(typ) and not graph.entry:
        own: dict[str, Any] = {f.name: (hint, _default(f, hint)) for f, hint in _fields(typ)}
        return create_model(name, __config__=_LOOSE, **own)
    root: dict[str, Any] = {"root": (typ, None)} if ROOT in graph.channels else {}
    made: Model = create_model(name, __base__=RootModel[typ], **root)
    return made


def _fields(typ: Any) -> Iterator[tuple[Field[Any], Any]]:
    hints = get_type_hints(typ, include_extras=True)
    return ((field, hints[field.name]) for field in fields(typ))


def _default(field: Field[Any], hint: Any) -> Any:
    """Return what a field is without a value; pydantic's mark where it has to have one."""
    if field.default_factory is not MISSING:
        return field.default_factory()
    if field.default is not MISSING:
        return field.default
    return None if _may_be_none(hint) else ...


def _may_be_none(hint: Any) -> bool:
    match get_origin(hint):
        case None:
            return hint is None or hint is NoneType
        case typing.Annotated:
            return _may_be_none(get_args(hint)[0])
        case typing.Union | types.UnionType:
            return any(map(_may_be_none, get_args(hint)))
        case _:
            return False


_LOOSE = ConfigDict(arbitrary_types_allowed=True)


class _Lenient(GenerateJsonSchema):
    """Says nothing of what has no JSON schema."""

    def handle_invalid_for_json_schema(
        self, schema: core_schema.CoreSchema, error_info: str
    ) -> JsonSchemaValue:
        del schema, error_info
        return {}


def json_schema(schema: Any, model: Model) -> dict[str, Any]:
    """Return the JSON schema of a state ``schema`` that tells its own, else that of its model."""
    if is_typeddict(schema) or (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return json_schema_of_type(schema)
    return model.model_json_schema(schema_generator=_Lenient)


def json_schema_of_type(typ: Any) -> dict[str, Any]:
    """Return the JSON schema of a type."""
    return TypeAdapter(typ).json_schema(schema_generator=_Lenient)
