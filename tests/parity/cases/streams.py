"""What the stream modes yield, where the order is not a matter of chance."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from tests.parity.cases.common import Log, add, chain, compiled_chain, fan
from tests.parity.cases.interrupts import asking
from tests.parity.engines import Engine
from tests.parity.observe import outcome, shown, steps_sorted, thread


def case_values(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", b=lambda _: None)
    return client.stream({"xs": ["in"]}, thread(), stream_mode="values")


def case_updates_is_the_default_mode(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c", b=lambda _: None)
    return client.stream({"xs": ["in"]}, thread())


def case_updates_of_a_node_that_writes_a_key_twice(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        return [engine.Command(update={"xs": [1]}), {"xs": [2]}, {"one": 3}]

    return compiled_chain(engine, "a", a=node).stream({}, thread())


def case_several_modes_are_told_apart(engine: Engine) -> Any:
    client = engine.compile(fan(engine, b=add("b"), a=add("a")))
    return steps_sorted(client.stream({"xs": []}, thread(), stream_mode=["values", "updates"]))


def case_tasks(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", b=lambda _: engine.Command(goto="__end__"))
    return [_without_id(chunk) for chunk in client.stream({}, thread(), stream_mode="tasks")]


def case_tasks_of_sends(engine: Engine) -> Any:
    builder = engine.StateGraph(Log).add_node("w", lambda packet: {"xs": [packet]})
    builder.add_conditional_edges(
        engine.START, lambda _: [engine.Send("w", n) for n in (3, 1, 2)], ["w"]
    )
    chunks = engine.compile(builder).stream({}, thread(), stream_mode="tasks")
    starts = [_without_id(chunk) for chunk in chunks if "input" in chunk]
    ends = sorted((_without_id(chunk) for chunk in chunks if "input" not in chunk), key=repr)
    return [starts, ends]


def case_tasks_of_a_join(engine: Engine) -> Any:
    builder = fan(engine, a=add("a"), b=add("b")).add_node("d", add("d"))
    client = engine.compile(builder.add_edge(["a", "b"], "d"))
    chunks = client.stream({}, thread(), stream_mode="tasks")
    return sorted((_without_id(chunk) for chunk in chunks), key=repr)


def _without_id(chunk: Any) -> Any:
    shape = {key: shown(value) for key, value in chunk.items() if key != "id"}
    # Each question has its own id here, so ids are dropped from them too.
    for key in ("interrupts",):
        if key in shape:
            shape[key] = [one["value"] for one in chunk[key]]
    return shape


def case_custom(engine: Engine) -> Any:
    def by_parameter(state: Any, writer: StreamWriter) -> Any:
        writer({"n": 1})
        return {"xs": ["a"]}

    def by_function(state: Any) -> Any:
        engine.get_stream_writer()("text")
        return {"xs": ["b"]}

    results = []
    for mode in ("custom", ["custom", "updates"], "updates"):
        client = compiled_chain(engine, "a", "b", a=by_parameter, b=by_function)
        results.append(client.stream({}, thread(), stream_mode=mode))
    return results


StreamWriter = Any


def case_a_question_in_each_mode(engine: Engine) -> Any:
    results = []
    for mode in ("values", "updates", ["values", "updates"]):
        client = compiled_chain(engine, "a", "b", b=asking(engine, "q"))
        given = ({"xs": ["in"]}, engine.Command(resume="r"))
        results.append([shown(client.stream(one, thread(), stream_mode=mode)) for one in given])
    return results


def case_a_question_in_tasks(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", a=asking(engine, "q1", "q2"))
    given: tuple[Any, ...]
    given = ({}, engine.Command(resume="r1"), engine.Command(resume="r2"))
    return [
        [_without_id(chunk) for chunk in client.stream(one, thread(), stream_mode="tasks")]
        for one in given
    ]


def case_a_question_beside_a_sibling(engine: Engine) -> Any:
    builder = chain(engine, "a", "b", b=asking(engine, {"q": 1}, "second"))
    client = engine.compile(builder.add_node("c", add("c")).add_edge("a", "c"))
    given = ({"xs": ["in"]}, engine.Command(resume="r1"), engine.Command(resume="r2"))
    return [
        sorted(shown(client.stream(one, thread(), stream_mode=["updates"])), key=repr)
        for one in given
    ]


def case_a_finished_thread_streams_its_values_once(engine: Engine) -> Any:
    client = compiled_chain(engine, "a")
    client.invoke({}, thread())
    return [client.stream(None, thread(), stream_mode=mode) for mode in ("values", "updates")]


def case_a_failure_ends_the_stream(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        raise ValueError("no")

    client = compiled_chain(engine, "a", "b", b=node)
    return outcome(lambda: client.stream({}, thread()))


def case_output_keys_in_streams(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", a=lambda _: {"one": 1, "xs": ["a"]})
    return [
        client.stream({}, thread(f"{mode}{keys}"), stream_mode=mode, output_keys=keys)
        for mode in ("values", "updates")
        for keys in ("one", ["xs"])
    ]


def case_invoke_with_another_mode_gives_the_chunks(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b")
    return [
        client.invoke({}, thread("1"), stream_mode="updates"),
        client.invoke({}, thread("2"), stream_mode=["values", "updates"]),
    ]


class Shown(TypedDict):
    one: Any


def case_a_stream_shows_what_the_output_schema_hides(engine: Engine) -> Any:
    builder = engine.StateGraph(Log, output_schema=Shown)
    builder.add_node("a", lambda _: {"one": 1, "xs": ["a"]})
    builder.add_edge(engine.START, "a")
    client = engine.compile(builder)
    modes = ["values", "updates"]
    return [
        client.stream({}, thread("1"), stream_mode=modes),
        client.invoke({}, thread("2"), stream_mode=modes),
        client.invoke({}, thread("3")),
    ]


class Private(TypedDict):
    secret: str


def case_a_stream_shows_private_keys(engine: Engine) -> Any:
    def reads(state: Private) -> Any:
        return {"xs": [state["secret"]]}

    builder = chain(engine, "a", "b", a=lambda _: {"secret": "s"}, b=reads)
    return engine.compile(builder).stream({}, thread(), stream_mode=["values", "updates"])


def case_tasks_of_a_state_that_is_one_value(engine: Engine) -> Any:
    def several(_: Any) -> Any:
        return [engine.Command(update=["x"], goto="b"), engine.Command(update=["y"])]

    builder = engine.StateGraph(Annotated[list[str], operator.add])
    builder.add_node("a", several).add_node("b", lambda _: ["z"]).add_edge(engine.START, "a")
    client = engine.compile(builder)
    chunks = client.stream(["0"], thread(), stream_mode=["tasks", "updates", "values"])
    told = [
        (mode, chunk["result"] if mode == "tasks" else chunk)
        for mode, chunk in chunks
        if mode != "tasks" or "result" in chunk
    ]
    return told, [[task.result for task in each.tasks] for each in client.history(thread())]
