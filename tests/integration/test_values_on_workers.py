"""Values of users' own kinds reach workers and clients as what they hold."""

from __future__ import annotations

import enum
from collections import OrderedDict, UserDict, defaultdict
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel

from distgraph.graph import START, StateGraph
from distgraph.types import Command, Send, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import on
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


def test_inputs_names_and_values(redis_server: RedisServer, namespace: str) -> None:
    builder = StateGraph(State).add_node(Step.LOOK, look).add_node(Step.ASK, ask)
    builder.add_conditional_edges(START, lambda state: Send(Step.LOOK, UserDict(state).data))
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph = builder.compile(name="kinds", backend=backend)
    kinds: list[Any] = [OrderedDict(name="a"), UserDict(name="a"), Request(name="a"), Order("a")]
    with backend.worker():
        for number, given in enumerate(kinds):
            config = on(str(number))
            (asked,) = graph.invoke(given, config)["__interrupt__"]
            assert repr(asked.value) == "{'by': 'look', 'name': 'a'}"
            done = graph.invoke(Command(resume=OrderedDict(b=1, a=2)), config)
            assert repr(done) == "{'name': 'ask', 'found': {'b': 1, 'a': 2}}"
