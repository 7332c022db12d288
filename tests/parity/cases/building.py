"""What a graph may be made of, and what is refused while it is built."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal, TypedDict

from pydantic import BaseModel

from tests.parity.cases.common import Log, add, chain, fan
from tests.parity.engines import Engine
from tests.parity.observe import invoked, kind, outcome, shown, thread


def larger(left: int, right: int) -> int:
    return max(left, right)


class Totals(TypedDict, total=False):
    total: Annotated[int, operator.add]
    best: Annotated[int, larger]
    seen: Annotated[set[str], operator.or_]
    name: str


def case_reducers_of_a_typed_dict(engine: Engine) -> Any:
    def first(state: Totals) -> Any:
        return {"total": 2, "best": 7, "seen": {"first"}, "name": "first"}

    def second(state: Totals) -> Any:
        return {"total": state["total"], "best": 3, "seen": {"second"}}

    builder = engine.StateGraph(Totals)
    builder.add_sequence([first, second])
    builder.add_edge(engine.START, "first")
    return shown(engine.compile(builder).invoke({"total": 1, "best": 5}, thread()))


@dataclass
class Record:
    name: str
    xs: Annotated[list[str], operator.add] = field(default_factory=list)
    count: int = 0


def case_a_dataclass_is_the_state(engine: Engine) -> Any:
    def node(state: Record) -> Any:
        return {"xs": [state.name, type(state).__name__], "count": state.count + 1}

    builder = engine.StateGraph(Record).add_node("node", node).add_edge(engine.START, "node")
    client = engine.compile(builder)
    return [
        shown(client.invoke(Record("n"), thread("1"))),
        shown(client.invoke({"name": "d", "count": 3}, thread("2"))),
        shown(client.get_state(thread("1")).values),
    ]


class Order(BaseModel):
    item: str
    amount: int = 1
    xs: Annotated[list[str], operator.add] = []


def case_a_pydantic_model_is_the_state(engine: Engine) -> Any:
    def node(state: Order) -> Any:
        return {"xs": [f"{state.item} {state.amount + 1}"]}

    builder = engine.StateGraph(Order).add_node("node", node).add_edge(engine.START, "node")
    client = engine.compile(builder)
    wrong = invoked(client, {"item": "tea", "amount": "many"}, thread("3"))
    return [
        shown(client.invoke(Order(item="tea"), thread("1"))),
        shown(client.invoke({"item": "tea", "amount": "4"}, thread("2"))),
        wrong,
    ]


def case_a_node_returns_an_instance_of_the_state_class(engine: Engine) -> Any:
    def by_dataclass(state: Record) -> Any:
        return Record("other", ["x"])

    def by_model(state: Order) -> Any:
        return Order(item="other")

    plain = engine.StateGraph(Record).add_node("n", by_dataclass).add_edge(engine.START, "n")
    model = engine.StateGraph(Order).add_node("n", by_model).add_edge(engine.START, "n")
    return [
        invoked(engine.compile(plain), {"name": "n"}),
        invoked(engine.compile(model), {"item": "i"}),
    ]


class Given(TypedDict):
    question: str


class Answer(TypedDict):
    answer: str


class Whole(Given, Answer):
    notes: str


def case_input_and_output_schemas_filter(engine: Engine) -> Any:
    def think(state: Given) -> Any:
        return {"notes": f"about {state['question']}", "answer": sorted(state)}

    builder = engine.StateGraph(Whole, input_schema=Given, output_schema=Answer)
    builder.add_node("think", think).add_edge(engine.START, "think")
    client = engine.compile(builder)
    result = client.invoke({"question": "q", "notes": "dropped", "other": 1}, thread())
    return [shown(result), shown(client.get_state(thread()).values)]


class Private(TypedDict):
    secret: str


def case_a_private_key_of_a_node_is_a_channel(engine: Engine) -> Any:
    def writes(state: Log) -> Any:
        return {"secret": "s", "unknown": 1}

    def reads(state: Private) -> Any:
        return {"xs": [state["secret"], sorted(state)]}

    builder = engine.StateGraph(Log).add_node("writes", writes).add_node("reads", reads)
    builder.add_edge(engine.START, "writes").add_edge("writes", "reads")
    return shown(engine.compile(builder).invoke({}, thread()))


def case_a_bare_type_is_the_state(engine: Engine) -> Any:
    builder = engine.StateGraph(Annotated[int, operator.add])
    builder.add_node("double", lambda value: value).add_edge(engine.START, "double")
    client = engine.compile(builder)
    return [client.invoke(3, thread()), client.get_state(thread()).values]


class Appends:
    def __call__(self, _: Any) -> Any:
        return {"xs": ["object"]}


def case_functions_partials_objects_and_lambdas_are_nodes(engine: Engine) -> Any:
    builder = engine.StateGraph(Log)
    builder.add_node("partial", partial(lambda mark, _: {"xs": [mark]}, "partial"))
    builder.add_node("object", Appends())
    builder.add_node("lambda", lambda _: {"xs": ["lambda"]})
    for name in ("partial", "object", "lambda"):
        builder.add_edge(engine.START, name)
    return shown(engine.compile(builder).invoke({}, thread()))


def case_add_sequence_names_and_orders(engine: Engine) -> Any:
    def one(state: Any) -> Any:
        return {"xs": ["one"]}

    builder = engine.StateGraph(Log).add_sequence([one, ("two", add("two"))])
    builder.set_entry_point("one")
    builder.set_finish_point("two")
    return shown(engine.compile(builder).invoke({}, thread()))


def case_path_map_by_dict_by_list_and_by_annotation(engine: Engine) -> Any:
    def literal(state: Log) -> Literal["b", "c"]:
        return "c"

    results = []
    for path, path_map in (
        (lambda _: True, {True: "b", False: "c"}),
        (lambda _: "c", ["b", "c"]),
        (literal, None),
        (lambda _: ["b", "c"], None),
        (lambda _: engine.END, None),
    ):
        builder = chain(engine, "a").add_node("b", add("b")).add_node("c", add("c"))
        builder.add_conditional_edges("a", path, path_map)
        client = engine.compile(builder)
        results.append(invoked(client, {}))
    return results


def case_conditional_entry_point(engine: Engine) -> Any:
    builder = engine.StateGraph(Log).add_node("a", add("a")).add_node("b", add("b"))
    builder.set_conditional_entry_point(lambda state: "b" if state["xs"] else "a")
    client = engine.compile(builder)
    return [client.invoke({"xs": given}, thread(str(given))) for given in ([], ["in"])]


def case_a_path_sees_its_own_node_but_not_the_siblings(engine: Engine) -> Any:
    seen: list[Any] = []

    def path(state: Any) -> Any:
        seen.append(sorted(state["xs"]))
        return engine.END

    builder = fan(engine, a=add("a"), b=add("b")).add_conditional_edges("a", path)
    engine.compile(builder).invoke({"xs": ["in"]}, thread())
    return seen


def case_wrong_returns_of_paths(engine: Engine) -> Any:
    results = []
    for given, path_map in (
        ("nowhere", {"b": "b"}),
        (None, None),
        (engine.START, None),
        (engine.Send(engine.END, {}), None),
    ):
        builder = chain(engine, "a").add_node("b", add("b"))
        builder.add_conditional_edges("a", lambda _, given=given: given, path_map)
        client = engine.compile(builder)
        seen = invoked(client, {})
        results.append(seen["error"][0] if "error" in seen else seen)
    return results


def case_errors_while_building(engine: Engine) -> Any:
    start, end = engine.START, engine.END

    def fresh() -> Any:
        return engine.StateGraph(Log).add_node("a", add("a")).add_edge(start, "a")

    return [
        outcome(call)
        for call in (
            lambda: fresh().add_node("a", add("a")),
            lambda: fresh().add_node(start, add("a")),
            lambda: fresh().add_node("x|y", add("a")),
            lambda: fresh().add_node("x:y", add("a")),
            lambda: fresh().add_edge(end, "a"),
            lambda: fresh().add_edge("a", start),
            lambda: fresh().add_edge(["a", "x"], "a"),
            lambda: fresh().add_edge(["a"], "x"),
            lambda: fresh().add_edge("x", "a").compile(),
            lambda: fresh().add_edge("a", "x").compile(),
            lambda: fresh().add_conditional_edges("a", _branch, ["x"]).compile(),
            lambda: _branched_twice(fresh()),
            lambda: engine.StateGraph(Log).add_node("a", add("a")).compile(),
            lambda: fresh().compile(interrupt_before=["q"]),
            lambda: fresh().add_sequence([]),
            lambda: engine.StateGraph(Crooked),
            lambda: fresh().compile(checkpointer="memory"),
            lambda: fresh().compile(checkpointer=True).invoke({}, thread()),
        )
    ]


def case_a_sequence_needs_different_names(engine: Engine) -> Any:
    builder = engine.StateGraph(Log)
    return kind(lambda: builder.add_sequence([("b", add("b")), ("b", add("b"))]))


class Crooked(TypedDict):
    xs: Annotated[list[int], lambda only: only]


def _branch(state: Any) -> str:
    return "a"


def _branched_twice(builder: Any) -> Any:
    return builder.add_conditional_edges("a", _branch).add_conditional_edges("a", _branch)


def case_wrong_returns_of_nodes(engine: Engine) -> Any:
    results = []
    for given in (3, "text", ["text"], object):
        builder = chain(engine, "a", a=lambda _, given=given: given)
        client = engine.compile(builder)
        results.append(invoked(client, {}))
    return results


def case_generators_are_nodes(engine: Engine) -> Any:
    def dicts(state: Log) -> Any:
        yield {"xs": ["first"], "one": 1}
        yield {"xs": ["last"]}

    def lists(state: Log) -> Any:
        yield [engine.Command(update={"xs": ["x"]})]
        yield [engine.Command(update={"xs": ["y"]})]

    def nothing(state: Log) -> Any:
        yield from ()

    builder = engine.StateGraph(Log).add_sequence([dicts, lists, nothing])
    return shown(engine.compile(builder.add_edge(engine.START, "dicts")).invoke({}, thread()))


def case_an_async_generator_is_a_node(engine: Engine) -> Any:
    async def yields_async(state: Log) -> Any:
        yield {"xs": ["first"]}
        yield {"xs": ["last"]}

    def yields(state: Log) -> Any:
        yield {"xs": ["last"]}

    node = yields_async if engine.asynchronous else yields
    builder = engine.StateGraph(Log).add_node("node", node).add_edge(engine.START, "node")
    return invoked(engine.compile(builder), {})


def case_a_generator_asks_and_goes_on(engine: Engine) -> Any:
    def node(state: Log) -> Any:
        yield {"xs": [engine.interrupt("q")]}

    client = engine.compile(
        engine.StateGraph(Log).add_node("node", node).add_edge(engine.START, "node")
    )
    return [invoked(client, {}), invoked(client, engine.Command(resume="r"))]


def case_a_state_that_is_one_value(engine: Engine) -> Any:
    class Whole(TypedDict):
        __root__: Annotated[str, operator.add]

    def twice(_: str) -> Any:
        return [engine.Command(update="b"), engine.Command(update="c")]

    results = []
    for schema in (Whole, Annotated[str, operator.add]):
        builder = engine.StateGraph(schema).add_node("twice", twice)
        client = engine.compile(builder.add_edge(engine.START, "twice"))
        seen = client.stream("a", thread(), stream_mode=["updates", "values"])
        results.append([shown(seen), shown(client.get_state(thread()).values)])
    return results
