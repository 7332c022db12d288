"""Channels that are there once something has come together, or nothing else is left to run."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import pytest

from tests.parity.cases.channels import increase, integers, made
from tests.parity.engines import Client, Engine
from tests.parity.observe import everything, history, invoked, thread


def schema(**fields: Any) -> Any:
    """A state with `fields`, of which none need be there."""
    return TypedDict("State", fields, total=False)  # type: ignore[operator]


def first(given: Any) -> str:
    return "first"


def second(given: Any) -> str:
    return "second"


def third(given: Any) -> str:
    return "third"


def joined(engine: Engine, barrier: Any) -> Client:
    """`a`, and `b` one superstep later, tell `gate`; `after` runs when both have."""
    node = engine.NodeBuilder
    nodes = {
        "a": node().subscribe_only("in").do(first).write_to("gate"),
        "mid": node().subscribe_only("in").do(increase).write_to("mid"),
        "b": node().subscribe_only("mid").do(second).write_to("gate"),
        "after": node().subscribe_to("gate").read_from("mid").do(sorted).write_to("out"),
    }
    channels = {**integers(engine, "in mid"), "gate": barrier, "out": engine.LastValue(list)}
    places = {"input_channels": "in", "output_channels": ["mid", "out", "gate"]}
    return made(engine, nodes, channels, **places)


def observed(client: Client, *given: Any) -> list[Any]:
    seen: list[Any] = []
    for each in given:
        seen.append(invoked(client, each))
        seen.append(everything(client, thread()))
    return [*seen, history(client.history(thread()))]


def case_a_barrier_opens_once_all_have_come(engine: Engine) -> Any:
    client = joined(engine, engine.NamedBarrierValue(str, {"first", "second"}))
    return observed(client, 1, 2)


def case_a_barrier_that_opens_when_nothing_else_is_left(engine: Engine) -> Any:
    client = joined(engine, engine.NamedBarrierValueAfterFinish(str, {"first", "second"}))
    return observed(client, 1, 2)


def case_a_barrier_waits_from_run_to_run(engine: Engine) -> Any:
    node = engine.NodeBuilder
    nodes = {
        "a": node().subscribe_only("x").do(first).write_to("gate"),
        "b": node().subscribe_only("y").do(second).write_to("gate"),
        "after": node().subscribe_to("gate").do(len).write_to("out"),
    }
    gate = engine.NamedBarrierValue(str, {"first", "second"})
    channels = {**integers(engine, "x y out"), "gate": gate}
    places = {"input_channels": ["x", "y"], "output_channels": ["out", "gate"]}
    client = made(engine, nodes, channels, **places)
    for given in ({"x": 1}, {"y": 1}, {"y": 2}, {"x": 2}):
        client.invoke(given, thread())
    return [everything(client, thread()), history(client.history(thread()))]


def case_a_name_that_nobody_waits_for(engine: Engine) -> Any:
    client = joined(engine, engine.NamedBarrierValue(str, {"second", "third"}))
    with pytest.raises(Exception, match="Value first not in") as raised:
        client.invoke(1, thread())
    return type(raised.value).__name__


def late(engine: Engine) -> Client:
    """`last` runs on what the first node wrote, behind a chain of two others."""
    node = engine.NodeBuilder
    nodes = {
        "a": node().subscribe_only("in").do(increase).write_to("mid", "kept"),
        "b": node().subscribe_only("mid").do(increase).write_to("end"),
        "last": node().subscribe_only("kept").do(increase).write_to("out"),
    }
    channels = {**integers(engine, "in mid end out"), "kept": engine.LastValueAfterFinish(int)}
    places = {"input_channels": "in", "output_channels": ["end", "kept", "out"]}
    return made(engine, nodes, channels, **places)


def case_a_value_that_is_there_when_nothing_else_is_left(engine: Engine) -> Any:
    return observed(late(engine), 1, 5)


def case_streams_show_what_is_there(engine: Engine) -> Any:
    return late(engine).stream(1, thread(), stream_mode=["values", "updates"])


def case_a_state_key_may_be_such_a_channel(engine: Engine) -> Any:
    state_schema = schema(
        xs=Annotated[str, engine.NamedBarrierValue(str, {"first", "second"})],
        kept=Annotated[int, engine.LastValueAfterFinish(int)],
        n=int,
    )

    builder = engine.StateGraph(state_schema)
    builder.add_node("a", lambda _: {"xs": "first", "kept": 1})
    builder.add_node("b", lambda state: {"xs": "second", "n": len(state)})
    builder.add_node("c", lambda state: {"n": len(state) + 10})
    builder.add_edge(engine.START, "a").add_edge("a", "b").add_edge("b", "c")
    return observed(engine.compile(builder), {"n": 0}, {"n": 0})


def case_a_deferred_node_finds_such_a_value(engine: Engine) -> Any:
    state_schema = schema(kept=Annotated[int, engine.LastValueAfterFinish(int)], n=int, seen=str)
    builder = engine.StateGraph(state_schema)
    builder.add_node("a", lambda _: {"kept": 1}).add_node("b", lambda state: {"n": len(state)})
    builder.add_node("z", lambda state: {"seen": str(sorted(state.items()))}, defer=True)
    builder.add_edge(engine.START, "a").add_edge("a", "b").add_edge("b", "z")
    return observed(engine.compile(builder), {"n": 0}, {"n": 5})
