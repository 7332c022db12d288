"""Classes of messages with the attributes that langchain-core's have, for where that is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

_WIDTH = 80
"""So many characters wide is the title of a message that is printed."""
Content = str | list[str | dict[str, Any]]


@dataclass(frozen=True)
class BaseMessage:
    """A message; ``content`` is a text, or a list of texts and of blocks, which are dicts."""

    type: str = field(default="", init=False, repr=False)
    content: Content
    id: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    additional_kwargs: dict[str, Any] = field(default_factory=dict, kw_only=True)
    response_metadata: dict[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def text(self) -> str:
        """The text of the content, without the blocks of other types."""
        return "".join(_texts(self.content))

    def pretty_repr(self) -> str:
        """Return the message for people to read, under a title of 80 characters."""
        return "\n".join(self._lines())

    def pretty_print(self) -> None:
        """Print ``pretty_repr``."""
        print(self.pretty_repr())  # noqa: T201 what it is for

    def _lines(self) -> Iterator[str]:
        yield f"{f' {self.type.title()} Message ':=^{_WIDTH}}"
        if self.name:
            yield f"Name: {self.name}"
        yield f"\n{self.content}"


@dataclass(frozen=True)
class HumanMessage(BaseMessage):
    """What a person said; of the roles "user" and "human"."""

    type: Literal["human"] = field(default="human", init=False, repr=False)


@dataclass(frozen=True)
class SystemMessage(BaseMessage):
    """An instruction; of the roles "system" and "developer"."""

    type: Literal["system"] = field(default="system", init=False, repr=False)


@dataclass(frozen=True)
class AIMessage(BaseMessage):
    """What a model said; of the roles "assistant" and "ai".

    A tool call is a dict of ``name``, ``args`` (a dict), ``id`` and ``type`` ("tool_call").
    """

    type: Literal["ai"] = field(default="ai", init=False, repr=False)

    tool_calls: list[dict[str, Any]] = field(default_factory=list, kw_only=True)

    def _lines(self) -> Iterator[str]:
        yield "\n".join(super()._lines()).strip()
        if self.tool_calls:
            yield "Tool Calls:"
        for call in self.tool_calls:
            yield from _call_lines(call)


@dataclass(frozen=True)
class ToolMessage(BaseMessage):
    """What a tool returned for the call with the id ``tool_call_id``.

    ``artifact``: what of it no model is told. ``status``: "success" or "error".
    """

    type: Literal["tool"] = field(default="tool", init=False, repr=False)

    tool_call_id: str = field(kw_only=True)
    artifact: Any = field(default=None, kw_only=True)
    status: str = field(default="success", kw_only=True)


@dataclass(frozen=True)
class FunctionMessage(BaseMessage):
    """What a function returned: the older form of a ToolMessage; it has a ``name``."""

    type: Literal["function"] = field(default="function", init=False, repr=False)


@dataclass(frozen=True)
class RemoveMessage(BaseMessage):
    """Removes the message of its id, by ``add_messages``."""

    type: Literal["remove"] = field(default="remove", init=False, repr=False)

    content: Content = field(default="", kw_only=True)


CLASSES: tuple[type[BaseMessage], ...] = (
    AIMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)


def _texts(content: Content) -> Iterator[str]:
    for block in [content] if isinstance(content, str) else content:
        if isinstance(block, str):
            yield block
        elif block.get("type") == "text":
            yield str(block.get("text", ""))


def _call_lines(call: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {call.get('name')} ({call.get('id')})"
    yield f" Call ID: {call.get('id')}"
    yield "  Args:"
    yield from (f"    {name}: {value}" for name, value in call.get("args", {}).items())
