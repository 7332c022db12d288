"""An answer has to be what its question says, else the question waits for another one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import NoSuchInterrupt, is_invalid_resume
from distgraph.func import entrypoint, task
from distgraph.graph import START, StateGraph
from distgraph.types import Command, Interrupt, interrupt

CONFIG = {"configurable": {"thread_id": "t"}}
RAW = {"type": "object", "properties": {"yes": {"type": "boolean"}}}


class Choice(BaseModel):
    yes: bool
    why: str = ""


class ChoiceDict(TypedDict):
    yes: bool


@dataclass
class ChoiceData:
    yes: bool


class State(TypedDict, total=False):
    got: list[Any]


def asking(*schemas: Any, **nodes: Any) -> Any:
    """A graph whose node asks one question after another, each with its schema."""

    def ask(_: State) -> State:
        answers = [interrupt(f"q{i}", response_schema=s) for i, s in enumerate(schemas)]
        return {"got": [repr(answer) for answer in answers]}

    builder = StateGraph(State)
    for name, node in {"ask": ask, **nodes}.items():
        builder.add_node(name, node).add_edge(START, name)
    return builder.compile(checkpointer=InMemorySaver())


def pending(graph: Any) -> tuple[Interrupt, ...]:
    found: tuple[Interrupt, ...] = graph.get_state(CONFIG).interrupts
    return found


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        pytest.param(None, {"yes": "true", "other": 1}, id="none"),
        pytest.param(RAW, {"yes": "true", "other": 1}, id="json-schema"),
        pytest.param(Choice, Choice(yes=True), id="model"),
        pytest.param(ChoiceDict, {"yes": True}, id="typed-dict"),
        pytest.param(ChoiceData, ChoiceData(yes=True), id="dataclass"),
    ],
)
def test_the_node_gets_what_the_schema_makes_of_the_answer(schema: Any, answer: Any) -> None:
    graph = asking(schema)
    graph.invoke({}, CONFIG)
    assert graph.invoke(Command(resume={"yes": "true", "other": 1}), CONFIG) == {
        "got": [repr(answer)]
    }


def test_the_question_has_the_schema_as_json_wherever_it_is_shown() -> None:
    graph = asking(Choice)
    (asked,) = graph.invoke({}, CONFIG)["__interrupt__"]
    assert asked.response_schema == Choice.model_json_schema()
    assert pending(graph) == (asked,)
    assert "response_schema={'properties'" in repr(asked)


def test_what_does_not_fit_is_raised_and_the_question_goes_on_waiting() -> None:
    graph = asking(None, Choice)
    graph.invoke({}, CONFIG)
    graph.invoke(Command(resume="first"), CONFIG)
    (before,) = pending(graph)
    with pytest.raises(ValidationError, match="yes") as raised:
        graph.invoke(Command(resume={"yes": "perhaps"}), CONFIG)
    assert is_invalid_resume(raised.value)
    assert pending(graph) == (before,)
    with pytest.raises(NoSuchInterrupt):
        graph.invoke(Command(resume={"0" * 32: {"yes": True}}), CONFIG)
    fits = Command(resume={before.id: {"yes": False}})
    assert graph.invoke(fits, CONFIG) == {"got": ["'first'", repr(Choice(yes=False))]}


def test_asked_again_without_an_answer_it_is_the_same_question() -> None:
    graph = asking(Choice)
    graph.invoke({}, CONFIG)
    with pytest.raises(ValidationError):
        graph.invoke(Command(resume=1), CONFIG)
    (before,) = pending(graph)
    assert graph.invoke(None, CONFIG)["__interrupt__"] == [before]


def test_other_answered_tasks_of_the_superstep_end() -> None:
    done: list[str] = []

    def other(_: State) -> None:
        interrupt("other")
        done.append("other")

    graph = asking(Choice, other=other)
    graph.invoke({}, CONFIG)
    ids = {one.value: one.id for one in pending(graph)}
    with pytest.raises(ValidationError):
        graph.invoke(Command(resume={ids["q0"]: {}, ids["other"]: 1}), CONFIG)
    assert ([one.value for one in pending(graph)], done) == (["q0"], ["other"])
    assert graph.invoke(Command(resume={"yes": True}), CONFIG)["got"] == [repr(Choice(yes=True))]
    assert done == ["other"]


def test_a_node_may_take_what_does_not_fit_itself() -> None:
    def ask(_: State) -> State:
        try:
            return {"got": [interrupt("q", response_schema=Choice).yes]}
        except ValidationError:
            return {"got": ["unclear"]}

    builder = StateGraph(State).add_node(ask).add_edge(START, "ask")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({}, CONFIG)
    assert graph.invoke(Command(resume=1), CONFIG) == {"got": ["unclear"]}


def test_a_graph_inside_and_a_called_function_wait_for_another_answer() -> None:
    def ask(_: State) -> State:
        return {"got": [repr(interrupt("q", response_schema=Choice))]}

    inner = StateGraph(State).add_node(ask).add_edge(START, "ask").compile()
    builder = StateGraph(State).add_node("inner", inner).add_edge(START, "inner")
    outer = builder.compile(checkpointer=InMemorySaver())

    @task
    def asked() -> str:
        return repr(interrupt("q", response_schema=Choice))

    @entrypoint(checkpointer=InMemorySaver())
    def workflow(_: Any) -> Any:
        return {"got": [asked().result()]}

    for graph in (outer, workflow):
        graph.invoke({}, CONFIG)
        (before,) = pending(graph)
        with pytest.raises(ValidationError):
            graph.invoke(Command(resume={"yes": None}), CONFIG)
        assert pending(graph) == (before,)
        answered = Command(resume={before.id: {"yes": True}})
        assert graph.invoke(answered, CONFIG) == {"got": [repr(Choice(yes=True))]}


def test_on_an_event_loop() -> None:
    async def ask(_: State) -> State:
        return {"got": [repr(interrupt("q", response_schema=Choice))]}

    builder = StateGraph(State).add_node(ask).add_edge(START, "ask")
    graph = builder.compile(checkpointer=InMemorySaver())

    async def run() -> Any:
        await graph.ainvoke({}, CONFIG)
        with pytest.raises(ValidationError):
            await graph.ainvoke(Command(resume={}), CONFIG)
        return await graph.ainvoke(Command(resume={"yes": True}), CONFIG)

    assert asyncio.run(run()) == {"got": [repr(Choice(yes=True))]}


def test_what_is_no_schema_is_refused_where_it_is_asked() -> None:
    graph = asking("yes or no")
    with pytest.raises(TypeError, match="response_schema= of interrupt"):
        graph.invoke({}, CONFIG)


def test_other_errors_are_not_taken_for_refused_answers() -> None:
    with pytest.raises(ValidationError) as raised:
        Choice.model_validate({})
    assert not is_invalid_resume(raised.value)
