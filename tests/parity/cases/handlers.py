"""Error handlers of nodes: what they are given, and what follows from what they leave."""

from __future__ import annotations

from typing import Any

from tests.parity.cases.common import Log, add, fan
from tests.parity.cases.leaving import around
from tests.parity.engines import Client, Engine
from tests.parity.observe import invoked, shown, thread


def fails(_: Any) -> Any:
    raise LookupError("no host")


def handler(engine: Engine, leave: Any = None) -> Any:
    """A handler that leaves which node failed with what, or what `leave` makes of that."""

    def handle(state: Any, error: Any) -> Any:
        told = f"{error.node}: {error.error!r} {sorted(state)}"
        return leave(told) if leave else {"xs": [told]}

    handle.__annotations__["error"] = engine.NodeError
    return handle


def left(client: Client, *inputs: Any) -> list[Any]:
    """What calls return, and what the thread then has."""
    made = [invoked(client, given) for given in inputs]
    state = client.get_state(thread())
    return [made, shown(state.values), state.next]


def case_a_handler_takes_the_place_of_its_node(engine: Engine) -> Any:
    builder = fan(engine, aa=add("aa"), zz=add("zz"))
    builder.add_node("bad", fails, error_handler=handler(engine)).add_edge(engine.START, "bad")
    builder.add_node("after", add("after")).add_edge("bad", "after")
    builder.add_node("both", add("both")).add_edge(["aa", "bad"], "both")
    client = engine.compile(builder)
    told = [shown(chunk) for chunk in client.stream({"xs": []}, thread("u"))]
    return [left(client, {"xs": ["in"]}), sorted(told, key=repr)]


def case_a_run_stops_after_a_handler(engine: Engine) -> Any:
    builder = fan(engine, aa=add("aa"))
    builder.add_node("bad", fails, error_handler=handler(engine)).add_edge(engine.START, "bad")
    builder.add_node("after", add("after")).add_edge("bad", "after")
    name = "__error_handler__bad"
    client = engine.compile(builder, interrupt_before=[name], interrupt_after=[name])
    return [left(client, {"xs": ["in"]}), left(client, None)]


def case_a_handler_leads_elsewhere(engine: Engine) -> Any:
    handle = handler(engine, lambda told: engine.Command(update={"xs": [told]}, goto="there"))
    builder = fan(engine).add_node("bad", fails, error_handler=handle)
    builder.add_node("there", add("there")).add_node("after", add("after"))
    builder.add_edge(engine.START, "bad").add_edge("bad", "after")
    return left(engine.compile(builder), {"xs": ["in"]})


def case_each_packet_of_a_node_has_its_handler(engine: Engine) -> Any:
    builder = engine.StateGraph(Log).add_node("bad", fails, error_handler=handler(engine))
    sends = [engine.Send("bad", {"one": 1}), engine.Send("bad", {"xs": []})]
    builder.add_conditional_edges(engine.START, lambda _: sends, ["bad"])
    return left(engine.compile(builder), {"xs": ["in"]})


def case_the_defaults_of_a_graph_count_where_a_node_says_nothing(engine: Engine) -> Any:
    policy = engine.RetryPolicy(
        max_attempts=2, initial_interval=0.0, jitter=False, retry_on=LookupError
    )
    builder = engine.StateGraph(Log).set_node_defaults(retry_policy=policy)
    own = handler(engine, lambda told: {"xs": [f"own {told}"]})
    builder.set_node_defaults(error_handler=handler(engine))
    builder.add_node("one", fails).add_node("two", fails, error_handler=own)
    builder.add_edge(engine.START, "one").add_edge("one", "two").add_edge(engine.START, "two")
    return left(engine.compile(builder), {"xs": ["in"]})


def case_a_handler_that_fails_ends_the_run(engine: Engine) -> Any:
    def handle(state: Any, error: Any) -> Any:
        raise ValueError(f"{error.node} again")

    handle.__annotations__["error"] = engine.NodeError
    builder = engine.StateGraph(Log).add_node("bad", fails, error_handler=handle)
    return left(engine.compile(builder.add_edge(engine.START, "bad")), {"xs": ["in"]}, None)


def case_a_handler_asks(engine: Engine) -> Any:
    handle = handler(engine, lambda _: {"xs": [engine.interrupt("what now?")]})
    builder = engine.StateGraph(Log).add_node("bad", fails, error_handler=handle)
    client = engine.compile(builder.add_edge(engine.START, "bad"))
    return left(client, {"xs": ["in"]}, engine.Command(resume="go on"))


def case_a_node_asks_before_its_handler_does(engine: Engine) -> Any:
    def asks(_: Any) -> Any:
        raise LookupError(engine.interrupt("first?"))

    handle = handler(engine, lambda _: {"xs": [engine.interrupt("second?")]})
    builder = engine.StateGraph(Log).add_node("bad", asks, error_handler=handle)
    client = engine.compile(builder.add_edge(engine.START, "bad"))
    asked = client.invoke({"xs": ["in"]}, thread())
    for answer in ("a", "b"):
        (question,) = asked["__interrupt__"]
        asked = client.invoke(engine.Command(resume={question.id: answer}), thread())
    return [shown(asked), left(client, None)]


def case_a_handler_takes_what_a_graph_inside_failed_with(engine: Engine) -> Any:
    inside = engine.StateGraph(Log).add_node("deep", fails).add_edge(engine.START, "deep").compile()
    builder = around(engine).add_node("sub", inside, error_handler=handler(engine))
    return left(engine.compile(builder.add_edge(engine.START, "sub")), {"xs": ["in"]})


def case_a_node_inside_a_graph_has_its_handler(engine: Engine) -> Any:
    inside = engine.StateGraph(Log).add_node("deep", fails, error_handler=handler(engine))
    inside.add_edge(engine.START, "deep")
    graph = inside.compile()
    builder = around(engine, "sub", sub=graph, calls=lambda state: graph.invoke(state))
    return left(engine.compile(builder), {"xs": ["in"]})
