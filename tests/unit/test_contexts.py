"""A context that is given as a dict: its schema says which keys there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, model_validator

from distgraph.graph import START, StateGraph
from distgraph.graph.contexts import context_of
from distgraph.types import Runtime


@dataclass
class Plain:
    tenant: str = ""
    size: int = 0


class Model(BaseModel):
    tenant: str = ""
    size: int = 0


class Keys(TypedDict, total=False):
    tenant: str
    size: int


class More(Keys):
    added: int


class Seen(TypedDict, total=False):
    seen: Any


class Named(BaseModel):
    tenant: str = Field("", alias="tenantName")
    size: int = Field(0, validation_alias=AliasChoices("count", AliasPath("sizes", 0)))


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Renaming(BaseModel):
    tenant: str

    @model_validator(mode="before")
    @classmethod
    def renamed(cls, given: Any) -> Any:
        return {"tenant": given["old"]}


@pytest.mark.parametrize("schema", [Plain, Model, Keys])
def test_a_wrong_key_is_told_by_name_before_anything_runs(schema: Any) -> None:
    ran: list[Any] = []
    builder = StateGraph(dict, schema).add_node("a", ran.append).add_edge(START, "a")
    with pytest.raises(TypeError, match=rf"'tennant', .* {schema.__name__} .* tenant, size\.$"):
        builder.compile().invoke({}, context={"size": 1, "tennant": "acme"})
    assert not ran


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (Plain, {"tenant": "acme"}),
        (Model, {"size": 2}),
        (Named, {"tenantName": "acme", "count": 1}),
        (Named, {"sizes": [1]}),
        (Open, {"anything": 1}),
        (Renaming, {"old": "acme"}),
    ],
)
def test_what_a_schema_takes_makes_an_instance(schema: Any, given: Any) -> None:
    assert context_of(schema, given) == schema(**given)


@pytest.mark.parametrize("schema", [More, dict, None, dict[str, int]])
def test_what_is_no_class_of_fields_takes_the_dict_itself(schema: Any) -> None:
    given = {"tenant": "acme", "added": 1}
    assert context_of(schema, given) is given


@pytest.mark.parametrize("given", [None, Plain("acme"), "text", ("tenant", "acme")])
def test_what_is_no_dict_stays_as_it_is(given: Any) -> None:
    assert context_of(Plain, given) is given


def test_what_a_schema_itself_refuses_is_told_in_its_words() -> None:
    with pytest.raises(ValueError, match="anything"):
        context_of(Closed, {"anything": 1})
    with pytest.raises(TypeError, match="must be strings"):
        context_of(Model, {1: 2})


def test_a_node_gets_the_instance() -> None:
    def tell(_: Any, runtime: Runtime[Plain]) -> Any:
        return {"seen": runtime.context}

    graph = StateGraph(Seen, Plain).add_node(tell).add_edge(START, "tell").compile()
    assert graph.invoke({}, context={"tenant": "acme"})["seen"] == Plain("acme")


class _Seeded:
    context: Any = "the server's"


@pytest.mark.parametrize("given", [None, "the caller's"])
def test_what_a_server_put_into_the_config_counts_where_a_caller_gives_none(given: Any) -> None:
    seen: list[Any] = []

    def node(state: Any, runtime: Runtime[Any], config: RunnableConfig) -> None:
        seen.extend((runtime.context, "__pregel_runtime" in config["configurable"]))

    graph = StateGraph(dict).add_node("node", node).add_edge(START, "node").compile()
    graph.invoke({}, {"configurable": {"__pregel_runtime": _Seeded()}}, context=given)
    assert seen == [given or "the server's", False]
