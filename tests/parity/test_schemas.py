"""Schemas of graphs say what LangGraph's say, whatever its state, input and context are."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NotRequired, Optional, Required

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from tests.parity.engines import DISTGRAPH, LANGGRAPH, Engine


class Plain(TypedDict):
    count: int
    names: Annotated[list[str], operator.add]


class Loose(TypedDict, total=False):
    text: Optional[str]  # noqa: UP045 as programs have it
    noted: Annotated[int, "noted"]
    needed: Required[int]


class Sparse(TypedDict):
    one: NotRequired[int]
    many: Annotated[Sequence[str], operator.add]


@dataclass
class Record:
    count: int
    names: Annotated[list[str], operator.add] = field(default_factory=list)
    text: str = "text"


@dataclass(kw_only=True)
class Optionals:
    needed: str
    optional: int | None
    spelt: Optional[int]  # noqa: UP045 as programs have it
    noted: Annotated[float | None, "noted"]
    given: str | None = "given"
    left: str = field(default=...)  # type: ignore[assignment]


class Model(BaseModel):
    """What it is."""

    count: int = Field(description="how many")
    names: Annotated[list[str], operator.add] = []


def edged(engine: Engine, schema: Any, **schemas: Any) -> Any:
    builder = engine.StateGraph(schema, **schemas).add_node("n", lambda state: state)
    return builder.add_edge(engine.START, "n").compile()


def channelled(engine: Engine, inputs: Any, outputs: Any) -> Any:
    channels = {
        "text": engine.LastValue(str),
        "sizes": engine.Topic(int),
        "once": engine.EphemeralValue(Any),
    }
    node = engine.NodeBuilder().subscribe_only("text").do(len).write_to("sizes")
    return engine.Pregel(
        nodes={"n": node}, channels=channels, input_channels=inputs, output_channels=outputs
    )


def flow(engine: Engine, given: Any, returned: Any, **options: Any) -> Any:
    def work(x):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 annotated below
        return x

    work.__annotations__ = {"x": given} if given else {}
    if returned:
        work.__annotations__["return"] = returned
    return engine.entrypoint(**options)(work)


def named(engine: Engine) -> Any:
    graph = edged(engine, int)
    graph.name = "flow"
    return graph


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of some of LangGraph's
Made = Callable[[Engine], Any]
GRAPHS: dict[str, Made] = {
    "typed dict": lambda engine: edged(engine, Plain),
    "keys that may be missing": lambda engine: edged(engine, Loose),
    "required keys": lambda engine: edged(engine, Sparse),
    "dataclass": lambda engine: edged(engine, Record),
    "dataclass of what may be none": lambda engine: edged(engine, Optionals),
    "model": lambda engine: edged(engine, Model),
    "bare type": lambda engine: edged(engine, int),
    "bare list": lambda engine: edged(engine, Annotated[list, operator.add]),
    "input and output": lambda engine: edged(
        engine, Plain, input_schema=Sparse, output_schema=Loose
    ),
    "input of a model": lambda engine: edged(engine, Plain, input_schema=Model),
    "named": named,
    "context of a typed dict": lambda engine: edged(engine, Plain, context_schema=Sparse),
    "context of a dataclass": lambda engine: edged(engine, Plain, context_schema=Record),
    "context of a model": lambda engine: edged(engine, Plain, context_schema=Model),
    "bare channels": lambda engine: channelled(engine, "text", "sizes"),
    "several channels": lambda engine: channelled(engine, ["text", "once"], ["sizes", "text"]),
    "workflow": lambda engine: flow(engine, int, str),
    "workflow without annotations": lambda engine: flow(engine, None, None),
    "workflow of a list": lambda engine: flow(engine, list[Plain], Model | None),
    "workflow of a model": lambda engine: flow(engine, Model, Plain, context_schema=Sparse),
    "workflow that saves": lambda engine: flow(engine, Plain, engine.entrypoint.final[int, str]),
    "workflow that saves something": lambda engine: flow(engine, Plain, engine.entrypoint.final),
}


@pytest.mark.parametrize("made", [pytest.param(made, id=name) for name, made in GRAPHS.items()])
def test_schemas_say_what_those_of_langgraph_say(made: Made) -> None:
    assert told(made(DISTGRAPH)) == told(made(LANGGRAPH))


def told(graph: Any) -> dict[str, Any]:
    return {
        "json": [
            graph.get_input_jsonschema(),
            graph.get_output_jsonschema(),
            graph.get_context_jsonschema(),
            graph.get_config_jsonschema(),
        ],
        "models": [
            graph.get_input_schema().__name__,
            graph.input_schema.__name__,
            graph.get_output_schema().__name__,
            graph.output_schema.__name__,
            graph.config_schema().__name__,
        ],
        "types": [graph.InputType, graph.OutputType],
    }


def test_what_pydantic_does_not_know_may_be_anything() -> None:
    class Unknown:
        pass

    graph = channelled(DISTGRAPH, "text", ["text"])
    graph.channels["text"].typ = Unknown
    assert graph.get_output_jsonschema()["properties"]["text"] == {"default": None, "title": "Text"}
