"""Which calls of tools a node is asked for, and how what they return is put together."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

from distgraph._brief import brief
from distgraph._frame import running
from distgraph._message import is_message, is_removal
from distgraph.graph.message import REMOVE_ALL_MESSAGES
from distgraph.messages.forms import message_of
from distgraph.prebuilt.contents import content_of
from distgraph.types import Command, Send

WITH_CONTEXT = "tool_call_with_context"


class ToolCallWithContext(TypedDict):
    """One call of a tool with the state that it sees: what a Send to a ToolNode brings.

    ``__type`` is "tool_call_with_context".
    """

    tool_call: dict[str, Any]
    __type: Literal["tool_call_with_context"]
    state: Any


@dataclass(frozen=True, slots=True)
class AskedTools:
    """The calls that a node is to make, and the state that they see.

    ``form`` is what the calls came in: a state with messages, a list of those, or calls alone.
    """

    calls: list[dict[str, Any]]
    state: Any
    form: Literal["state", "messages", "calls"]


def asked(given: Any, key: str) -> AskedTools:
    """Return the calls in the input of a node, whose messages are called ``key``.

    Raises ValueError for one without a message of a model.
    """
    if isinstance(given, Mapping) and given.get("__type") == WITH_CONTEXT:
        return AskedTools([given["tool_call"]], given["state"], "calls")
    if isinstance(given, list) and given and _is_call(given[-1]):
        frame = running()
        return AskedTools(given, {} if frame is None else frame.state(), "calls")
    is_list = isinstance(given, list)
    messages = given if is_list else value_of(given, key)
    if not messages:
        raise ValueError(f"There are no messages in the input of the tools, a {brief(given)}.")
    spoken = next((one for one in reversed(messages) if type_of(one) == "ai"), None)
    if spoken is None:
        msg = f"Among the {len(messages)} messages for the tools none is a model's."
        raise ValueError(msg)
    return AskedTools(list(spoken.tool_calls), given, "messages" if is_list else "state")


def _is_call(given: Any) -> bool:
    return isinstance(given, Mapping) and given.get("type") == "tool_call"


def value_of(state: Any, key: str) -> Any:
    """Return what a state of whatever kind has under ``key``, None where it has nothing."""
    return state.get(key) if isinstance(state, Mapping) else getattr(state, key, None)


def type_of(message: Any) -> str:
    """Return the type of a message, whose pieces have another one."""
    found = str(getattr(message, "type", ""))
    return "ai" if found == "AIMessageChunk" else found


def tool_message(call: Mapping[str, Any], said: str) -> Any:
    """Return the message that tells a model what was wrong with a call."""
    form = {"role": "tool", "content": said, "tool_call_id": call["id"]}
    return message_of({**form, "name": call["name"], "status": "error"})


def changed(message: Any, **values: Any) -> Any:
    """Return a copy of a message with other values."""
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        return replace(message, **values)
    copied = copy.copy(message)
    for name, value in values.items():
        setattr(copied, name, value)
    return copied


@dataclass(frozen=True, slots=True)
class ToolResults:
    """Reads what the tool of a ``call`` has returned, for a node asked in that ``form``."""

    call: Mapping[str, Any]
    key: str
    form: Literal["state", "messages", "calls"]

    def read(self, returned: Any) -> list[Any]:
        """Return messages and Commands, of which one answers the call.

        TypeError and ValueError where a tool returned something else.
        """
        items = returned if isinstance(returned, list) else [returned]
        if strange := [one for one in items if not _is_output(one)]:
            msg = (
                f"The tool '{self.call['name']}' returned {brief(strange[0])}: a tool returns "
                "a ToolMessage, a Command, or a list of such."
            )
            raise TypeError(msg)
        read = [self._command(one) if isinstance(one, Command) else _told(one) for one in items]
        answers = sum(map(self._answers, read))
        if isinstance(returned, list) and answers != 1:
            raise ValueError(f"{self._unanswered(answers)} In a list exactly one has to.")
        return read

    def _command(self, command: Command[Any, Any]) -> Command[Any, Any]:
        update: Any = command.update
        is_list = isinstance(update, list)
        if not is_list and not isinstance(update, Mapping):
            return command
        if is_list != (self.form == "messages"):
            wanted = (
                "a list of messages" if self.form == "messages" else f"a dict with '{self.key}'"
            )
            msg = f"The tool '{self.call['name']}' updates by a {brief(update)}: give {wanted}."
            raise ValueError(msg)
        said = update if is_list else update.get(self.key, [])
        messages = [self._named(message_of(one)) for one in _listed(said)]
        if is_list:
            return replace(command, update=messages)
        return replace(command, update={**update, **({self.key: messages} if said else {})})

    def _named(self, message: Any) -> Any:
        is_answer = self._is_answer(message)
        return changed(message, name=self.call["name"]) if is_answer else message

    def _is_answer(self, message: Any) -> bool:
        return type_of(message) == "tool" and message.tool_call_id == self.call["id"]

    def _answers(self, output: Any) -> int:
        """Return how many messages of an output answer the call."""
        update = output.update if isinstance(output, Command) else [output]
        said = update.get(self.key, []) if isinstance(update, Mapping) else update
        return sum(self._is_answer(one) for one in _listed(said or []))

    def check_answered(self, command: Command[Any, Any]) -> None:
        """Raise ValueError for the Command of a tool that leaves its call without an answer.

        One for the graph around may, and one that removes all messages.
        """
        update = command.update
        said = update.get(self.key, []) if isinstance(update, Mapping) else update
        removes = [is_removal(one) and one.id == REMOVE_ALL_MESSAGES for one in _listed(said or [])]
        is_free = command.graph is not None or removes == [True]
        if isinstance(update, list | Mapping) and not is_free and not self._answers(command):
            raise ValueError(self._unanswered(0))

    def _unanswered(self, answers: int) -> str:
        return (
            f"The tool '{self.call['name']}' returned {answers} messages that answer its call: add "
            f"a ToolMessage with tool_call_id={self.call['id']!r} to what its Command updates."
        )


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _is_output(one: Any) -> bool:
    return isinstance(one, Command) or (is_message(one) and type_of(one) == "tool")


def _told(message: Any) -> Any:
    content = content_of(message.content)
    return message if content == message.content else changed(message, content=content)


def together(outputs: Collection[Any], key: str, form: str) -> Any:
    """Return what a node returns for the messages and Commands of its tools.

    Sends to the graph around, of several Commands, are those of one.
    """
    if not any(isinstance(one, Command) for one in outputs):
        messages = list(outputs)
        return messages if form == "messages" else {key: messages}
    sends = [send for one in outputs if _only_sends_up(one) for send in one.goto]
    up = [Command(graph=Command.PARENT, goto=sends)] if sends else []
    return [*_apart(outputs, key, form), *up]


def _apart(outputs: Collection[Any], key: str, form: str) -> Iterator[Any]:
    for one in outputs:
        if not isinstance(one, Command):
            yield [one] if form == "messages" else {key: [one]}
        elif not _only_sends_up(one):
            yield one


def _only_sends_up(one: Any) -> bool:
    return (
        isinstance(one, Command)
        and one.graph == Command.PARENT
        and isinstance(one.goto, list)
        and all(isinstance(each, Send) for each in one.goto)
    )
