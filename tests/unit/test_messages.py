"""Lists of messages merged by id, and the messages that a run streams whole."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, RemoveMessage

from distgraph import messages
from distgraph.core.identity import identified
from distgraph.core.model import Completed
from distgraph.graph import END, START, MessagesState, StateGraph, add_messages
from distgraph.graph.message import REMOVE_ALL_MESSAGES
from distgraph.graph.schema import channels_of
from tests.support.without_langchain import without_langchain

USER = HumanMessage("hi", id="u")
DRAFT = AIMessage("draft", id="a")
FINAL = AIMessage("final", id="a")


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


def test_our_messages_become_langchains() -> None:
    call = {"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"}
    ours = messages.AIMessage("hi", id="1", name="bob", tool_calls=[call])
    assert add_messages([], ours) == [AIMessage("hi", id="1", name="bob", tool_calls=[call])]


@pytest.mark.parametrize("installed", [True, False])
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
        ({"role": "tool", "content": "hi"}, "role 'tool' needs the key 'tool_call_id'"),
        ({"role": "function", "content": "hi"}, "role 'function' needs the key 'name'"),
        ({"role": "remove"}, "role 'remove' needs the key 'id'"),
        ({"role": "user", "content": "secret", "id": ["a"]}, r"\bid\b.* string"),
        (("user", 5.0), r"\bcontent\b.* string"),
        ({"role": "ai", "content": "", "tool_calls": [{"secret": 1}]}, "message"),
        (
            {"role": "ai", "content": "", "tool_calls": [{"function": {"arguments": "{"}}]},
            "message",
        ),
    ],
)
def test_what_is_no_message_is_refused(given: Any, said: str, installed: bool) -> None:
    with without_langchain(not installed), pytest.raises(ValueError, match=said) as caught:
        add_messages([], [given])
    assert "secret" not in str(caught.value)


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


def test_a_format_is_for_the_content_of_all_messages() -> None:
    image = {"type": "base64", "media_type": "image/png", "data": "aa"}
    given = HumanMessage([{"type": "image", "source": image}], id="1")
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aa"}}
    (formed,) = add_messages(format="langchain-openai")([given], [])
    assert formed == HumanMessage([url], id="1")


def test_another_format_is_refused_and_one_without_langchain() -> None:
    unknown: Any = "other"
    with pytest.raises(ValueError, match=r"Unrecognized format='other'. Expected one of"):
        add_messages(format=unknown)
    with without_langchain(), pytest.raises(ImportError, match=r"distgraph\[langchain\]"):
        add_messages([], [], format="langchain-openai")


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
    shown = [(one.type, one.content) for one in result["messages"]]
    assert shown == [("human", "hi"), ("ai", "final"), ("human", "thanks")]


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
        "ls_integration": "langgraph",
        "langgraph_step": 1,
        "langgraph_node": "n0",
        "langgraph_triggers": ("branch:to:n0",),
        "langgraph_path": ("__pregel_pull", "n0"),
    }


def test_messages_of_the_input_are_not_streamed() -> None:
    assert streamed(chat([USER, DRAFT]), [USER]) == [(DRAFT, "n0")]


def test_a_message_is_streamed_once_by_its_id() -> None:
    assert streamed(chat(DRAFT, FINAL), []) == [(DRAFT, "n0")]


def test_messages_without_id_are_streamed_with_the_id_that_they_get() -> None:
    bare = AIMessage("again")
    graph = chat(bare, [bare, "short", bare])
    chunks = list(graph.stream({"messages": []}, stream_mode=["messages", "values"]))
    shown = [chunk[0].id for mode, chunk in chunks if mode == "messages"]
    kept = [message.id for message in chunks[-1][1]["messages"]]
    assert shown == [kept[0], kept[1], kept[3]]
    assert all(map(is_uuid4, kept))
    assert len(set(kept)) == 4
    assert bare.id is None


def test_an_attempt_that_is_repeated_gives_the_same_ids() -> None:
    channels = channels_of(MessagesState)
    done = Completed((("messages", [AIMessage("a"), AIMessage("b")]), ("messages", AIMessage("c"))))
    first, again, other = (identified(channels, task, done) for task in ("t1", "t1", "t2"))
    assert first == again

    def ids(result: Completed) -> set[Any]:
        (_, both), (_, last) = result.writes
        return {message.id for message in (*both, last)}

    assert len(ids(first) | ids(other)) == 6


def test_under_another_key_messages_without_id_are_each_streamed() -> None:
    class State(TypedDict):
        messages: Any

    bare = AIMessage("again")
    assert streamed(chat(bare, bare, state=State), []) == [(bare, "n0"), (bare, "n1")]


def test_removals_are_not_streamed() -> None:
    everything = RemoveMessage(id=REMOVE_ALL_MESSAGES)
    assert streamed(chat([everything, DRAFT]), [USER]) == [(DRAFT, "n0")]


@pytest.mark.parametrize("short", ["hi", ("ai", "hi"), {"role": "ai", "content": "hi"}])
def test_short_forms_are_not_streamed(short: Any) -> None:
    assert streamed(chat(short), []) == []
