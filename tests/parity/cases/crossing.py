"""Graphs inside nodes called the other way round, by schemas of their own, or by themselves."""

from __future__ import annotations

import asyncio
import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from pydantic import BaseModel

from tests.parity.cases.common import add
from tests.parity.cases.interrupts import asking
from tests.parity.cases.leaving import around, leaving, line
from tests.parity.engines import Engine
from tests.parity.nesting import frames
from tests.parity.observe import invoked, state, thread


def case_a_blocking_node_has_a_loop_run_a_graph(engine: Engine) -> Any:
    inside = line(engine, one=add("one"), asks=asking(engine, "q")).compile()

    def node(given: Any) -> Any:
        return {"xs": asyncio.run(inside.ainvoke({"total": 1}))["xs"]}

    client = engine.compile(around(engine, "sub", sub=node))
    made = [invoked(client, {"xs": ["in"]}), invoked(client, engine.Command(resume="yes"))]
    return [made, frames(client, thread())]


def case_a_blocking_node_of_any_run_calls_a_graph(engine: Engine) -> Any:
    inside = line(engine, one=add("one"), asks=asking(engine, "q")).compile()

    def node(given: Any) -> Any:
        return {"xs": inside.invoke({"total": 1})["xs"]}

    client = engine.compile(around(engine, "sub", sub=node))
    made = [invoked(client, {"xs": ["in"]}), invoked(client, engine.Command(resume="yes"))]
    return [made, frames(client, thread())]


def case_a_graph_calls_itself(engine: Engine) -> Any:
    holder: list[Any] = []

    def given(value: Any) -> Any:
        return {"total": 1, "xs": [f"level{value.get('total', 0)}"]}

    async def calls_async(value: Any) -> Any:
        if len(value["xs"]) > 2:
            return {"xs": ["bottom"]}
        found = await holder[0].ainvoke({"xs": [*value["xs"], "down"]})
        return {"xs": [found["xs"][-1]]}

    def calls_sync(value: Any) -> Any:
        if len(value["xs"]) > 2:
            return {"xs": ["bottom"]}
        return {"xs": [holder[0].invoke({"xs": [*value["xs"], "down"]})["xs"][-1]]}

    node = calls_async if engine.asynchronous else calls_sync
    holder.append(around(engine, "sub", sub=node).compile())
    client = engine.compile(around(engine, "top", top=holder[0]))
    return [invoked(client, {"xs": ["in"]}), state(client.get_state(thread()))]


class Model(BaseModel):
    """A state that is a model."""

    xs: Annotated[list[Any], operator.add] = []
    deep: int = 0


@dataclass
class Data:
    """A state that is a dataclass."""

    xs: Annotated[list[Any], operator.add] = field(default_factory=list)
    deep: int = 0


class Part(TypedDict, total=False):
    """What of the state a graph inside gives back."""

    xs: Annotated[list[Any], operator.add]


def case_graphs_inside_have_schemas_of_their_own(engine: Engine) -> Any:
    seen = []
    for inner in (Model, Data):
        for outer in (Model, Data):

            def node(given: Any, name: str = inner.__name__) -> Any:
                return {"xs": [f"{name} {type(given).__name__} {given.deep}"], "deep": 1}

            inside = engine.StateGraph(inner, output_schema=Part).add_node("node", node)
            graph = inside.add_edge(engine.START, "node").compile()
            builder = engine.StateGraph(outer).add_node("sub", graph).add_node("end", node)
            builder.add_edge(engine.START, "sub").add_edge("sub", "end")
            client = engine.compile(builder)
            seen.append([invoked(client, {"xs": ["in"]}), state(client.get_state(thread()))])
    return seen


def case_an_update_for_the_parent_in_any_form(engine: Engine) -> Any:
    seen = []
    updates: tuple[Any, ...] = (
        None,
        {"xs": ["u"], "unknown": 1},
        [("xs", ["u"]), ("xs", ["v"]), ("one", 1)],
        Model(xs=["m"]),
    )
    for update in updates:

        def leaves(given: Any, update: Any = update) -> Any:
            return engine.Command(graph=engine.Command.PARENT, update=update, goto="other")

        inside = line(engine, leaves=leaves).compile()
        client = engine.compile(around(engine, "sub", sub=inside, other=add("other")))
        seen.append([invoked(client, {"xs": ["in"]}), frames(client, thread())])
    return seen


def case_commands_for_the_parent_that_do_not_go_together(engine: Engine) -> Any:
    nodes = {
        name: line(engine, leaves=leaving(engine, name, "other", one=name)).compile()
        for name in ("a", "b")
    }
    client = engine.compile(around(engine, *nodes, **nodes, other=add("other")))
    return invoked(client, {"xs": ["in"]})


def case_a_path_function_inside_fails_or_asks(engine: Engine) -> Any:
    def path(given: Any) -> str:
        return str(engine.interrupt("where?"))

    inside = line(engine, one=add("one"))
    inside.add_node("left", add("left")).add_node("right", add("right"))
    inside.add_conditional_edges("one", path, ["left", "right"])
    client = engine.compile(around(engine, "sub", sub=inside.compile()))
    made = [invoked(client, {"xs": ["in"]}), invoked(client, engine.Command(resume="right"))]
    return [made, frames(client, thread())]


def case_a_deferred_node_and_a_join_inside(engine: Engine) -> Any:
    inside = line(engine, a=add("a"), b=asking(engine, "b?"))
    inside.add_node("c", add("c")).add_edge(engine.START, "c")
    inside.add_node("late", add("late"), defer=True).add_edge("c", "late")
    inside.add_node("joined", add("joined")).add_edge(["b", "c"], "joined")
    client = engine.compile(around(engine, "sub", sub=inside.compile()))
    made = [invoked(client, {"xs": ["in"]}), invoked(client, engine.Command(resume="yes"))]
    return [made, frames(client, thread())]
