"""The model of an agent: which one it is, what it is told, what it may call."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from distgraph._brief import brief
from distgraph._message import is_message
from distgraph._runtime import Runtime
from distgraph.graph.callees import callee_of, is_runnable
from distgraph.messages.forms import message_of
from distgraph.prebuilt import langchain
from distgraph.prebuilt.steps import UserCall, called, invoked
from distgraph.prebuilt.tool_calls import type_of, value_of


def bound_model(model: Any, tools: Sequence[Any]) -> Any:
    """Return the model that is told of ``tools``, by its own bind_tools; a name becomes a model.

    One that has tools already stays as it is, and a function that returns models. ValueError where
    the tools that it has are others, TypeError for what is no model.
    """
    if isinstance(model, str):
        model = langchain.chat_model(model)
    if not is_runnable(model):
        if not callable(model):
            raise TypeError(f"A model has invoke() and bind_tools(); this is a {brief(model)}.")
        return model
    if not tools or _has_tools(model, tools):
        return model
    if not hasattr(model, "bind_tools"):
        msg = f"The model {type(model).__name__} has no bind_tools(), by which it learns of tools."
        raise TypeError(msg)
    return model.bind_tools(list(tools))


def _has_tools(model: Any, tools: Sequence[Any]) -> bool:
    given = getattr(_inner(model), "kwargs", None)
    if not isinstance(given, dict) or "tools" not in given:
        return False
    known = {_name(tool) for tool in given["tools"]}
    wanted = {_name(tool) for tool in tools}
    if len(given["tools"]) != len(tools) or (None not in known and wanted - known):
        msg = (
            f"The model is bound to the tools {_told(known)} and the agent has {_told(wanted)}: "
            "give both the same, or the agent a model without tools."
        )
        raise ValueError(msg)
    return True


def _name(tool: Any) -> str | None:
    """Return the name of a tool, also in the form of a provider; None where it is unknown."""
    if not isinstance(tool, dict):
        return getattr(tool, "name", None)
    function = tool.get("function")
    found = function.get("name") if isinstance(function, dict) else tool.get("name")
    return found if isinstance(found, str) else None


def _told(names: set[str | None]) -> str:
    return ", ".join(sorted(name or "?" for name in names)) or "none"


def _inner(model: Any) -> Any:
    """Return what speaks in a sequence of langchain-core's: a model, perhaps with arguments."""
    steps = getattr(model, "steps", None)
    if not isinstance(steps, list):
        return model
    speaks = (one for one in steps if hasattr(one, "bind_tools") or hasattr(one, "bound"))
    return next(speaks, model)


def structured(model: Any, schema: Any) -> Any:
    """Return the model that answers in the form of ``schema``, without the tools that it has.

    TypeError for one that cannot.
    """
    found = _inner(model)
    found = getattr(found, "bound", found)
    if not hasattr(found, "with_structured_output"):
        msg = (
            f"{type(found).__name__} has no with_structured_output(), which response_format needs."
        )
        raise TypeError(msg)
    return found.with_structured_output(schema)


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model and its prompt. ``model`` may be a function of state and runtime that returns one."""

    model: Any
    prompt: Any = None

    def __post_init__(self) -> None:
        if not (self.prompt is None or isinstance(self.prompt, str) or is_message(self.prompt)):
            callee_of(self.prompt, "prompt")

    def chosen(self, state: Any, runtime: Runtime[Any]) -> Generator[UserCall, Any, Any]:
        """Return the model for a state."""
        if is_runnable(self.model):
            return self.model
        callee = callee_of(self.model, "model")
        call, acall = callee.call, callee.acall
        return (
            yield UserCall(
                None if call is None else lambda: call(state, runtime),
                None if acall is None else lambda: acall(state, runtime),
            )
        )

    def prompted(
        self, state: Any, config: Any, runtime: Runtime[Any]
    ) -> Generator[UserCall, Any, Any]:
        """Return what the model is told in a state: its messages, or what the prompt makes."""
        if self.prompt is None:
            return value_of(state, "messages")
        if isinstance(self.prompt, str) or is_message(self.prompt):
            is_text = isinstance(self.prompt, str)
            said = message_of(("system", self.prompt)) if is_text else self.prompt
            return [said, *value_of(state, "messages")]
        return (yield called(self.prompt, "prompt", state, config, runtime))

    def reply(
        self, state: Any, config: Any, runtime: Runtime[Any]
    ) -> Generator[UserCall, Any, Any]:
        """Return the message with which the model answers in a state."""
        model = yield from self.chosen(state, runtime)
        given = yield from self.prompted(state, config, runtime)
        return message_of((yield invoked(model, given, config)))


def told_messages(state: Any) -> list[Any]:
    """Return what of a state the model sees; ValueError without, or where a call has no answer."""
    messages = value_of(state, "llm_input_messages") or value_of(state, "messages")
    if messages is None:
        msg = f"An agent's state has 'messages' or 'llm_input_messages'; {brief(state)} has none."
        raise ValueError(msg)
    answered = {message.tool_call_id for message in messages if type_of(message) == "tool"}
    asked = [call for one in messages if type_of(one) == "ai" for call in one.tool_calls]
    if lost := [call["name"] for call in asked if call["id"] not in answered]:
        msg = (
            f"The conversation has calls of the tools {', '.join(lost[:3])} that no ToolMessage "
            "answers, which models refuse: add one for each, or remove the message that asks."
        )
        raise ValueError(msg)
    return list(messages)


def with_messages(state: Any, messages: list[Any]) -> Any:
    """Return the state with other messages."""
    if isinstance(state, BaseModel):
        return state.model_copy(update={"messages": messages})
    return {**state, "messages": messages}
