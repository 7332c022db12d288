"""Graphs inside nodes: called by them, standing in their place, leaving to their parent."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from tests.parity.cases.common import Log, add, chain, compiled_chain
from tests.parity.engines import Engine
from tests.parity.observe import everything, invoked, shown, thread


class Inner(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]
    own: str


def inner(engine: Engine, *names: str, **nodes: Any) -> Any:
    """A compiled chain over the inner state."""
    builder = engine.StateGraph(Inner)
    previous = engine.START
    for name in names:
        builder.add_node(name, nodes.get(name, add(name))).add_edge(previous, name)
        previous = name
    return builder.compile()


def case_a_graph_as_a_node_gives_its_whole_output(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "sub", "z", sub=inner(engine, "i", "j"))
    values = shown(client.invoke({"xs": ["in"]}, thread()))
    return [values, everything(client, thread())["history"]]


def case_a_graph_called_in_a_node(engine: Engine) -> Any:
    child = inner(engine, "i")

    async def calls_async(state: Any) -> Any:
        return {"xs": [await child.ainvoke({"xs": ["given"]})]}

    def calls_sync(state: Any) -> Any:
        return {"xs": [child.invoke({"xs": ["given"]}), child.invoke({})]}

    client = compiled_chain(engine, "a", a=calls_async if engine.asynchronous else calls_sync)
    return shown(client.invoke({}, thread()))


def case_a_failure_inside_reaches_the_caller(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        raise ValueError("inside")

    client = compiled_chain(engine, "sub", sub=inner(engine, "i", i=node))
    return invoked(client, {})


def case_a_parent_command_leaves_to_the_parent(engine: Engine) -> Any:
    def leave(state: Any) -> Any:
        parent = engine.Command.PARENT
        return engine.Command(graph=parent, goto="other", update={"xs": ["left"]})

    builder = chain(engine, "a", "sub", sub=inner(engine, "i", "j", i=leave))
    client = engine.compile(builder.add_node("other", add("other")))
    values = shown(client.invoke({"xs": ["in"]}, thread()))
    return [values, everything(client, thread())["history"]]


def case_a_graph_called_in_a_node_streams_nothing_of_its_own(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "sub", sub=inner(engine, "i"))
    return client.stream({"xs": ["in"]}, thread(), stream_mode=["values", "updates"])


def case_streams_of_a_graph_inside_are_told_apart(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "sub", sub=inner(engine, "i"))
    chunks = client.stream({"xs": ["in"]}, thread(), stream_mode="updates", subgraphs=True)
    return [([part.split(":")[0] for part in place], chunk) for place, chunk in chunks]


def case_a_standalone_graph_inside_keeps_nothing(engine: Engine) -> Any:
    seen: list[Any] = []

    def node(state: Any) -> Any:
        seen.append(list(state["xs"]))
        return {"xs": ["i"]}

    builder = engine.StateGraph(Log)
    child = inner(engine, "i", i=node)

    async def calls_async(state: Any) -> Any:
        await child.ainvoke({"xs": ["c"]})

    def calls_sync(state: Any) -> Any:
        child.invoke({"xs": ["c"]})

    builder.add_node("a", calls_async if engine.asynchronous else calls_sync)
    client = engine.compile(builder.add_edge(engine.START, "a"))
    for _ in range(2):
        client.invoke({}, thread())
    return seen


def case_a_graph_that_lasts_stands_as_it_did_before_an_older_checkpoint(engine: Engine) -> Any:
    """Only for the run that begins there, and not for those that go on with it."""
    builder = engine.StateGraph(Inner).add_node("note", add()).add_edge(engine.START, "note")
    lasting = builder.compile(checkpointer=True)

    def ask(state: Log) -> Log:
        return {"one": engine.interrupt("which?")}

    def remember(state: Log) -> Any:
        return {"xs": [lasting.invoke({"xs": [state["one"]]})["xs"]]}

    client = compiled_chain(engine, "ask", "remember", ask=ask, remember=remember)
    for word in ("a", "b"):
        client.invoke({}, thread())
        client.invoke(engine.Command(resume=word), thread())
    at = {each.next: each.config for each in client.history(thread())}
    begun = [invoked(client, None, at["remember",])]
    for call in (lambda: None, lambda: client.invoke(None, thread())):
        client.invoke(None, at["ask",])
        call()
        begun.append(invoked(client, engine.Command(resume="c")))
    return begun
