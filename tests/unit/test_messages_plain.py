"""Our classes of messages are made of the same forms as langchain-core's, and say the same."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from langchain_core.messages import AIMessage as TheirAIMessage
from langchain_core.messages import convert_to_messages

from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import DeserializationError
from distgraph.graph import add_messages
from distgraph.messages import (
    AIMessage,
    BaseMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from distgraph.messages.forms import message_of
from tests.support.without_langchain import without_langchain
from workers.cli.screen import as_json

CALL = {"name": "f", "args": {"a": 1, "b": [2]}, "id": "c1"}
OPENAI_CALL = {
    "id": "c2",
    "type": "function",
    "function": {"name": "g", "arguments": '{"a": 1}'},
}
BLOCKS: list[Any] = [
    "a",
    {"type": "text", "text": "b"},
    {"type": "image_url", "image_url": {"url": "u"}},
]
FORMS: list[Any] = [
    "hi",
    "",
    ("user", "hi"),
    ("human", BLOCKS),
    ["ai", "hi"],
    ("assistant", "hi"),
    ("system", "hi"),
    ("developer", "hi"),
    {"role": "user", "content": "hi", "id": "1", "name": "bob"},
    {"role": "user", "content": "hi", "id": 7},
    {"role": "user", "content": None},
    {"role": "user", "content": "hi", "refusal": None, "more": 1},
    {"role": "user", "content": "hi", "additional_kwargs": {"a": 1}, "b": 2},
    {"role": "developer", "content": "hi", "b": 2},
    {"type": "ai", "content": "hi", "response_metadata": {"model": "m"}},
    {"role": "assistant", "content": "", "tool_calls": [CALL, OPENAI_CALL]},
    {"role": "assistant", "content": "hi", "tool_calls": []},
    {"role": "tool", "content": "42", "tool_call_id": "c1"},
    {"role": "tool", "content": 42, "tool_call_id": "c1", "name": "f"},
    {"role": "tool", "content": [], "tool_call_id": "c1", "status": "error", "artifact": [1]},
    {"role": "function", "content": "42", "name": "f"},
]
COMMON = ("type", "content", "id", "name", "response_metadata", "text")
OWN = {
    "ai": ("tool_calls",),
    "tool": ("tool_call_id", "status", "artifact"),
}


def made(form: Any) -> Any:
    with without_langchain():
        (message,) = add_messages([], [form])
    return message


def told(message: Any, given_id: bool) -> dict[str, Any]:
    names = (*COMMON, *OWN.get(message.type, ()))
    shown = {name: getattr(message, name) for name in names if name != "id" or given_id}
    kwargs = message.additional_kwargs.items()
    return {**shown, "additional_kwargs": {k: v for k, v in kwargs if v is not None}}


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_a_form_means_what_it_means_to_langchain(
    form: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (theirs,) = convert_to_messages([form])
    ours = made(form)
    assert isinstance(ours, BaseMessage)
    assert ours.id
    assert told(ours, theirs.id is not None) == told(theirs, theirs.id is not None)
    ours.pretty_print()
    printed = capsys.readouterr().out
    theirs.pretty_print()
    assert printed.strip() == capsys.readouterr().out.strip()
    assert add_messages([], [ours]) == add_messages([], [theirs.model_copy(update={"id": ours.id})])


MESSAGES: list[BaseMessage] = [
    HumanMessage("hi", id="1", name="bob"),
    AIMessage(
        list(BLOCKS), tool_calls=[{**CALL, "type": "tool_call"}], response_metadata={"model": "m"}
    ),
    SystemMessage("hi", additional_kwargs={"a": (1, 2)}),
    ToolMessage("42", tool_call_id="c1", artifact={1, 2}, status="error"),
    FunctionMessage("42", name="f"),
    RemoveMessage(id="1"),
]


def test_they_are_stored_as_themselves_and_known_to_every_serializer() -> None:
    stored = JsonPlusSerializer().dumps({"messages": MESSAGES})
    with without_langchain():
        read = JsonPlusSerializer().loads(stored)["messages"]
    assert read == MESSAGES
    assert list(map(type, read)) == list(map(type, MESSAGES))


def test_a_process_that_imported_no_langchain_reads_its_messages() -> None:
    stored = JsonPlusSerializer().dumps(TheirAIMessage("hi", id="1"))
    program = (
        "import sys; from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer;"
        "assert 'langchain_core' not in sys.modules;"
        f"print(repr(JsonPlusSerializer().loads({stored!r})))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout.decode().strip() == repr(TheirAIMessage("hi", id="1"))


def test_what_is_stored_of_langchain_is_refused_without_it() -> None:
    stored = JsonPlusSerializer().dumps(TheirAIMessage("hi"))
    with (
        without_langchain(),
        pytest.raises(DeserializationError, match=r"pip install distgraph\[langchain\]"),
    ):
        JsonPlusSerializer().loads(stored)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_in_json_a_message_says_what_it_is_and_can_be_read_again(message: BaseMessage) -> None:
    shown = json.loads(as_json(message))
    assert shown["type"] == message.type
    with without_langchain():
        read = message_of(shown)
    assert json.loads(as_json(read)) == shown


def test_messages_are_merged_by_id() -> None:
    with without_langchain():
        said = add_messages([], [HumanMessage("hi", id="1"), ("ai", "draft")])
        again = {"role": "ai", "content": "final", "id": said[1].id}
        merged = add_messages(said, [again, RemoveMessage(id="1"), "more"])
    assert [(one.type, one.content) for one in merged] == [("ai", "final"), ("human", "more")]
    assert said[0].content == "hi"


def test_a_message_does_not_change() -> None:
    message: Any = HumanMessage("hi")
    with pytest.raises(FrozenInstanceError):
        message.content = "other"
