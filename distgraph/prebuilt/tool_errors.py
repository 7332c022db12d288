"""Which errors of tools a model is told of, and how."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from distgraph.errors import is_invalid_resume
from distgraph.prebuilt.langchain import ToolError

Handling = bool | str | type[Exception] | tuple[type[Exception], ...] | Callable[..., str]
"""``handle_tool_errors``: of which errors a model is told instead of the run failing."""


class ToolInvocationError(ToolError):
    """A model asked for a tool with arguments that do not fit.

    ``source`` is pydantic's ValidationError, ``filtered_errors`` what in it the model can mend.
    """

    def __init__(
        self,
        tool_name: str,
        source: Exception,
        tool_kwargs: Mapping[str, Any],
        filtered_errors: Collection[Mapping[str, Any]] | None = None,
    ) -> None:
        self.tool_name, self.source, self.tool_kwargs = tool_name, source, dict(tool_kwargs)
        self.filtered_errors = None if filtered_errors is None else list(filtered_errors)
        told = str(source) if filtered_errors is None else _lines(filtered_errors)
        self.message = (
            f"The arguments {self.tool_kwargs} do not fit the tool '{tool_name}':\n{told}\n"
            "Correct them and call it again."
        )
        super().__init__(self.message)


def _lines(errors: Collection[Mapping[str, Any]]) -> str:
    return "\n".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in errors)


def misfit(
    tool: str, error: Any, args: Mapping[str, Any], hidden: Collection[str]
) -> ToolInvocationError:
    """Return what tells a model of pydantic's ``error``, without what is ``hidden`` from it."""
    found = []
    for one in error.errors():
        if one["loc"] and one["loc"][0] not in hidden:
            seen = one.get("input")
            if isinstance(seen, dict):
                one["input"] = {key: value for key, value in seen.items() if key not in hidden}
            found.append(one)
    return ToolInvocationError(tool, error, args, found)


def only_misfits(error: Exception) -> str:
    """Tell a model of arguments that do not fit, and raise every other error again."""
    if isinstance(error, ToolInvocationError):
        return error.message
    raise error


def told(error: Exception, handling: Handling) -> str:
    """Return what a model is told of ``error``; raises it where it is not to be told."""
    if not handling or is_invalid_resume(error) or not isinstance(error, _handled(handling)):
        raise error
    return worded(error, handling)


def worded(error: Exception, handling: Handling) -> str:
    """Return the words for an error that a model is told of."""
    if isinstance(handling, str):
        return handling
    if isinstance(handling, bool | tuple | type):
        return f"Error: {error!r}\nCorrect the call and try again."
    return handling(error)


def _handled(handling: Handling) -> tuple[type[Exception], ...]:
    if isinstance(handling, tuple):
        return handling
    if isinstance(handling, type):
        return (handling,)
    return (Exception,) if isinstance(handling, bool | str) else handled_by(handling)


def handled_by(handler: Callable[..., str]) -> tuple[type[Exception], ...]:
    """Return the errors that a handler takes, by the annotation of its first parameter.

    ValueError for an annotation that is no exception, nor a union of such.
    """
    names = [name for name in get_type_hints(handler) if name != "return"]
    if not names:
        return (Exception,)
    hint = get_type_hints(handler)[names[0]]
    found = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if all(isinstance(cls, type) and issubclass(cls, Exception) for cls in found):
        return found
    msg = (
        f"The parameter '{names[0]}' of handle_tool_errors is annotated with {hint}: it takes "
        "exceptions, as in `def handler(error: ValueError | KeyError) -> str`."
    )
    raise ValueError(msg)
