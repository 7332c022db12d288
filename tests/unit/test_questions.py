"""One node that asks several things: which answer each question gets when the node runs again."""

from __future__ import annotations

import asyncio
import copy
import itertools
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.digests import digest_of
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.core.model import Answer, Slot
from distgraph.core.questions import HOME, Inquiry
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt
from tests.support.branches import AT_ONCE, Branching, graph_of
from tests.support.site import on


class State(TypedDict, total=False):
    """What was answered."""

    said: Any


class Calls:
    """A graph of one node on one thread."""

    def __init__(self, node: Any) -> None:
        self.saver: BaseCheckpointSaver = InMemorySaver()
        builder = StateGraph(State).add_node("asks", node).add_edge(START, "asks")
        self.graph: Any = builder.compile(checkpointer=self.saver)

    def __call__(self, given: Any) -> Any:
        return asyncio.run(self.graph.ainvoke(given, on("t")))

    def ask(self, given: Any) -> dict[str, str]:
        """Return the ids of what is asked by its value."""
        return {asked.value: asked.id for asked in self(given)["__interrupt__"]}

    def resumes(self) -> Any:
        """Return what the saver has as the answers of the node."""
        found = self.saver.get_tuple(on("t"))
        writes = found.pending_writes or () if found else ()
        (value,) = [value for _, channel, value in writes if channel == "__resume__"]
        return value


def both(*asks: Any) -> Any:
    """Return a node that asks all of it at once; of a function it asks what that returns."""

    async def ask(what: Any) -> str:
        value = what() if callable(what) else what
        return f"{value}: {interrupt(value)}"

    async def node(_: State) -> State:
        return {"said": await asyncio.gather(*map(ask, asks))}

    return node


def counted(name: str) -> Any:
    """Return what says another text each time."""
    numbers = itertools.count(1)
    return lambda: f"{name} {next(numbers)}"


@pytest.mark.parametrize("kind", AT_ONCE)
def test_questions_are_answered_from_the_last_one_on(kind: Any) -> None:
    program = Branching(kind, (("a", "b"), ("c",), ("d", "d", "d")), turn=1)
    graph = graph_of(program.node).compile(checkpointer=InMemorySaver())
    said, told = program.answered(
        lambda given: asyncio.run(graph.ainvoke(given, on("t"))), lambda waiting: waiting[-1:]
    )
    assert said == told


def test_questions_of_equal_values_are_known_by_their_order() -> None:
    program = Branching("gather", (("go?", "go?"), ("go?",), ("go?", "stop?")))
    graph = graph_of(program.node).compile(checkpointer=InMemorySaver())
    said, told = program.answered(
        lambda given: asyncio.run(graph.ainvoke(given, on("t"))),
        lambda waiting: waiting[1:2] or waiting,
    )
    assert said == told


def test_a_question_that_waits_keeps_its_id_and_one_that_was_answered_never_comes_back() -> None:
    calls = Calls(both("left", "right"))
    ids = calls.ask({})
    assert calls.ask(Command(resume={ids["right"]: "R"})) == {"left": ids["left"]}
    assert calls(Command(resume={ids["left"]: "L"}))["said"] == ["left: L", "right: R"]


def test_savers_have_a_list_as_long_as_the_first_questions_are_answered() -> None:
    calls = Calls(both("left", "mid", "right"))
    ids = calls.ask({})
    seen = []
    for name in ("right", "left"):
        ids = calls.ask(Command(resume={ids[name]: name.upper()}))
        seen.append(calls.resumes())
    assert seen == [{"__gaps__": ["RIGHT"]}, {"__gaps__": ["LEFT", "RIGHT"]}]
    assert calls(Command(resume="MID"))["said"] == ["left: LEFT", "mid: MID", "right: RIGHT"]
    (before,) = [each for each in calls.graph.get_state_history(on("t")) if each.next == ("asks",)]
    found = calls.saver.get_tuple(before.config)
    assert found is not None
    assert [v for _, name, v in found.pending_writes or () if name == "__resume__"] == [
        ["LEFT", "MID", "RIGHT"]
    ]


def test_what_was_worded_anew_is_asked_again_where_several_ask() -> None:
    calls = Calls(both(counted("left"), "right"))
    first = calls.ask({})
    second = calls.ask(Command(resume={first["left 1"]: "old"}))
    assert second.keys() == {"left 2", "right"}
    assert second["left 2"] != first["left 1"]
    third = calls.ask(Command(resume={second["right"]: "R"}))
    assert third.keys() == {"left 3"}
    assert calls.resumes() == ["old", "R"]


def test_a_node_alone_may_word_its_question_anew() -> None:
    texts = counted("sure?")
    calls = Calls(lambda _: {"said": [interrupt(texts()), interrupt(texts())]})
    assert calls.ask({}).keys() == {"sure? 1"}
    assert calls.ask(Command(resume="a")).keys() == {"sure? 3"}
    assert calls(Command(resume="b"))["said"] == ["a", "b"]
    texts = counted("sure?")

    def looped(state: State) -> State:
        async def ask() -> Any:
            return interrupt(texts())

        del state
        return {"said": asyncio.run(ask())}

    calls = Calls(looped)
    assert calls.ask({}).keys() == {"sure? 1"}
    assert calls(Command(resume="a"))["said"] == "a"


