"""Schemas of what a graph takes and returns: pydantic makes them, when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distgraph._checked import checked
from distgraph.core.graph import ROOT, ChannelKeys, Graph
from distgraph.core.model import END, START
from distgraph.graph.blueprint import Blueprint

if TYPE_CHECKING:  # most never ask
    from pydantic import BaseModel


@checked
class Described:
    """A graph that tells by schemas what it takes and returns.

    The names, and what the schemas say, are LangGraph's. ``config`` changes nothing.
    """

    graph: Graph
    builder: Blueprint

    @property
    def InputType(self) -> Any:  # noqa: N802 the name is LangGraph's
        """The type of the input; None where that is a dict of several channels."""
        if self.builder.input_schema is not Any:
            return self.builder.input_schema
        return self._type_of(START if self.graph.entry else self.graph.inputs, takes=True)

    @property
    def OutputType(self) -> Any:  # noqa: N802 the name is LangGraph's
        """The type of the result; None where that is a dict of state keys."""
        if self.graph.outputs == (ROOT,):
            return self.builder.output_schema
        return self._type_of(END if self.graph.entry else self.graph.outputs, takes=False)

    def _type_of(self, keys: ChannelKeys, *, takes: bool) -> Any:
        if not isinstance(keys, str):
            return None
        channel = self.graph.channels[keys]
        return channel.UpdateType if takes else channel.ValueType

    @property
    def input_schema(self) -> type[BaseModel]:
        """What ``get_input_schema`` returns."""
        return self.get_input_schema()

    @property
    def output_schema(self) -> type[BaseModel]:
        """What ``get_output_schema`` returns."""
        return self.get_output_schema()

    def get_input_schema(self, config: Mapping[str, Any] | None = None) -> type[BaseModel]:
        """Return a pydantic model of the input: the graph's own, where it has one."""
        from distgraph.graph import schemas  # noqa: PLC0415 most never ask

        del config
        return schemas.model_of_input(self.graph, self.builder.input_schema, self.InputType)

    def get_output_schema(self, config: Mapping[str, Any] | None = None) -> type[BaseModel]:
        """Return a pydantic model of the result."""
        from distgraph.graph import schemas  # noqa: PLC0415 most never ask

        del config
        return schemas.model_of_output(self.graph, self.builder.output_schema, self.OutputType)

    def get_input_jsonschema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON schema of the input."""
        from distgraph.graph import schemas  # noqa: PLC0415 most never ask

        return schemas.json_schema(self.builder.input_schema, self.get_input_schema(config))

    def get_output_jsonschema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON schema of the result."""
        from distgraph.graph import schemas  # noqa: PLC0415 most never ask

        return schemas.json_schema(self.builder.output_schema, self.get_output_schema(config))

    def get_context_jsonschema(self) -> dict[str, Any] | None:
        """Return the JSON schema of the context, None for a graph that has no schema of it."""
        from distgraph.graph import schemas  # noqa: PLC0415 most never ask

        given = self.builder.context_schema
        return None if given is None else schemas.json_schema_of_type(given)

    def config_schema(self, *, include: Sequence[str] | None = None) -> type[BaseModel]:
        """Return a pydantic model of the config: its "configurable" is the context schema.

        ``include`` changes nothing.
        """
        from distgraph.graph import schemas  # noqa: PLC0415 most never ask

        del include
        return schemas.model_of_config(self.graph, self.builder.context_schema)

    def get_config_jsonschema(self, *, include: Sequence[str] | None = None) -> dict[str, Any]:
        """Return the JSON schema of ``config_schema``."""
        from distgraph.graph import schemas  # noqa: PLC0415 most never ask

        return schemas.json_schema(None, self.config_schema(include=include))
