"""ValidationNode: looks whether calls of tools fit, and makes none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from distgraph._brief import brief
from distgraph._runtime import Runtime
from distgraph.messages.forms import message_of
from distgraph.prebuilt.functions import schema_of
from distgraph.prebuilt.steps import NodeSteps, SteppedNode
from distgraph.prebuilt.tool_calls import type_of, value_of

FormatError = Callable[[Exception, Mapping[str, Any], type[BaseModel]], str]


class ValidationNode(SteppedNode):
    """A node that answers each call in the last message with its arguments, as JSON, once they fit.

    ``schemas``: pydantic models, whose names are those of the calls, tools, or functions. What does
    not fit is answered with what ``format_error`` makes of the error, the call and the schema, in
    a ToolMessage whose ``additional_kwargs`` have ``is_error``. Behaves as LangGraph's.

    Raises ValueError for what has no such schema, and when the last message is not a model's.
    """

    def __init__(
        self,
        schemas: Sequence[Any],
        *,
        format_error: FormatError | None = None,
        name: str = "validation",
        tags: list[str] | None = None,
    ) -> None:
        self.name, self.tags = name, tags
        self._format = format_error or _told
        self.schemas_by_name = dict(map(_schema, schemas))

    def _steps(self, given: Any, config: Any, runtime: Runtime[Any]) -> NodeSteps:
        del config, runtime
        messages = given if isinstance(given, list) else value_of(given, "messages")
        if not messages or type_of(messages[-1]) != "ai":
            raise ValueError("The last message is none of a model, whose calls could be looked at.")
        said = [self._answer(call) for call in messages[-1].tool_calls]
        yield from ()  # nothing is asked
        return said if isinstance(given, list) else {"messages": said}

    def _answer(self, call: Mapping[str, Any]) -> Any:
        schema = self.schemas_by_name[call["name"]]
        form = {"role": "tool", "name": call["name"], "tool_call_id": call["id"]}
        try:
            read = schema.model_validate(call["args"]).model_dump_json()
        except ValidationError as error:
            wrong = {"content": self._format(error, call, schema)}
            return message_of({**form, **wrong, "additional_kwargs": {"is_error": True}})
        return message_of({**form, "content": read})


def _told(error: Exception, call: Mapping[str, Any], schema: type[BaseModel]) -> str:
    del call, schema
    return f"{error!r}\n\nMend what does not fit, and answer again."


def _schema(given: Any) -> tuple[str, type[BaseModel]]:
    if isinstance(given, type) and issubclass(given, BaseModel):
        return given.__name__, given
    if hasattr(given, "args_schema"):
        if isinstance(given.args_schema, type) and issubclass(given.args_schema, BaseModel):
            return given.name, given.args_schema
        raise ValueError(f"The tool '{given.name}' has no pydantic model of its arguments.")
    if not callable(given):
        msg = f"A schema is a pydantic model, a tool or a function, not {brief(given)}."
        raise ValueError(msg)  # noqa: TRY004 as LangGraph does
    return given.__name__, schema_of(given)
