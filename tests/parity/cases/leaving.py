"""Graphs inside nodes that are left by a command to the graph around them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypedDict

from tests.parity.cases.common import add
from tests.parity.engines import Client, Engine
from tests.parity.nesting import frames
from tests.parity.observe import invoked, kind, shown, state, thread, waiting

FORMS = (None, True, False)
"""What a graph inside is compiled with as its checkpointer."""


class State(TypedDict, total=False):
    """A list and a sum that grow, and a key with one value per superstep."""

    xs: Annotated[list[Any], operator.add]
    total: Annotated[int, operator.add]
    one: Any


class Given(TypedDict, total=False):
    """What of the state a graph inside is given: no list that would double with each."""

    total: Annotated[int, operator.add]


def leaving(engine: Engine, mark: str, goto: Any = (), **more: Any) -> Callable[[Any], Any]:
    """A node that leaves its graph, and has the one around write `mark`."""

    def node(state: Any) -> Any:
        update = {"xs": [mark], "total": 1, **more}
        return engine.Command(graph=engine.Command.PARENT, update=update, goto=goto)

    return node


def line(engine: Engine, **nodes: Any) -> Any:
    """A builder of a graph inside that runs `nodes` one after the other."""
    builder = engine.StateGraph(State, input_schema=Given)
    previous = engine.START
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(previous, name)
        previous = name
    return builder


def side_by_side(engine: Engine, **nodes: Any) -> Any:
    """A builder of a graph inside that runs all `nodes` in its first superstep."""
    builder = engine.StateGraph(State, input_schema=Given)
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(engine.START, name)
    return builder


def around(engine: Engine, *entries: str, **nodes: Any) -> Any:
    """A builder of a graph around: `entries` run first, the others where something leads there."""
    builder = engine.StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node)
    for name in entries:
        builder.add_edge(engine.START, name)
    return builder


def run(engine: Engine, builder: Any, *given: Any) -> list[Any]:
    """Each call and the state after it, then the history with those of the frames inside."""
    client = engine.compile(builder, durability="async")
    made = [_call(client, each) for each in given or ({"xs": ["in"]},)]
    return [made, frames(client, thread())]


def _call(client: Client, given: Any) -> list[Any]:
    return [invoked(client, given), state(client.get_state(thread()))]


def case_a_command_goes_where_it_says_and_along_the_edges_of_the_node(engine: Engine) -> Any:
    def path(state: Any) -> str:
        return f"chosen{state.get('total', 0)}"

    inside = line(engine, leaves=leaving(engine, "left", "other"), never=add("never"))
    names = ("other", "next", "chosen0", "chosen1")
    builder = around(engine, "sub", sub=inside.compile(), **{name: add(name) for name in names})
    builder.add_edge("sub", "next").add_conditional_edges("sub", path, ["chosen0", "chosen1"])
    return run(engine, builder)


def case_each_command_goes_up_one_level(engine: Engine) -> Any:
    deep = line(engine, leaves=leaving(engine, "deep", "beside")).compile()
    middle = around(engine, "deep", deep=deep, beside=leaving(engine, "middle", "other"))
    return run(engine, around(engine, "sub", sub=middle.compile(), other=add("other")))


def case_a_graph_that_keeps_its_state_in_any_form_is_left(engine: Engine) -> Any:
    seen = []
    for form in FORMS:
        inside = line(engine, one=add("one"), leaves=leaving(engine, "left", "other"))
        builder = around(engine, "sub", sub=inside.compile(checkpointer=form), other=add("other"))
        seen.append(run(engine, builder, {"xs": ["a"]}, {"xs": ["b"]}, {"xs": ["c"]}))
    return seen


def case_a_node_that_called_a_graph_leaves_its_own(engine: Engine) -> Any:
    called = line(engine, one=add("one")).compile()
    leave = leaving(engine, "left", "other")

    async def calls_async(state: Any) -> Any:
        await called.ainvoke({"total": 1})
        return leave(state)

    def calls_sync(state: Any) -> Any:
        called.invoke({"total": 1})
        return leave(state)

    middle = line(engine, calls=calls_async if engine.asynchronous else calls_sync)
    return run(engine, around(engine, "sub", sub=middle.compile(), other=add("other")))


def case_a_graph_that_is_called_is_left(engine: Engine) -> Any:
    called = line(engine, leaves=leaving(engine, "left", "other")).compile()

    async def calls_async(state: Any) -> Any:
        return await called.ainvoke({"total": 1})

    def calls_sync(state: Any) -> Any:
        return called.invoke({"total": 1})

    node = calls_async if engine.asynchronous else calls_sync
    builder = around(engine, "sub", sub=node, other=add("other"), next=add("next"))
    return run(engine, builder.add_edge("sub", "next"))


def case_graphs_that_run_side_by_side_are_left_at_once(engine: Engine) -> Any:
    first = line(engine, leaves=leaving(engine, "first", "other")).compile()
    second = line(engine, leaves=leaving(engine, "second", ["other", "more"])).compile()
    nodes = {"one": first, "two": second, "stays": line(engine, a=add("a")).compile()}
    return run(engine, around(engine, *nodes, **nodes, other=add("other"), more=add("more")))


def case_packets_in_graphs_are_left_and_lead_to_packets(engine: Engine) -> Any:
    def fan(state: Any) -> Any:
        return [engine.Send("sub", {"total": number}) for number in (1, 2, 3)]

    def leaves(state: Any) -> Any:
        packet = engine.Send("other", {"total": state["total"] * 10})
        update = {"xs": [state["total"]]}
        return engine.Command(graph=engine.Command.PARENT, update=update, goto=[packet, "end"])

    def other(state: Any) -> Any:
        return {"xs": [state["total"]]}

    inside = line(engine, leaves=leaves).compile()
    builder = around(engine, sub=inside, other=other, end=add("end"))
    return run(engine, builder.add_conditional_edges(engine.START, fan, ["sub"]))


def case_one_of_several_tasks_inside_leaves(engine: Engine) -> Any:
    def fan(state: Any) -> Any:
        return [engine.Send("packet", {"total": number}) for number in (1, 2)]

    def packet(state: Any) -> Any:
        return leaving(engine, "left", "other")(state) if state["total"] == 2 else {"xs": ["p"]}

    nodes = {"leaves": leaving(engine, "left", "other"), "stays": add("stays")}
    seen = []
    for inside in (
        side_by_side(engine, **nodes),
        around(engine, packet=packet).add_conditional_edges(engine.START, fan, ["packet"]),
    ):
        builder = around(engine, "sub", sub=inside.compile(), other=add("other"))
        seen.append(run(engine, builder))
    return seen


def case_a_list_with_a_command_to_the_parent_writes_nothing_else(engine: Engine) -> Any:
    def both(state: Any) -> Any:
        return [{"xs": ["lost"]}, leaving(engine, "left", "other")(state)]

    inside = line(engine, both=both).compile()
    return run(engine, around(engine, "sub", sub=inside, other=add("other")))


def case_a_question_comes_before_the_command(engine: Engine) -> Any:
    def asks(state: Any) -> Any:
        return leaving(engine, engine.interrupt("leave?"), "other")(state)

    seen = []
    for form in (None, True):
        inside = line(engine, one=add("one"), asks=asks).compile(checkpointer=form)
        builder = around(engine, "sub", sub=inside, other=add("other"))
        answer = engine.Command(resume="yes")
        seen.append(run(engine, builder, {"xs": ["a"]}, answer, {"xs": ["b"]}, answer))
    return seen


def case_a_question_or_a_stop_comes_after_the_command(engine: Engine) -> Any:
    def asks(state: Any) -> Any:
        return {"xs": [engine.interrupt("go?")]}

    inside = line(engine, leaves=leaving(engine, "left", "asks")).compile()
    builder = around(engine, "sub", sub=inside, asks=asks)
    seen = run(engine, builder, {"xs": ["a"]}, engine.Command(resume="yes"))
    client = engine.compile(builder, interrupt_before=["asks"])
    answered = engine.Command(resume="yes")
    return [seen, [_call(client, given) for given in ({"xs": ["a"]}, None, answered)]]


def case_one_leaves_while_a_sibling_around_it_asks(engine: Engine) -> Any:
    def asks(state: Any) -> Any:
        return {"xs": [engine.interrupt("go?")]}

    nodes = {"sub": line(engine, leaves=leaving(engine, "left", "other")).compile(), "asks": asks}
    builder = around(engine, *nodes, **nodes, other=add("other"))
    return run(engine, builder, {"xs": ["a"]}, engine.Command(resume="yes"))


def case_two_that_ask_inside_leave_one_after_the_other(engine: Engine) -> Any:
    def leaves(name: str, state: Any) -> Any:
        return leaving(engine, f"{name} {engine.interrupt(name)}", "other")(state)

    nodes = {
        name: line(engine, asks=partial(leaves, name)).compile() for name in ("first", "second")
    }
    client = engine.compile(around(engine, *nodes, **nodes, other=add("other")))
    seen = [_call(client, {"xs": ["a"]})]
    while asked := waiting(client.get_state(thread())):
        answer = engine.Command(resume={asked[0].id: f"re {asked[0].value}"})
        seen.append(_call(client, answer))
    return [seen, frames(client, thread())]


def case_a_command_is_shown_by_the_graph_around(engine: Engine) -> Any:
    inside = line(engine, one=add("one"), leaves=leaving(engine, "left", "other")).compile()
    client = engine.compile(around(engine, "sub", sub=inside, other=add("other")))
    options = {"stream_mode": ["updates", "values"], "subgraphs": True}
    chunks = client.stream({"xs": ["in"]}, thread(), **options)
    return [([part.split(":")[0] for part in ns], mode, shown(each)) for ns, mode, each in chunks]


def case_a_command_to_the_parent_of_a_graph_on_its_own(engine: Engine) -> Any:
    client = engine.compile(line(engine, one=add("one"), leaves=leaving(engine, "left", "other")))
    seen = []
    for given in ({"total": 1}, None, {"total": 1}):
        error = kind(partial(client.invoke, given, thread()))
        seen.append([error, state(client.get_state(thread()))])
    return seen
