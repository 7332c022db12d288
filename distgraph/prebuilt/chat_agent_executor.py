"""create_react_agent: a model that calls tools until it has an answer, as a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from distgraph._elsewhere import missing_in
from distgraph._runtime import Runtime
from distgraph.graph import END, StateGraph
from distgraph.messages.forms import message_of
from distgraph.prebuilt.agent_model import (
    Speaker,
    bound_model,
    structured,
    told_messages,
    with_messages,
)
from distgraph.prebuilt.agent_state import (
    AgentState,
    AgentStatePydantic,
    AgentStateWithStructuredResponse,
    AgentStateWithStructuredResponsePydantic,
    check_state,
    with_model_input,
)
from distgraph.prebuilt.steps import NodeSteps, SteppedNode, invoked
from distgraph.prebuilt.tool_calls import WITH_CONTEXT, changed, type_of, value_of
from distgraph.prebuilt.tool_node import ToolNode
from distgraph.types import All, Send

__all__ = [
    "AgentState",
    "AgentStatePydantic",
    "AgentStateWithStructuredResponse",
    "AgentStateWithStructuredResponsePydantic",
    "create_react_agent",
    "create_tool_calling_executor",
]

AGENT, TOOLS, BEFORE, AFTER = "agent", "tools", "pre_model_hook", "post_model_hook"
RESPONSE = "generate_structured_response"
_MORE_STEPS = "There are not enough steps left for what this needs."
_LEAST = 2
"""So many supersteps take a call of a tool and the answer to it."""


class _Agent(SteppedNode):
    """The node that asks the model; ``direct`` are the tools whose result ends the run."""

    name = AGENT

    def __init__(self, speaker: Speaker, said_by: str | None, direct: frozenset[str]) -> None:
        self._speaker, self._said_by, self._direct = speaker, said_by, direct

    def _steps(self, given: Any, config: Any, runtime: Runtime[Any]) -> NodeSteps:
        state = with_messages(given, told_messages(given))
        reply = yield from self._speaker.reply(state, config, runtime)
        if self._is_cut_short(given, getattr(reply, "tool_calls", ())):
            said = {"role": "assistant", "content": _MORE_STEPS, "id": reply.id}
            return {"messages": [message_of(said)]}
        return {"messages": [changed(reply, name=self._said_by)]}

    def _is_cut_short(self, state: Any, calls: Sequence[Any]) -> bool:
        """Whether there are too few supersteps left for what the model asks."""
        left = value_of(state, "remaining_steps")
        if left is None or not calls:
            return False
        ends = all(call["name"] in self._direct for call in calls)
        return bool(left < (1 if ends else _LEAST))


class _Response(SteppedNode):
    """The node that has the model say the answer in a form."""

    name = RESPONSE

    def __init__(self, speaker: Speaker, form: Any) -> None:
        self._speaker = speaker
        self._prompt, self._schema = form if isinstance(form, tuple) else (None, form)

    def _steps(self, given: Any, config: Any, runtime: Runtime[Any]) -> NodeSteps:
        messages = list(value_of(given, "messages"))
        if self._prompt is not None:
            messages.insert(0, message_of(("system", self._prompt)))
        model = structured((yield from self._speaker.chosen(given, runtime)), self._schema)
        return {"structured_response": (yield invoked(model, messages, config))}


@dataclass(frozen=True, slots=True)
class _Paths:
    """Where an agent goes: ``first`` begins each round, ``last`` follows its last answer."""

    first: str
    last: str
    has_hook: bool
    each_alone: bool
    direct: frozenset[str]

    def after_model(self, state: Any) -> Any:
        """Go to the tools that the model has asked for, if it has, else to the end."""
        calls = getattr(value_of(state, "messages")[-1], "tool_calls", ())
        if not calls:
            return self.last
        return _sends(calls, state) if self.each_alone else TOOLS

    def after_hook(self, state: Any) -> Any:
        """Go to the tools that have not answered, else on as without the hook."""
        messages = value_of(state, "messages")
        spoken = next(one for one in reversed(messages) if type_of(one) == "ai")
        answered = {one.tool_call_id for one in messages if type_of(one) == "tool"}
        if calls := [call for call in spoken.tool_calls if call["id"] not in answered]:
            return _sends(calls, state)
        return self.first if type_of(messages[-1]) == "tool" else self.last

    def after_tools(self, state: Any) -> str:
        """Go back to the model, unless one of the tools returns to whoever asked the agent."""
        messages = value_of(state, "messages")
        names: list[str | None] = []
        for message in reversed(messages):
            if type_of(message) != "tool":
                names += [call["name"] for call in getattr(message, "tool_calls", ())]
                break
            names.append(message.name)
        return END if self.direct.intersection(names) else self.first


def _sends(calls: Sequence[Any], state: Any) -> list[Send]:
    return [
        Send(TOOLS, {"__type": WITH_CONTEXT, "tool_call": call, "state": state}) for call in calls
    ]


def create_react_agent(  # noqa: PLR0913 the signature is LangGraph's
    model: Any,
    tools: Sequence[Any] | ToolNode,
    *,
    prompt: Any = None,
    response_format: Any = None,
    pre_model_hook: Any = None,
    post_model_hook: Any = None,
    state_schema: Any = None,
    context_schema: type[Any] | None = None,
    checkpointer: Any = None,
    store: Any = None,
    interrupt_before: All | Sequence[str] | None = None,
    interrupt_after: All | Sequence[str] | None = None,
    version: Literal["v1", "v2"] = "v2",
    name: str | None = None,
    backend: Any = None,
) -> Any:
    """Return an agent as a graph: its node ``agent`` asks the model, ``tools`` calls what it wants.

    ``model``: anything with ``invoke``, and ``bind_tools`` where there are tools; a function of
    state and Runtime, or coroutine function, that returns one; or a name as langchain has it.
    ``tools``: functions, tools of langchain-core, dicts in the form of a provider, which it calls
    itself, or a ToolNode. ``prompt``: a text or system message before the messages, or a function
    of the state that returns what the model is told. The hooks are nodes, before and after the
    model; ``llm_input_messages`` of what the first returns is what the model is told.
    ``response_format``: the form of ``structured_response`` in the state, or a pair of a prompt and
    that, for the model's with_structured_output. ``state_schema``: with "messages",
    "remaining_steps", and with ``response_format`` "structured_response". ``version``: "v2" makes
    each call of a tool a task of its own, "v1" all in one. ``name`` is that of the graph and of
    who speaks. ``backend``: where it runs, under ``name``. The rest is ``compile``'s, and all but
    ``backend`` LangGraph's.

    Raises ValueError for a schema that lacks a key and for another ``version``.
    """
    if version not in ("v1", "v2"):
        raise ValueError(f"The version of an agent is 'v1' or 'v2', not {version!r}.")
    responds = response_format is not None
    if state_schema is None:
        state_schema = AgentStateWithStructuredResponse if responds else AgentState
    check_state(state_schema, responds=responds)
    node, offered = _tools(tools)
    direct = frozenset(n for n, tool in node.tools_by_name.items() if _is_direct(tool))
    speaker = Speaker(bound_model(model, offered), prompt)
    paths = _Paths(
        first=AGENT if pre_model_hook is None else BEFORE,
        last=RESPONSE if responds else END,
        has_hook=post_model_hook is not None,
        each_alone=version == "v2",
        direct=direct,
    )
    builder: Any = StateGraph(state_schema, context_schema=context_schema)
    schema = state_schema if pre_model_hook is None else with_model_input(state_schema)
    builder.add_node(AGENT, _Agent(speaker, name, direct), input_schema=schema)
    for hook, action in ((BEFORE, pre_model_hook), (AFTER, post_model_hook)):
        if action is not None:
            builder.add_node(hook, action)
    if responds:
        builder.add_node(RESPONSE, _Response(speaker, response_format))
    _connect(builder, paths, node)
    return builder.compile(
        checkpointer=checkpointer,
        store=store,
        interrupt_before=interrupt_before,
        interrupt_after=interrupt_after,
        name=name,
        backend=backend,
    )


def _connect(builder: Any, paths: _Paths, node: ToolNode) -> None:
    """Add the tools, if there are any, and the edges."""
    builder.set_entry_point(paths.first)
    if paths.first == BEFORE:
        builder.add_edge(BEFORE, AGENT)
    if paths.has_hook:
        builder.add_edge(AGENT, AFTER)
    if not node.tools_by_name:
        if paths.last != END:
            builder.add_edge(AFTER if paths.has_hook else AGENT, paths.last)
        return
    builder.add_node(TOOLS, node)
    if paths.has_hook:
        builder.add_conditional_edges(AFTER, paths.after_hook, [paths.first, TOOLS, paths.last])
    else:
        builder.add_conditional_edges(AGENT, paths.after_model, [TOOLS, paths.last])
    if paths.direct:
        builder.add_conditional_edges(TOOLS, paths.after_tools, [paths.first, END])
    else:
        builder.add_edge(TOOLS, paths.first)


def _tools(tools: Sequence[Any] | ToolNode) -> tuple[ToolNode, list[Any]]:
    """Return the node of the tools, and all that the model is told of."""
    if isinstance(tools, ToolNode):
        return tools, list(tools.tools_by_name.values())
    node = ToolNode([tool for tool in tools if not isinstance(tool, dict)])
    of_provider = [tool for tool in tools if isinstance(tool, dict)]
    return node, [*node.tools_by_name.values(), *of_provider]


def _is_direct(tool: Any) -> bool:
    return bool(getattr(tool, "return_direct", False))


create_tool_calling_executor = create_react_agent
"""The older name."""

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
