"""Answers that are given at an older checkpoint, which the config names."""

from __future__ import annotations

from typing import Any

from tests.parity.cases.access import at
from tests.parity.cases.common import add, compiled_chain, fan
from tests.parity.cases.interrupts import asking
from tests.parity.cases.nested import Inner
from tests.parity.engines import Client, Engine
from tests.parity.observe import everything, invoked, shown, thread


def case_what_was_answered_there_runs_again_with_the_answers_it_had(engine: Engine) -> Any:
    client = engine.compile(fan(engine, a=asking(engine, "q1", "q2"), b=add("b")))
    client.invoke({}, thread())
    client.invoke(engine.Command(resume="r1"), thread())
    client.invoke(engine.Command(resume="r2"), thread())
    old = at(client, 0)
    return [
        [invoked(client, engine.Command(resume="r3"), old), everything(client, thread())]
        for _ in range(2)
    ]


def case_what_is_asked_further_there_gets_the_answer(engine: Engine) -> Any:
    more: list[str] = []

    def node(_: Any) -> Any:
        return {"xs": [engine.interrupt(question) for question in ("q1", *more)]}

    client = compiled_chain(engine, "a", "b", a=node)
    client.invoke({}, thread())
    client.invoke(engine.Command(resume="r1"), thread())
    old = at(client, 0)
    more += ["q2", "q3"]
    return invoked(client, engine.Command(resume="r2"), old)


def case_what_was_asked_before_a_new_input_is_answered_there(engine: Engine) -> Any:
    client = engine.compile(fan(engine, a=asking(engine, "q"), b=add("b")))
    client.invoke({}, thread())
    old = at(client, 0)
    client.invoke({"xs": ["new"]}, thread())
    told = client.stream(engine.Command(resume="r"), old, stream_mode="values")
    return [told, everything(client, thread())]


def case_a_branch_that_was_answered_there_goes_on(engine: Engine) -> Any:
    client = compiled_chain(
        engine, "a", "ask", "b", "more", ask=asking(engine, "q"), more=asking(engine, "p")
    )
    client.invoke({}, thread())
    old = at(client, 1)
    client.invoke(engine.Command(resume="first"), thread())
    client.invoke(engine.Command(resume="last"), thread())
    again = invoked(client, engine.Command(resume="second"), old)
    return [
        again,
        invoked(client, engine.Command(resume="end"), thread()),
        everything(client, thread()),
    ]


def around(engine: Engine, *questions: str) -> Client:
    """A chain of a graph that keeps its state and asks `questions` after a node of its own."""
    builder = engine.StateGraph(Inner)
    builder.add_node("i", add("i")).add_node("j", asking(engine, *questions))
    builder.add_edge(engine.START, "i").add_edge("i", "j")
    return compiled_chain(engine, "a", "sub", "z", sub=builder.compile(checkpointer=True))


def inside(client: Client) -> Any:
    """The config of where the graph inside stands."""
    return client.get_state(thread(), subgraphs=True).tasks[0].state.config


def case_a_graph_inside_takes_another_answer_at_a_checkpoint_of_its_own(engine: Engine) -> Any:
    client = around(engine, "q")
    client.invoke({}, thread())
    old = inside(client)
    client.invoke(engine.Command(resume="first"), thread())
    return [
        [invoked(client, engine.Command(resume=answer), old), everything(client, thread())]
        for answer in ("second", "third")
    ]


def case_a_graph_inside_is_answered_anew_each_time_at_one_checkpoint(engine: Engine) -> Any:
    client = around(engine, "q1", "q2")
    client.invoke({}, thread())
    old = inside(client)
    client.invoke(engine.Command(resume="a1"), thread())
    client.invoke(engine.Command(resume="a2"), thread())
    return [
        invoked(client, engine.Command(resume="b1"), old),
        invoked(client, engine.Command(resume="b2"), old),
        shown(client.get_state(thread()).values),
    ]


def case_a_graph_inside_is_answered_where_it_asked_before_it_asked_again(engine: Engine) -> Any:
    client = around(engine, "q")
    client.invoke({}, thread())
    old = inside(client)
    asked = invoked(client, None, old)
    return [asked, invoked(client, engine.Command(resume="r"), old), everything(client, thread())]


def case_a_graph_inside_is_answered_where_it_was_updated(engine: Engine) -> Any:
    client = around(engine, "q")
    client.invoke({}, thread())
    old = client.update_state(inside(client), {"xs": ["edit"]})
    asked = invoked(client, None, old)
    return [asked, invoked(client, engine.Command(resume="r"), old), everything(client, thread())]
