"""State schemas and small graphs that many cases share."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from tests.parity.engines import Client, Engine


class Log(TypedDict, total=False):
    """A list that grows and a key with one value per superstep."""

    xs: Annotated[list[Any], operator.add]
    one: Any


def add(*marks: Any) -> Callable[[Any], dict[str, Any]]:
    """A node function that appends `marks` to the list."""

    def node(state: Any) -> dict[str, Any]:
        return {"xs": list(marks)}

    return node


def chain(engine: Engine, *names: str, **nodes: Any) -> Any:
    """A builder that runs `names` one after the other, each appending its name or as `nodes`."""
    builder = engine.StateGraph(Log)
    previous = engine.START
    for name in names:
        builder.add_node(name, nodes.get(name, add(name)))
        builder.add_edge(previous, name)
        previous = name
    return builder


def fan(engine: Engine, **nodes: Any) -> Any:
    """A builder that runs all `nodes` in the first superstep."""
    builder = engine.StateGraph(Log)
    for name, node in nodes.items():
        builder.add_node(name, node)
        builder.add_edge(engine.START, name)
    return builder


def compiled_chain(engine: Engine, *names: str, **nodes: Any) -> Client:
    """`chain`, compiled."""
    return engine.compile(chain(engine, *names, **nodes))
