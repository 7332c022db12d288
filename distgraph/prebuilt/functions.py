"""Functions as tools, for where langchain-core is not: with its names, as far as they are used."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from distgraph.messages import ToolMessage
from distgraph.prebuilt.contents import content_of
from distgraph.prebuilt.injected import is_marked
from distgraph.types import Command

_SEVERAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class FunctionTool:
    """A tool made of a function: its name, its docstring, and the types of its arguments.

    ``func`` is the function, or ``coroutine`` where it is one. ``args_schema`` is a pydantic model
    of its arguments. Raises ValueError for a function without a docstring, since that is what a
    model goes by.
    """

    return_direct = False

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name: str = function.__name__
        self.description = inspect.getdoc(function) or ""
        if not self.description:
            msg = f"The tool '{self.name}' has no docstring, which tells models what it does."
            raise ValueError(msg)
        is_async = inspect.iscoroutinefunction(function)
        self.func = None if is_async else function
        self.coroutine = function if is_async else None
        self.args_schema = schema_of(function)

    def get_input_schema(self) -> type[BaseModel]:
        """Return the pydantic model of its arguments."""
        return self.args_schema

    def invoke(self, call: Mapping[str, Any], config: Any = None) -> Any:
        """Return what the function says to a tool call, as a ToolMessage, or its Command.

        Raises pydantic's ValidationError for arguments that do not fit, and TypeError for a
        coroutine function.
        """
        del config
        if self.func is None:
            raise TypeError(f"The tool '{self.name}' is async: call the graph by ainvoke.")
        return self._told(self.func(**self._arguments(call)), call)

    async def ainvoke(self, call: Mapping[str, Any], config: Any = None) -> Any:
        """Do what ``invoke`` does; a blocking function is called in a thread."""
        if self.coroutine is None:
            import asyncio  # noqa: PLC0415 who calls this has it

            return await asyncio.to_thread(self.invoke, call, config)
        return self._told(await self.coroutine(**self._arguments(call)), call)

    def _arguments(self, call: Mapping[str, Any]) -> dict[str, Any]:
        read = self.args_schema.model_validate(call["args"])
        return {name: getattr(read, name) for name in read.model_fields_set}

    def _told(self, returned: Any, call: Mapping[str, Any]) -> Any:
        items = returned if isinstance(returned, list) and returned else [returned]
        if all(isinstance(one, Command | ToolMessage) for one in items):
            return returned
        return ToolMessage(content_of(returned), name=self.name, tool_call_id=call["id"])


def schema_of(function: Callable[..., Any]) -> type[BaseModel]:
    """Return the model of a function's arguments; what is injected is taken as it is."""
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for name, given in inspect.signature(function).parameters.items():
        if given.kind not in _SEVERAL:
            hint = Any if is_marked(hints.get(name)) else hints.get(name, Any)
            fields[name] = hint, ... if given.default is given.empty else given.default
    config = ConfigDict(arbitrary_types_allowed=True)
    made: type[BaseModel] = create_model(function.__name__, __config__=config, **fields)
    return made
