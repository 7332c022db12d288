"""ToolNode: the node that makes the calls of tools that a model has asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from pydantic import ValidationError
from typing_extensions import Unpack

from distgraph._arguments import shortly
from distgraph._elsewhere import missing_in
from distgraph._runtime import Runtime
from distgraph.effects import acarry, carry
from distgraph.errors import is_invalid_resume
from distgraph.graph.callees import is_runnable
from distgraph.prebuilt import langchain
from distgraph.prebuilt.contents import content_of as msg_content_output
from distgraph.prebuilt.functions import FunctionTool
from distgraph.prebuilt.injected import (
    InjectedState,
    InjectedStore,
    Injection,
    ToolRuntime,
    injection_of,
)
from distgraph.prebuilt.steps import (
    Beside,
    NodeSteps,
    SteppedNode,
    UserCall,
    aperform,
    invoked,
    perform,
)
from distgraph.prebuilt.tool_calls import (
    AskedTools,
    ToolCallWithContext,
    ToolResults,
    asked,
    together,
    tool_message,
    value_of,
)
from distgraph.prebuilt.tool_errors import (
    Handling,
    ToolInvocationError,
    misfit,
    only_misfits,
    told,
    worded,
)
from distgraph.types import Command

__all__ = [
    "AsyncToolCallWrapper",
    "InjectedState",
    "InjectedStore",
    "ToolCallRequest",
    "ToolCallWithContext",
    "ToolCallWrapper",
    "ToolInvocationError",
    "ToolNode",
    "ToolRuntime",
    "msg_content_output",
    "tools_condition",
]


class _Overrides(TypedDict, total=False):
    tool_call: dict[str, Any]
    tool: Any
    state: Any


@dataclass
class ToolCallRequest:
    """One call of a tool, as ``wrap_tool_call`` gets it; ``tool`` is None for an unknown name."""

    tool_call: dict[str, Any]
    tool: Any
    state: Any
    runtime: ToolRuntime[Any, Any]

    def override(self, **overrides: Unpack[_Overrides]) -> ToolCallRequest:
        """Return the same with another call, tool or state; the runtime has that state, too."""
        request = replace(self, **overrides)
        if "state" in overrides and isinstance(request.runtime, ToolRuntime):
            request.runtime = replace(request.runtime, state=request.state)
        return request


ToolCallWrapper = Callable[[ToolCallRequest, Callable[[ToolCallRequest], Any]], Any]
"""Called in place of a tool, with the request and what executes one, any number of times."""
AsyncToolCallWrapper = Callable[
    [ToolCallRequest, Callable[[ToolCallRequest], Awaitable[Any]]], Awaitable[Any]
]
"""The same for coroutines."""


class ToolNode(SteppedNode):
    """A node that makes all calls of tools in the last message of a model, beside one another.

    ``tools``: functions, whose docstrings tell models what they do, or tools of langchain-core.
    The input is a state with ``messages_key``, a list of messages, or a list of calls; the output
    is the update with a ToolMessage for each, in their order, and whatever Commands tools return.
    A tool may call ``interrupt``, and ask for ``InjectedState``, ``InjectedStore``, ToolRuntime.

    ``handle_tool_errors``: of which errors the model is told, instead of the run failing: True for
    all, a text to tell, exception classes, or a function of the error, which handles what its
    parameter is annotated with. By default only of arguments that do not fit; it is always told of
    unknown names. ``wrap_tool_call`` is called in place of each tool, ``awrap_tool_call`` where the
    graph runs on a loop. ``tags`` are kept for who asks. Behaves as LangGraph's.
    """

    sees_state = True
    """Calls that are sent alone find the state of the graph."""

    def __init__(  # noqa: PLR0913 the signature is LangGraph's
        self,
        tools: Sequence[Any],
        *,
        name: str = "tools",
        tags: list[str] | None = None,
        handle_tool_errors: Handling = only_misfits,
        messages_key: str = "messages",
        wrap_tool_call: ToolCallWrapper | None = None,
        awrap_tool_call: AsyncToolCallWrapper | None = None,
    ) -> None:
        self.name, self.tags = name, tags
        if isinstance(tools, str) or not isinstance(tools, Iterable):
            raise TypeError(f"tools must be a list of functions or tools, not {shortly(tools)}.")
        made = [_tool(tool) for tool in tools]
        self.tools_by_name: dict[str, Any] = {tool.name: tool for tool in made}
        self._passing = {tool.name: langchain.passing(tool) for tool in made}
        self._injections = {tool.name: injection_of(tool) for tool in made}
        self._handling, self._key = handle_tool_errors, messages_key
        self._wrap, self._awrap = wrap_tool_call, awrap_tool_call

    def _steps(self, given: Any, config: Any, runtime: Runtime[Any]) -> NodeSteps:
        wanted = asked(given, self._key)
        calls = [
            self._call(self._request(call, wanted, config, runtime), wanted.form)
            for call in wanted.calls
        ]
        width = config.get("max_concurrency") or 0
        outputs = (yield Beside(calls, width)) if calls else []
        return together([one for each in outputs for one in each], self._key, wanted.form)

    def _request(
        self, call: dict[str, Any], wanted: AskedTools, config: Any, runtime: Runtime[Any]
    ) -> ToolCallRequest:
        known: ToolRuntime[Any, Any] = ToolRuntime(
            state=wanted.state,
            context=runtime.context,
            config=config,
            stream_writer=runtime.stream_writer,
            tool_call_id=call["id"],
            store=runtime.store,
            tools=list(self.tools_by_name.values()),
            execution_info=runtime.execution_info,
            server_info=runtime.server_info,
        )
        return ToolCallRequest(call, self.tools_by_name.get(call["name"]), wanted.state, known)

    def _call(self, request: ToolCallRequest, form: Any) -> NodeSteps:
        """Make one call, through what wraps it."""
        wrap, awrap = self._wrap, self._awrap
        if wrap is None and awrap is None:
            return (yield from self._executed(request, form))

        def execute(request: ToolCallRequest) -> Any:
            return _one(carry(self._executed(request, form), perform))

        async def aexecute(request: ToolCallRequest) -> Any:
            return _one(await acarry(self._executed(request, form), aperform))

        blocking = execute if wrap is None else lambda request: wrap(request, execute)
        try:
            output = yield UserCall(
                lambda: blocking(request),
                None if awrap is None else lambda: awrap(request, aexecute),
            )
        except Exception as error:
            if not self._handling or is_invalid_resume(error):
                raise
            output = tool_message(request.tool_call, worded(error, self._handling))
        return output if isinstance(output, list) else [output]

    def _executed(self, request: ToolCallRequest, form: Any) -> NodeSteps:
        """UserCall the tool, and read what it returns or raises."""
        call, tool = request.tool_call, request.tool
        name = call["name"]
        if tool is None:
            known = ", ".join(self.tools_by_name) or "none"
            return [tool_message(call, f"There is no tool '{name}'. The tools are: {known}.")]
        injection = self._injections.get(name) or injection_of(tool)
        args = {key: value for key, value in call["args"].items() if key not in injection.hidden}
        args |= injection.arguments(name, request.runtime, self._key)
        given = {**call, "args": args, "type": "tool_call"}
        try:
            is_own = tool is self.tools_by_name.get(name)
            passing = self._passing[name] if is_own else langchain.passing(tool)
            returned = yield from _invoked(passing, given, request, injection)
            return _read(ToolResults(call, self._key, form), returned)
        except Exception as error:  # noqa: BLE001 the user says which a model is told of
            return [tool_message(call, told(error, self._handling))]


def _invoked(
    tool: Any, given: dict[str, Any], request: ToolCallRequest, injection: Injection
) -> NodeSteps:
    try:
        return langchain.result_of((yield invoked(tool, given, request.runtime.config)))
    except ValidationError as error:
        if is_invalid_resume(error):
            raise
        call = request.tool_call
        raise misfit(call["name"], error, call["args"], injection.hidden) from error


def _read(reader: ToolResults, returned: Any) -> list[Any]:
    read = reader.read(returned)
    if isinstance(returned, Command):
        reader.check_answered(read[0])
    return read


def _one(outputs: list[Any]) -> Any:
    """Return what a wrapper gets: the output of most tools is one."""
    return outputs[0] if len(outputs) == 1 else outputs


def _tool(given: Any) -> Any:
    if is_runnable(given):
        return given
    if not callable(given):
        raise TypeError(f"A tool is a function, or has invoke() and a name, not {shortly(given)}.")
    return langchain.made_tool(given) if langchain.is_installed() else FunctionTool(given)


def tools_condition(state: Any, messages_key: str = "messages") -> Literal["tools", "__end__"]:
    """Return "tools" where the last message asks for some, else END: the path after a model.

    Raises ValueError for a state without messages.
    """
    messages = state if isinstance(state, list) else value_of(state, messages_key)
    if not messages:
        raise ValueError(f"The state has no '{messages_key}' to look for calls of tools in.")
    return "tools" if getattr(messages[-1], "tool_calls", None) else "__end__"


if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
