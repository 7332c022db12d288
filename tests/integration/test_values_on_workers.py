"""Values of users' own kinds reach workers and clients as what they hold."""

from __future__ import annotations

import enum
import uuid
from collections import OrderedDict, UserDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from distgraph import messages
from distgraph.graph import START, MessagesState, StateGraph
from distgraph.types import Command, Send, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.without_langchain import without_langchain
from workers import CeleryBackend

pytestmark = pytest.mark.celery


class State(TypedDict, total=False):
    name: str
    found: Any


class Request(BaseModel):
    name: str


@dataclass
class Order:
    name: str


class Step(str, enum.Enum):  # noqa: UP042 the text of such a member is not its value
    LOOK = "look"
    ASK = "ask"


def look(packet: State) -> Command[Any]:
    found = OrderedDict(by=Step.LOOK, name=packet["name"])
    return Command(update={"found": found}, goto=Step.ASK)


def ask(state: State) -> dict[str, Any]:
    return {"found": interrupt(defaultdict(list, state["found"])), "name": Step.ASK}


@pytest.fixture(scope="module")
def backend(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    made = CeleryBackend(redis_server.url, namespace=f"values-{uuid.uuid4().hex[:12]}")
    with made.worker():
        yield made


def test_inputs_names_and_values(backend: CeleryBackend) -> None:
    builder = StateGraph(State).add_node(Step.LOOK, look).add_node(Step.ASK, ask)
    builder.add_conditional_edges(START, lambda state: Send(Step.LOOK, UserDict(state).data))
    graph = builder.compile(name="kinds", backend=backend)
    kinds: list[Any] = [OrderedDict(name="a"), UserDict(name="a"), Request(name="a"), Order("a")]
    for number, given in enumerate(kinds):
        config = on(f"kinds-{number}")
        (asked,) = graph.invoke(given, config)["__interrupt__"]
        assert repr(asked.value) == "{'by': 'look', 'name': 'a'}"
        done = graph.invoke(Command(resume=OrderedDict(b=1, a=2)), config)
        assert repr(done) == "{'name': 'ask', 'found': {'b': 1, 'a': 2}}"


def reply(state: MessagesState) -> dict[str, Any]:
    heard = interrupt([message.text for message in state["messages"]])
    return {"messages": ("ai", heard.text)}


@pytest.mark.parametrize("absent", [False, True])
def test_messages(backend: CeleryBackend, absent: bool) -> None:
    human, ai = (messages.HumanMessage, messages.AIMessage) if absent else (HumanMessage, AIMessage)
    builder = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply")
    config = on(f"messages-{absent}")
    with without_langchain(absent):
        graph = builder.compile(name=f"messages-{absent}", backend=backend)
        (asked,) = graph.invoke({"messages": ["hi", ("ai", "a")]}, config)["__interrupt__"]
        done = graph.invoke(Command(resume=ai("b")), config)["messages"]
        graph.update_state(config, {"messages": human("later", id="1")})
        kept = graph.get_state(config).values["messages"]
    assert asked.value == ["hi", "a"]
    assert [(type(message), message.text) for message in kept] == [
        (human, "hi"),
        (ai, "a"),
        (ai, "b"),
        (human, "later"),
    ]
    assert kept[:-1] == done
