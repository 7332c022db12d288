"""Building graphs, and what their calls give back."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import END, START, StateGraph
from distgraph.types import Command, interrupt


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    last: Any


CONFIG = {"configurable": {"thread_id": "t"}}


def silent(state: State) -> None:
    """Write nothing."""


def one() -> StateGraph[State]:
    return StateGraph(State).add_node("a", silent).add_edge(START, "a")


# --- building --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a", "already present"),
        (START, "is reserved"),
        (END, "is reserved"),
        ("x|y", r"'\|' is a reserved character"),
        ("x:y", "':' is a reserved character"),
    ],
)
def test_a_name_that_is_taken_or_reserved_is_refused(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        one().add_node(name, silent)


def test_a_node_needs_something_to_call() -> None:
    with pytest.raises(TypeError, match="must be a function"):
        one().add_node("b", 7)
    with pytest.raises(TypeError, match="has no action"):
        one().add_node("b")


def test_a_node_is_named_after_its_function() -> None:
    assert set(StateGraph(State).add_node(silent).nodes) == {"silent"}


def test_edges_go_from_start_to_end() -> None:
    with pytest.raises(ValueError, match="END cannot be a start node"):
        one().add_edge(END, "a")
    with pytest.raises(ValueError, match="START cannot be an end node"):
        one().add_edge("a", START)


def test_a_join_needs_its_nodes_first() -> None:
    with pytest.raises(ValueError, match="Need to add_node `b` first"):
        one().add_edge(["a", "b"], "c")


def test_a_path_is_added_once_to_a_node() -> None:
    def path(state: State) -> str:
        return "a"

    with pytest.raises(ValueError, match="Branch with name `path` already exists"):
        one().add_conditional_edges("a", path).add_conditional_edges("a", path)


def test_a_path_map_to_an_unknown_node_is_refused_at_compile() -> None:
    def path(state: State) -> Literal["nowhere"]:
        return "nowhere"

    builder = one().add_conditional_edges("a", path)
    with pytest.raises(ValueError, match="'path' branch found unknown target 'nowhere'"):
        builder.compile()


def test_a_sequence_is_a_chain_of_unique_names() -> None:
    builder = StateGraph(State).add_sequence([("a", silent), ("b", silent)])
    assert builder.edges == {("a", "b")}
    with pytest.raises(ValueError, match="at least one node"):
        StateGraph(State).add_sequence([])
    with pytest.raises(ValueError, match="must be unique: a"):
        StateGraph(State).add_sequence([("a", silent), ("a", silent)])


def test_a_reducer_takes_two_arguments() -> None:
    class Wrong(TypedDict):
        log: Annotated[list[str], len]

    with pytest.raises(ValueError, match="Invalid reducer signature"):
        StateGraph(Wrong)


def test_equal_structures_have_equal_fingerprints() -> None:
    first, second = one().compile(), one().compile(name="other")
    assert first.graph.fingerprint == second.graph.fingerprint
    assert one().add_edge("a", "a").compile().graph.fingerprint != first.graph.fingerprint


# --- what a run gives back ----------------------------------------------------------------------


def test_a_run_that_wrote_nothing_gives_nothing() -> None:
    graph = one().compile(checkpointer=InMemorySaver())
    assert graph.invoke({}, CONFIG) is None
    assert graph.get_state(CONFIG).values == {"log": []}


def test_nodes_find_the_start_value_of_a_reducer() -> None:
    builder = StateGraph(State).add_node("a", lambda state: {"last": state["log"]})
    assert builder.add_edge(START, "a").compile().invoke({}) == {"log": [], "last": []}


def test_one_output_key_gives_its_bare_value() -> None:
    graph = one().compile()
    assert graph.invoke({"last": 1}, output_keys="last") == 1
    assert graph.invoke({"last": 1}, output_keys=["last"]) == {"last": 1}
    assert list(graph.stream({"last": 1}, output_keys="last")) == [{"a": None}]


def test_other_modes_make_invoke_return_a_list() -> None:
    assert one().compile().invoke({"last": 1}, stream_mode="updates") == [{"a": None}]


def test_results_kept_from_an_earlier_call_are_marked_as_such() -> None:
    def ask(state: State) -> Any:
        return {"last": interrupt("well?")}

    builder = one().add_node("b", ask).add_edge(START, "b")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({}, CONFIG)
    found = list(graph.stream(Command(resume="yes"), CONFIG, stream_mode="updates"))
    assert found == [{"a": None, "__metadata__": {"cached": True}}, {"b": {"last": "yes"}}]


def test_a_dataclass_state_reaches_nodes_as_an_instance() -> None:
    @dataclass
    class Data:
        n: int = 0

    builder = StateGraph(Data).add_node("a", lambda state: {"n": state.n + 1})
    assert builder.add_edge(START, "a").compile().invoke(Data(n=1)) == {"n": 2}


def test_a_bare_annotated_type_is_the_whole_state() -> None:
    builder: StateGraph[Any] = StateGraph(Annotated[int, operator.add])
    builder.add_node("a", lambda total: total + 1).add_edge(START, "a")
    assert builder.compile().invoke(2) == 5


class Narrow(TypedDict, total=False):
    last: int


def narrow(state: Narrow) -> str:
    return ",".join(state)


def everything(state: Any) -> str:
    return ",".join(state)


def whole(state: State) -> str:
    return ",".join(sorted(state))


@pytest.mark.parametrize(
    ("path", "sees"),
    [
        (narrow, "last"),
        (whole, "last,log"),
        (everything, "last,log,extra"),  # as in LangGraph: the node's keys, and what it returned
    ],
)
def test_a_path_function_sees_the_keys_of_its_schema(path: Any, sees: str) -> None:
    chosen: list[str] = []

    def choose(state: Any) -> str:
        chosen.append(path(state))
        return END

    choose.__annotations__ = {k: v for k, v in path.__annotations__.items() if k == "state"}
    builder = StateGraph(State).add_node("a", lambda _: {"last": 2, "log": [1], "extra": 3})
    builder.add_edge(START, "a").add_conditional_edges("a", choose)
    builder.compile().invoke({})
    assert [set(each.split(",")) for each in chosen] == [set(sees.split(","))]


def test_a_node_finds_the_thread_that_its_caller_named_also_without_a_saver() -> None:
    def tell(_: State, config: Any, runtime: Any) -> Any:
        named = config["configurable"].get("thread_id")
        return {"log": [named, runtime.execution_info.thread_id]}

    inner = StateGraph(State).add_node(tell).add_edge(START, "tell").compile()
    builder = StateGraph(State).add_node(tell).add_node("inner", inner)
    builder.add_node("called", lambda _, config: inner.invoke({}, config))
    graph = builder.add_edge(START, "tell").add_edge("tell", "inner").add_edge("tell", "called")
    assert set(graph.compile().invoke({}, CONFIG)["log"]) == {"t"}
    assert set(graph.compile().invoke({})["log"]) == {None}
    saved = graph.compile(checkpointer=InMemorySaver())
    assert set(saved.invoke({}, CONFIG)["log"]) == {"t"}


def test_a_context_dict_becomes_an_instance_of_its_schema() -> None:
    @dataclass
    class Context:
        user: str

    def call(state: State, runtime: Any) -> Any:
        return {"last": runtime.context}

    graph = StateGraph(State, Context).add_node("a", call).add_edge(START, "a").compile()
    assert graph.invoke({}, context={"user": "u"})["last"] == Context("u")


def test_a_config_bound_to_a_graph_is_under_every_call() -> None:
    graph = one().compile(checkpointer=InMemorySaver()).with_config(CONFIG)
    graph.invoke({"last": 1})
    assert graph.get_state({}).values == {"log": [], "last": 1}


# --- the state of a thread -----------------------------------------------------------------------


def test_an_update_for_a_waiting_node_is_shown_as_its_result() -> None:
    graph = one().compile(checkpointer=InMemorySaver(), interrupt_before=["a"])
    graph.invoke({}, CONFIG)
    graph.update_state(CONFIG, {"last": "u"}, as_node="a")
    newest, before, *_ = graph.get_state_history(CONFIG)
    assert (newest.next, newest.values["last"]) == ((), "u")
    assert before.tasks[0].result == {"last": "u"}


def test_an_update_that_came_with_an_answer_is_stored() -> None:
    def ask(state: State) -> Any:
        return {"log": [interrupt("well?")]}

    saver = InMemorySaver()
    builder = StateGraph(State).add_node("a", ask).add_edge(START, "a")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"last": "old"}, CONFIG)
    graph.invoke(Command(resume="yes", update={"last": "new"}), CONFIG)
    again = builder.compile(checkpointer=saver)
    assert again.get_state(CONFIG).values == {"log": ["yes"], "last": "new"}


def test_writes_that_do_not_go_together_end_the_call_that_pauses() -> None:
    def ask(state: State) -> Any:
        interrupt("well?")

    builder = StateGraph(State)
    for name, call in {"a": lambda _: {"last": 1}, "b": lambda _: {"last": 1}, "c": ask}.items():
        builder.add_node(name, call).add_edge(START, name)
    graph = builder.compile(checkpointer=InMemorySaver())
    with pytest.raises(Exception, match="At key 'last': Can receive only one value"):
        graph.invoke({}, CONFIG)
    assert graph.get_state(CONFIG).next == ("c",)


def test_a_root_graph_needs_a_checkpointer_of_its_own() -> None:
    with pytest.raises(RuntimeError, match="cannot be used for root graphs"):
        one().compile(checkpointer=True).invoke({})
