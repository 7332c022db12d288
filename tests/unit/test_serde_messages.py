"""How messages are stored: without what is empty in them."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core import messages as theirs

from distgraph import messages as ours
from distgraph.checkpoint.serde.classes import describe
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

CALL = {"name": "f", "args": {"a": (1,)}, "id": "c", "type": "tool_call"}
FIELDS: dict[str, Any] = {
    "id": "1",
    "name": "bob",
    "additional_kwargs": {"a": {1}},
    "response_metadata": {"b": bytearray(b"b")},
}
MESSAGES = [
    made
    for home in (ours, theirs)
    for more in ({}, FIELDS, {"name": ""})
    for made in (
        home.HumanMessage("", **more),
        home.AIMessage(["a", {"type": "text"}], **more),
        home.AIMessage("hi", tool_calls=[CALL], **more),
        home.SystemMessage("hi", **more),
        home.ToolMessage("hi", tool_call_id="c", **more),
        home.ToolMessage("hi", tool_call_id="", status="error", artifact=[1], **more),
        home.FunctionMessage("hi", **{"name": "f", **more}),
        home.RemoveMessage(**{"id": "1", **more}),
    )
]


def made_by(cls: Any, content: str, **more: Any) -> Any:
    return cls(content=content, **more)


USAGE = theirs.ai.UsageMetadata(input_tokens=0, output_tokens=1, total_tokens=1)
OTHERS = [
    made_by(theirs.ChatMessage, "hi", role="judge"),
    made_by(theirs.AIMessageChunk, "hi", chunk_position="last"),
    theirs.AIMessage("hi", usage_metadata=USAGE),
    made_by(theirs.HumanMessage, "hi", unknown=1),
]


@pytest.mark.parametrize("message", [*MESSAGES, *OTHERS], ids=lambda one: type(one).__name__)
def test_a_message_is_read_as_it_was(message: Any) -> None:
    read = JsonPlusSerializer().loads(JsonPlusSerializer().dumps(message))
    assert type(read) is type(message)
    assert read == message
    assert list(vars(read).items()) == list(vars(message).items())
    assert getattr(read, "model_fields_set", None) == getattr(message, "model_fields_set", None)
    assert getattr(read, "model_extra", None) == getattr(message, "model_extra", None)


@pytest.mark.parametrize("cls", [ours.HumanMessage, theirs.HumanMessage])
def test_what_is_empty_takes_no_room_and_belongs_to_one_message(cls: Any) -> None:
    blob = JsonPlusSerializer().dumps([cls("hi"), cls("hi")])
    assert b"kwargs" not in blob
    assert b"metadata" not in blob
    one, other = JsonPlusSerializer().loads(blob)
    one.additional_kwargs["a"] = 1
    assert not other.additional_kwargs


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_it_is_stored_alike_where_a_schema_names_its_class(message: Any) -> None:
    named = JsonPlusSerializer(allowed=[type(message)])
    assert named.dumps(message) == JsonPlusSerializer().dumps(message)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_one_that_is_stored_with_all_its_fields_is_read(message: Any) -> None:
    entry, whole = describe(type(message)), JsonPlusSerializer()
    assert entry is not None
    whole._know({entry.ref: entry})
    stored = whole.dumps(message)
    assert len(stored) >= len(JsonPlusSerializer().dumps(message))
    assert JsonPlusSerializer().loads(stored) == message
