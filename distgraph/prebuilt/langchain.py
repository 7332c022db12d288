"""The one module of these that knows langchain-core's tools and models, which need not be there."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from distgraph.messages.langchain import PACKAGE
from distgraph.types import Command


def _module(name: str) -> Any:
    """Return a module of langchain-core, None where that is not installed."""
    try:
        return importlib.import_module(f"{PACKAGE}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != PACKAGE:
            raise
        return None


_TOOLS = _module("tools")
_BASES = _module("tools.base")

if TYPE_CHECKING:

    class InjectedToolArg:
        """Marks an argument of a tool that no model is told of."""

    class DirectlyInjected:
        """Marks an argument of a tool by its type alone."""

    class ToolError(Exception):
        """What a tool, or a call of it, has failed with."""

    class _Output:
        """What a tool may return beside a text."""

else:

    class _Marker:
        """Stands for langchain-core's class where that is not installed."""

    InjectedToolArg = getattr(_BASES, "InjectedToolArg", _Marker)
    DirectlyInjected = getattr(_BASES, "_DirectlyInjectedToolArg", _Marker)
    ToolError = getattr(_BASES, "ToolException", Exception)
    _Output = getattr(_BASES, "ToolOutputMixin", object)


def is_installed() -> bool:
    """Whether tools are langchain-core's."""
    return _TOOLS is not None


def made_tool(function: Callable[..., Any]) -> Any:
    """Return its tool of a function, whose docstring says what it does.

    Raises ValueError for a function without one.
    """
    return _TOOLS.tool(function)


class _Passing(_Output):
    """A result that langchain-core hands on as it is, where it would make a text of a Command."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def __repr__(self) -> str:
        return repr(self.result)


def passing(tool: Any) -> Any:
    """Return ``tool``, as one that may return Commands of ours; one of others as it is."""
    if _TOOLS is None or not isinstance(tool, _TOOLS.BaseTool):
        return tool
    own, awaited, copied = tool._run, tool._arun, tool.model_copy()  # noqa: SLF001 what it runs

    @wraps(own)
    def run(*args: Any, **given: Any) -> Any:
        return _passed(own(*args, **given))

    @wraps(awaited)
    async def arun(*args: Any, **given: Any) -> Any:
        return _passed(await awaited(*args, **given))

    # Not by its own setattr, which takes fields of the model alone.
    object.__setattr__(copied, "_run", run)
    object.__setattr__(copied, "_arun", arun)
    return copied


def _passed(returned: Any) -> Any:
    items = returned if isinstance(returned, list) else [returned]
    return _Passing(returned) if any(isinstance(one, Command) for one in items) else returned


def result_of(returned: Any) -> Any:
    """Return what the tool itself has returned."""
    return returned.result if isinstance(returned, _Passing) else returned


def chat_model(named: str) -> Any:
    """Return the model of a name such as "openai:gpt-5", by the package ``langchain``.

    Raises ImportError where that is not installed.
    """
    try:
        models = importlib.import_module("langchain.chat_models")
    except ImportError as error:
        msg = (
            f"The model '{named}' is given by its name, which the package langchain knows, and it "
            "is not installed: pip install langchain, or give a model instead of its name."
        )
        raise ImportError(msg) from error
    return models.init_chat_model(named)
