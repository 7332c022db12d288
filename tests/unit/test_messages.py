"""Lists of messages merged by id, and the messages that a run streams whole."""

from __future__ import annotations

import copy
import sys
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, RemoveMessage

from distgraph.graph import END, START, MessagesState, StateGraph, add_messages
from distgraph.graph.message import REMOVE_ALL_MESSAGES

USER = {"role": "user", "content": "hi", "id": "u"}
DRAFT = {"role": "assistant", "content": "draft", "id": "a"}
FINAL = {"role": "assistant", "content": "final", "id": "a"}


@dataclass(frozen=True)
class Note:
    """A message class of nobody's library."""

    content: str
    id: str | None = None
    type: str = "note"


class Plain:
    """The same, made the plain way."""

    type = "plain"

    def __init__(self, content: str) -> None:
        self.content = content
        self.id: str | None = None


def is_uuid4(text: Any) -> bool:
    return isinstance(text, str) and uuid.UUID(text).version == 4


# --- forms of messages --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "role"),
    [
        ("hi", "user"),
        (("assistant", "hi"), "assistant"),
        ({"role": "system", "content": "hi"}, "system"),
        ({"role": "tool", "content": "hi", "id": None}, "tool"),
        ({"role": "user", "content": "hi", "id": ["no", "id"]}, "user"),
    ],
)
def test_short_forms_become_dicts_with_an_id(given: Any, role: str) -> None:
    (message,) = add_messages([], given)
    assert is_uuid4(message.pop("id"))
    assert message == {"role": role, "content": "hi"}


def test_a_dict_keeps_its_other_keys() -> None:
    given = {"role": "tool", "content": "42", "tool_call_id": "c1", "id": "t"}
    assert add_messages([], [given]) == [given]


def test_objects_are_kept_as_they_are() -> None:
    given = [HumanMessage("hi", id="1"), Note("n", "2")]
    kept = add_messages([], given)
    assert all(one is other for one, other in zip(kept, given, strict=True))


@pytest.mark.parametrize("given", [AIMessage("hi"), Note("hi"), Plain("hi")])
def test_an_object_without_id_is_copied_to_get_one(given: Any) -> None:
    (message,) = add_messages([], given)
    assert (type(message), message.content, given.id) == (type(given), "hi", None)
    assert is_uuid4(message.id)


def test_a_chunk_becomes_the_message_it_stands_for() -> None:
    (message,) = add_messages([], AIMessageChunk(content="hi", id="1"))
    assert message == AIMessage("hi", id="1")


