"""What streams show of graphs inside nodes: graphs that are nodes, and graphs that nodes call."""

from __future__ import annotations

from typing import Any, TypedDict

from tests.parity.cases.common import Log, add, chain
from tests.parity.cases.interrupts import asking
from tests.parity.engines import Client, Engine
from tests.parity.observe import shown, thread

MODES = ("values", "updates", "tasks")
KINDS = ("node", "called")


def put(engine: Engine, kind: str, graph: Any, times: int = 1) -> Any:
    """What stands in a node for `graph`: itself, or a function that calls it."""
    if kind == "node":
        return graph

    def node(state: Any) -> Any:
        found = [graph.invoke({"xs": [f"in{turn}"]}) for turn in range(times)]
        return {"xs": [len(each["xs"]) for each in found]}

    async def async_node(state: Any) -> Any:
        found = [await graph.ainvoke({"xs": [f"in{turn}"]}) for turn in range(times)]
        return {"xs": [len(each["xs"]) for each in found]}

    return async_node if engine.asynchronous else node


def telling(engine: Engine, name: str, then: Any = None) -> Any:
    """A node that streams its name before it does what it does."""

    def node(state: Any) -> Any:
        engine.get_stream_writer()(name)
        return (then or add(name))(state)

    return node


def streamed(client: Client, *given: Any, modes: Any = MODES) -> list[Any]:
    """The chunks of each call, with the names of nodes in the place of namespaces."""
    seen = []
    for one in given:
        chunks: list[Any] = []
        try:
            chunks += client.stream(one, thread(), stream_mode=list(modes), subgraphs=True)
        except ValueError as error:
            chunks.append(((), "raised", str(error)))
        seen.append([(_path(place), mode, _plain(mode, chunk)) for place, mode, chunk in chunks])
    return seen


def _path(place: tuple[str, ...]) -> str:
    """A place without ids; that of a second call keeps its number."""
    return "|".join(part.partition(":")[0] for part in place)


def _plain(mode: str, chunk: Any) -> Any:
    if mode != "tasks":
        return shown(chunk)
    told = {key: shown(value) for key, value in chunk.items() if key != "id"}
    if "interrupts" in told:
        told["interrupts"] = [one["value"] for one in chunk["interrupts"]]
        # There it may be the exception itself, which no other process has.
        told["error"] = told["error"] is not None
    return told


def each_kind(engine: Engine, build: Any, *given: Any, modes: Any = MODES) -> list[Any]:
    """The chunks of the graph that `build` makes for each kind."""
    return [streamed(build(kind), *given, modes=modes) for kind in KINDS]


def around(engine: Engine, kind: str, graph: Any, **options: Any) -> Client:
    """A chain with the graph between two nodes."""
    builder = chain(engine, "a", "sub", "z", sub=put(engine, kind, graph))
    return engine.compile(builder, **options)


