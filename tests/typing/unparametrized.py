"""What names no types is taken as it always was: nothing here may be complained of."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, assert_type

from pydantic import BaseModel

from distgraph.graph import START, CompiledStateGraph, StateGraph
from distgraph.runtime import Runtime, get_runtime
from distgraph.types import Command, Send, StateSnapshot
from tests.typing.schemas import Context, Data, State
from workers import CeleryBackend, Run

T = TypeVar("T")


class Model(BaseModel):
    count: int = 0


def bare(builder: StateGraph, backend: CeleryBackend) -> CompiledStateGraph:
    return builder.compile(name="g", backend=backend)


def called(graph: CompiledStateGraph, given: Mapping[str, Any]) -> tuple[StateSnapshot, Run]:
    graph.invoke(given, context={"user": "ada"})["count"] += 1
    graph.get_state({}).values["count"] += 1
    run: Run = graph.submit(given)
    run.result()["__interrupt__"][0].value.lower()
    return graph.get_state({}), run


def node(state: State, runtime: Runtime) -> Command:
    runtime.context.user.lower()
    get_runtime().context.user.lower()
    return Command(goto=[Send("a", state), "b"], update={"count": 1})


class Own(StateGraph[State]):
    """A subclass keeps the parameters."""


def made(schema: type[T]) -> CompiledStateGraph[T]:
    return StateGraph(schema).compile()


def typed(graph: CompiledStateGraph[State]) -> CompiledStateGraph[State, Any, State, State]:
    return graph


data = StateGraph(Data, Context).add_node("a", node).add_edge(START, "a").compile()
assert_type(data, CompiledStateGraph[Any, Context, Any, Any])
data.invoke({"count": 1})["count"] += 1
data.invoke(Data(1))["count"] += 1
data.get_state({}).values["count"] += 1
written: CompiledStateGraph[Data, Context] = data

model = StateGraph(Model, input_schema=Data, output_schema=State).compile()
model.invoke({"count": 1})["count"] += 1
model.invoke(Model(count=1))
total = StateGraph(Annotated[int, operator.add]).add_node("a", lambda n: n + 1).compile()
total.invoke(1).bit_length()

backend = CeleryBackend("redis://localhost:6379/0")
called(bare(StateGraph(State), backend), {"count": 1})
typed(StateGraph(State).compile())
bare(StateGraph(State, Context), backend)

Own(State).compile().invoke({"count": 1})
made(State).invoke({"count": 1})
annotated: StateGraph[Data] = StateGraph(Data)
StateGraph[Data](Data).compile().invoke({"count": 1})
StateGraph(dict, dict).compile().invoke({"count": 1}, context={"user": "ada"})
StateGraph(State, None, input_schema=None).compile().invoke({"count": 1})
read_from_a_file: dict[str, Any] = {"lease": 30}
CeleryBackend(**read_from_a_file)