def test_objects_need_no_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "langchain_core.messages")
    note = Note("n", "1")
    assert add_messages(["hi"], note)[1] is note
    assert "langchain_core.messages" not in sys.modules


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "5 is not a message"),
        ((1, 2), r"tuple of 2 \(int, int\) is not a message"),
        ({"role": "user"}, "needs the keys 'role' and 'content'"),
        ({"content": "hi"}, "needs the keys 'role' and 'content'"),
        (("hello", "world"), "unknown role 'hello'; roles are ai, assistant"),
        ({"role": "asistant", "content": "hi"}, "unknown role 'asistant'"),
        ({"role": ["user"], "content": "hi"}, "unknown role"),
    ],
)
def test_what_is_no_message_is_refused(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        add_messages([], [given])


# --- merging ------------------------------------------------------------------------------------


def test_messages_are_appended() -> None:
    assert add_messages([USER], [DRAFT]) == [USER, DRAFT]


def test_a_message_replaces_the_one_of_its_id_in_place() -> None:
    assert add_messages([DRAFT, USER], FINAL) == [FINAL, USER]


def test_the_last_message_of_an_id_in_an_update_counts() -> None:
    assert add_messages([], [DRAFT, USER, FINAL]) == [FINAL, USER]


@pytest.mark.parametrize("removal", [{"role": "remove", "id": "a"}, RemoveMessage(id="a")])
def test_a_message_is_removed_by_id(removal: Any) -> None:
    assert add_messages([USER, DRAFT], [removal]) == [USER]


def test_a_removed_message_can_be_written_again() -> None:
    removal = {"role": "remove", "id": "a"}
    assert add_messages([DRAFT, USER], [removal, FINAL]) == [FINAL, USER]


def test_removing_an_unknown_id_is_an_error() -> None:
    with pytest.raises(
        ValueError, match="Attempting to delete a message with an ID that doesn't"
    ) as e:
        add_messages([USER], RemoveMessage(id="x"))
    assert str(e.value).endswith("('x')")


@pytest.mark.parametrize(
    "removal",
    [{"role": "remove", "id": REMOVE_ALL_MESSAGES}, RemoveMessage(id=REMOVE_ALL_MESSAGES)],
)
def test_removing_all_keeps_what_follows(removal: Any) -> None:
    assert add_messages([USER], [DRAFT, removal, FINAL]) == [FINAL]


def test_the_arguments_stay_as_they_were() -> None:
    left: list[Any] = [USER, {"role": "user", "content": "no id"}, HumanMessage("none")]
    right: list[Any] = [FINAL, "text", AIMessage("none"), {"role": "remove", "id": "u"}]
    before = copy.deepcopy((left, right))
    add_messages(left, right)
    assert (left, right) == before


@pytest.mark.parametrize(("left", "right", "given"), [([], None, "left"), (None, [], "right")])
def test_one_argument_alone_is_an_error(left: Any, right: Any, given: str) -> None:
    with pytest.raises(ValueError, match=f"both 'left' and 'right'. Only received: '{given}'"):
        add_messages(left, right)


def test_a_format_is_refused() -> None:
    unknown: Any = "langchain-openai"
    with pytest.raises(ValueError, match="format='langchain-openai' is not supported"):
        add_messages([], [], format=unknown)


# --- in graphs ----------------------------------------------------------------------------------


def chat(*replies: Any, state: Any = MessagesState) -> Any:
    """A graph whose nodes n0, n1, ... write `replies`."""
    builder = StateGraph(state)
    previous = START
    for place, reply in enumerate(replies):
        builder.add_node(f"n{place}", lambda _, reply=reply: {"messages": reply})
        builder.add_edge(previous, f"n{place}")
        previous = f"n{place}"
    builder.add_edge(previous, END)
    return builder.compile()


def test_a_graph_merges_messages_by_id() -> None:
    result = chat(DRAFT, [FINAL, ("user", "thanks")]).invoke({"messages": [USER]})
    shown = [(one["role"], one["content"]) for one in result["messages"]]
    assert shown == [("user", "hi"), ("assistant", "final"), ("user", "thanks")]


def test_a_removal_that_fails_ends_the_run() -> None:
    with pytest.raises(ValueError, match="doesn't exist"):
        chat({"role": "remove", "id": "x"}).invoke({"messages": [USER]})


def test_the_reducer_may_be_called_in_an_annotation() -> None:
    class State(TypedDict):
        messages: Annotated[list[Any], add_messages()]

    assert chat(DRAFT, state=State).invoke({"messages": [USER]}) == {"messages": [USER, DRAFT]}


# --- streamed -----------------------------------------------------------------------------------


def streamed(graph: Any, given: Any) -> list[tuple[Any, str]]:
    chunks = graph.stream({"messages": given}, stream_mode="messages")
    return [(message, about["langgraph_node"]) for message, about in chunks]


def test_whole_messages_are_streamed_with_their_node() -> None:
    note = Note("n", "1")
    assert streamed(chat(DRAFT, [note]), []) == [(DRAFT, "n0"), (note, "n1")]


def test_the_metadata_say_what_set_the_node_off() -> None:
    ((_, about),) = chat(DRAFT).stream({"messages": []}, stream_mode="messages")
    assert about.pop("langgraph_checkpoint_ns").startswith("n0:")
    assert about == {
        "langgraph_step": 1,
        "langgraph_node": "n0",
        "langgraph_triggers": ("branch:to:n0",),
        "langgraph_path": ("__pregel_pull", "n0"),
    }


def test_messages_of_the_input_are_not_streamed() -> None:
    assert streamed(chat([USER, DRAFT]), [USER]) == [(DRAFT, "n0")]


def test_a_message_is_streamed_once_by_its_id() -> None:
    assert streamed(chat(DRAFT, FINAL), []) == [(DRAFT, "n0")]


def test_messages_without_id_are_each_streamed() -> None:
    bare = {"role": "assistant", "content": "again"}
    assert streamed(chat(bare, bare), []) == [(bare, "n0"), (bare, "n1")]


def test_removals_are_not_streamed() -> None:
    everything = RemoveMessage(id=REMOVE_ALL_MESSAGES)
    assert streamed(chat([everything, DRAFT]), [USER]) == [(DRAFT, "n0")]


def test_dicts_that_are_no_messages_are_not_streamed() -> None:
    class State(TypedDict):
        messages: Any

    assert streamed(chat({"content": "hi"}, state=State), None) == []