def case_three_levels(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        leaf = chain(engine, "l", "m").compile()
        middle = chain(engine, "i", "deep", deep=put(engine, kind, leaf)).compile()
        return around(engine, kind, middle)

    return each_kind(engine, build, {"xs": ["in"]})


def case_custom_chunks_inside(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        leaf = chain(engine, "l", l=telling(engine, "l")).compile()
        middle = chain(engine, "i", "deep", i=telling(engine, "i"), deep=put(engine, kind, leaf))
        return around(engine, kind, middle.compile())

    return each_kind(engine, build, {"xs": ["in"]}, modes=("custom", "updates"))


def case_a_question_inside_and_its_answer(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        leaf = chain(engine, "l", "m", l=asking(engine, "q1"), m=asking(engine, "q2")).compile()
        middle = chain(engine, "i", "deep", deep=put(engine, kind, leaf)).compile()
        return around(engine, kind, middle)

    answers = (engine.Command(resume=answer) for answer in ("r1", "r2"))
    return each_kind(engine, build, {"xs": ["in"]}, *answers)


def case_stops_inside(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        stops = {"interrupt_before": ["m"], "interrupt_after": ["m"]}
        leaf = chain(engine, "l", "m", "n").compile(**stops)
        middle = chain(engine, "i", "deep", deep=put(engine, kind, leaf)).compile()
        return around(engine, kind, middle, interrupt_before=["sub"])

    return each_kind(engine, build, {"xs": ["in"]}, None, None, None)


def case_a_sibling_inside_is_done_when_a_question_is_answered(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        builder = chain(engine, "first", "w").add_node("v", asking(engine, "q"))
        builder.add_node("end", add("end")).add_edge("first", "v").add_edge(["v", "w"], "end")
        return around(engine, kind, builder.compile())

    found = each_kind(engine, build, {"xs": ["in"]}, engine.Command(resume="r"))
    return [[sorted(asked, key=repr), answered] for asked, answered in found]


def case_a_failure_inside_and_going_on(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        tries: list[int] = []

        def node(state: Any) -> Any:
            tries.append(1)
            if len(tries) < 2:
                raise ValueError("no")
            return {"xs": ["j"]}

        return around(engine, kind, chain(engine, "i", "j", "k", j=node).compile())

    return each_kind(engine, build, {"xs": ["in"]}, None)


def case_a_retry_inside(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        tries: list[int] = []

        def node(state: Any) -> Any:
            tries.append(1)
            if len(tries) < 2:
                raise ValueError("no")
            return {"xs": ["j"]}

        policy = engine.RetryPolicy(initial_interval=0.001, jitter=False, retry_on=ValueError)
        builder = engine.StateGraph(Log).add_node("j", node, retry_policy=policy)
        return around(engine, kind, builder.add_edge(engine.START, "j").compile())

    return each_kind(engine, build, {"xs": ["in"]})


def case_packets_inside(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        builder = engine.StateGraph(Log).add_node("w", lambda packet: {"xs": [packet["n"]]})
        packets = [engine.Send("w", {"n": 1}), engine.Send("w", {"n": 1})]
        builder.add_conditional_edges(engine.START, lambda _: packets, ["w"])
        return around(engine, kind, builder.compile())

    found = each_kind(engine, build, {"xs": ["in"]})
    return [sorted(chunks, key=repr) for (chunks,) in found]


def case_packets_that_a_node_inside_sends(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        packets = [engine.Send("w", {"n": 1}), engine.Send("w", {"n": 1})]
        builder = chain(engine, "i", i=lambda _: engine.Command(goto=packets))
        builder.add_node("w", lambda packet: {"xs": [packet["n"]]})
        return around(engine, kind, builder.compile())

    found = each_kind(engine, build, {"xs": ["in"]})
    return [sorted(chunks, key=repr) for (chunks,) in found]


class Part(TypedDict, total=False):
    """What of the state a node reads."""

    one: Any


def case_a_question_inside_of_a_node_that_reads_a_part(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        builder = chain(engine, "first", "w", first=lambda _: {"xs": ["first"], "one": 1})
        builder.add_node("v", asking(engine, "q"), input_schema=Part).add_edge("first", "v")
        return around(engine, kind, builder.compile())

    found = each_kind(engine, build, {"xs": ["in"]})
    return [sorted(chunks, key=repr) for (chunks,) in found]


def case_packets_to_a_graph_inside(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        graph = chain(engine, "i", "j").compile()
        builder = engine.StateGraph(Log).add_node("sub", put(engine, kind, graph))
        packets = [engine.Send("sub", {"xs": ["p"]}), engine.Send("sub", {"xs": ["p"]})]
        builder.add_conditional_edges(engine.START, lambda _: packets, ["sub"])
        return engine.compile(builder)

    found = each_kind(engine, build, {"xs": ["in"]})
    return [sorted(chunks, key=repr) for (chunks,) in found]


def case_a_command_for_the_parent(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        def leave(state: Any) -> Any:
            parent = engine.Command.PARENT
            return engine.Command(graph=parent, goto="other", update={"xs": ["left"]})

        leaf = chain(engine, "l", "m", m=leave).compile()
        middle = chain(engine, "deep", deep=put(engine, kind, leaf)).add_node("other", leave)
        builder = chain(engine, "sub", sub=put(engine, kind, middle.compile()))
        return engine.compile(builder.add_node("other", add("other")))

    return each_kind(engine, build, {"xs": ["in"]})


def case_two_calls_in_one_node(engine: Engine) -> Any:
    graph = chain(engine, "i", "j", j=asking(engine, "q")).compile()
    client = engine.compile(chain(engine, "a", "sub", sub=put(engine, "called", graph, times=2)))
    answers = (engine.Command(resume=answer) for answer in ("r1", "r2"))
    return streamed(client, {"xs": ["in"]}, *answers)


def case_a_graph_that_lasts(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        return around(engine, kind, chain(engine, "i", "j").compile(checkpointer=True))

    return each_kind(engine, build, {"xs": ["in"]}, {"xs": ["again"]})


def case_nothing_of_a_graph_inside_where_nobody_asks_for_it(engine: Engine) -> Any:
    def build(kind: str) -> Client:
        stops = {"interrupt_before": ["j"]}
        return around(engine, kind, chain(engine, "i", "j").compile(**stops))

    modes = ["values", "updates", "messages"]
    return [
        [shown(client.stream(one, thread(), stream_mode=modes)) for one in ({"xs": ["in"]}, None)]
        for client in map(build, KINDS)
    ]