def test_a_node_alone_takes_an_answer_by_its_value_first() -> None:
    orders = iter([["a", "b"], ["a", "b"], ["b", "a"]])
    calls = Calls(lambda _: {"said": {each: interrupt(each) for each in next(orders)}})
    calls.ask({})
    calls.ask(Command(resume="A"))
    assert calls(Command(resume="B"))["said"] == {"a": "A", "b": "B"}


def test_the_node_asks_beside_what_it_began() -> None:
    async def node(_: State) -> State:
        async def ask(value: str) -> Any:
            return interrupt(value)

        first = interrupt("first")
        others = await asyncio.gather(ask("x"), ask("y"))
        return {"said": [first, *others, interrupt("last")]}

    calls = Calls(node)
    calls.ask({})
    ids = calls.ask(Command(resume="1"))
    assert ids.keys() == {"x", "y"}
    assert calls.ask(Command(resume={ids["y"]: "Y"})).keys() == {"x"}
    assert calls.ask(Command(resume="X")).keys() == {"last"}
    assert calls(Command(resume="2"))["said"] == ["1", "X", "Y", "2"]


# --- graphs in the node ------------------------------------------------------------------------


def inner(*names: str, saved: bool | None = None) -> Any:
    """Return a graph whose nodes ask one after the other, each time with other words."""
    builder: Any = StateGraph(State)
    texts = [counted(name) for name in names]
    for name, text in zip(names, texts, strict=True):

        def node(state: State, text: Any = text) -> State:
            return {"said": [*(state.get("said") or []), interrupt(text())]}

        builder.add_node(name, node)
    builder.add_edge(START, names[0])
    for one, other in itertools.pairwise(names):
        builder.add_edge(one, other)
    return builder.compile(checkpointer=saved)


def test_a_graph_that_keeps_nothing_has_its_questions_answered_in_their_order() -> None:
    called = inner("a", "b", saved=False)

    def node(_: State) -> State:
        return {"said": [called.invoke({})["said"], called.invoke({})["said"]]}

    calls = Calls(node)
    state = calls({})
    for answer in ("1", "2", "3", "4"):
        assert len(state["__interrupt__"]) == 1
        state = calls(Command(resume=answer))
    assert state["said"] == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("saved", [False, None])
def test_graphs_that_are_called_at_once_each_get_their_answers(saved: bool | None) -> None:
    async def asks(state: State) -> State:
        return {"said": [f"{what}: {interrupt(what)}" for what in state["said"]]}

    called: Any = StateGraph(State).add_node("inner", asks).add_edge(START, "inner")
    called = called.compile(checkpointer=saved)

    async def node(_: State) -> State:
        inputs: list[State] = [{"said": ["a", "b"]}, {"said": ["c"]}]
        return {
            "said": [each["said"] for each in await asyncio.gather(*map(called.ainvoke, inputs))]
        }

    calls = Calls(node)
    state, count = calls({}), 0
    while "__interrupt__" in state:
        last = state["__interrupt__"][-1]
        state, count = calls(Command(resume={last.id: last.value.upper()})), count + 1
    assert state["said"] == [["a: A", "b: B"], ["c: C"]]
    assert count == 3


# --- what tells questions from one another -----------------------------------------------------


@dataclass
class Offer:
    """A question of a user's own class."""

    price: int


def test_equal_values_have_one_digest_in_every_process() -> None:
    values = [
        "go?",
        {"a": {"x", "y"}, "b": (1, 2)},
        {"a": {"x", "y"}, "b": [1, 2]},
        Offer(1),
        Offer(2),
    ]
    digests = [digest_of(value) for value in values]
    assert len(set(digests)) == len(values)
    assert {len(digest) for digest in digests} == {16}
    assert digest_of("go?") == "cc974b5d26e62256"
    assert [digest_of(copy.deepcopy(value)) for value in values] == digests


def test_what_is_not_written_as_bytes_has_no_digest() -> None:
    assert digest_of(object()) == ""


# --- the rule ----------------------------------------------------------------------------------


def test_no_id_is_used_twice_in_a_task() -> None:
    slot = Slot("~ab.0", 0, "ab", 0)
    ids: list[str] = []
    for _ in range(3):
        given = [Answer(iid, "", None, slot) for iid in ids]
        ids.append(Inquiry(given).id("task", slot, "token"))
    ids.append(Inquiry(()).id("task", slot, "other"))
    assert len(set(ids)) == 4


def test_lanes_with_names_are_branches_of_their_own() -> None:
    inquiry = Inquiry(())
    one, two = object(), object()
    lanes = [HOME, ("1@a",), (one,), (two,), (one,), ("1@a", one), HOME]
    found = [inquiry.slot(lane, "ab") for lane in lanes]
    assert [(slot.branch, slot.n, slot.index) for slot in found] == [
        ("", 0, 0),
        ("1@a", 0, 1),
        ("~ab.0", 0, 2),
        ("~ab.1", 0, 3),
        ("~ab.0", 1, 4),
        ("~ab.2", 0, 5),
        ("", 1, 6),
    ]
