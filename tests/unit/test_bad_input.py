"""Bad input gets a clear error that says what was wrong, and changes nothing."""

from __future__ import annotations

import asyncio
import operator
import sys
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import (
    AmbiguousResume,
    EmptyInputError,
    GraphRecursionError,
    InvalidUpdateError,
    NoSuchInterrupt,
    NothingToResume,
)
from distgraph.graph import END, START, CompiledStateGraph, StateGraph
from distgraph.types import Command, Interrupt, RetryPolicy, Send, StateUpdate, interrupt


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    last: Any


CONFIG = {"configurable": {"thread_id": "t"}}
Node = Callable[[Any], Any]


def built(**nodes: Node) -> StateGraph[State]:
    """Build a chain of ``nodes``."""
    builder = StateGraph(State)
    before = START
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(before, name)
        before = name
    return builder


def compiled(**nodes: Node) -> CompiledStateGraph:
    return built(**nodes).compile(checkpointer=InMemorySaver())


def log(text: str) -> Node:
    return lambda _state: {"log": [text]}


def ask(state: State) -> Any:
    return {"last": interrupt("well?")}


def history(graph: CompiledStateGraph, config: Any = None) -> list[Any]:
    return list(graph.get_state_history(config or CONFIG))


def waiting() -> CompiledStateGraph:
    """Return a graph whose thread waits for two answers."""
    builder = built(one=ask)
    builder.add_node("two", ask).add_edge(START, "two")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({}, CONFIG)
    return graph


# --- how a graph is built --------------------------------------------------------------------


def passing(state: State) -> Any:
    del state


@pytest.mark.parametrize("schema", [None, 5, "State", {"log": list}, [State]])
def test_a_schema_that_is_no_type_is_refused(schema: Any) -> None:
    with pytest.raises(TypeError, match="A schema must be a TypedDict"):
        StateGraph(schema)
    with pytest.raises(TypeError, match="A schema must be a TypedDict"):
        StateGraph(State).add_node("a", passing, input_schema=schema or 1)


class Unresolved(TypedDict):
    key: "Missing"  # type: ignore[name-defined]  # noqa: F821, UP037


def test_a_schema_whose_annotations_name_nothing_is_named() -> None:
    with pytest.raises(NameError, match="'Missing' is not defined") as raised:
        StateGraph(Unresolved)
    assert raised.value.__notes__ == ["While reading the annotations of the schema Unresolved"]


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        (5, {}, "name of a node must be a string, not int 5"),
        ("", {}, "must not be empty"),
        ("a", {"retry_policy": 5}, "retry_policy of node 'a'"),
        ("a", {"retry_policy": [5]}, "retry_policy of node 'a'"),
        ("a", {"retry_policy": RetryPolicy(retry_on=5)}, "retry_on must be an Exception class"),  # type: ignore[arg-type]
        ("a", {"retry_policy": RetryPolicy(retry_on=[5])}, "retry_on must be an Exception class"),  # type: ignore[list-item]
        ("a", {"queue": 5}, "queue of node 'a'"),
        ("a", {"priority": "high"}, "priority of node 'a'"),
        ("a", {"priority": 10}, "priority of node 'a'"),
        ("a", {"metadata": "m"}, "metadata of node 'a'"),
    ],
)
def test_what_cannot_be_said_of_a_node_is_refused(name: Any, options: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        StateGraph(State).add_node(name, passing, **options)


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (5, "a", "start of an edge must be a name"),
        (None, "a", "start of an edge must be a name"),
        ([5], "a", "start of an edge must be a name"),
        ([], "a", "needs at least one start"),
        ("a", ["a"], "end of an edge must be the name of one node"),
    ],
)
def test_an_edge_between_what_are_no_names_is_refused(start: Any, end: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        built(a=passing).add_edge(start, end)


def test_a_conditional_edge_from_or_to_what_is_no_name_is_refused() -> None:
    source: Any = 5
    with pytest.raises(TypeError, match="source of a conditional edge"):
        built(a=passing).add_conditional_edges(source, lambda _: "a")
    with pytest.raises(TypeError, match="path_map must be a name or a list of names"):
        built(a=passing).add_conditional_edges("a", lambda _: "a", source)


@pytest.mark.parametrize("nodes", [None, 5, [("a",)], [(5, passing)]])
def test_a_sequence_of_something_else_than_nodes_is_refused(nodes: Any) -> None:
    with pytest.raises(TypeError, match="sequence"):
        StateGraph(State).add_sequence(nodes)


@pytest.mark.parametrize("stops", [5, [5]])
def test_breakpoints_that_are_no_names_are_refused(stops: Any) -> None:
    with pytest.raises(TypeError, match="interrupt_before and interrupt_after must be"):
        built(a=passing).compile(interrupt_before=stops)
    with pytest.raises(TypeError, match="interrupt_before and interrupt_after must be"):
        compiled(a=passing).invoke({}, CONFIG, interrupt_after=stops)


def test_something_that_is_no_backend_is_refused() -> None:
    with pytest.raises(TypeError, match="backend must carry runs"):
        built(a=passing).compile(name="g", backend=5)


def test_something_that_is_no_connection_is_refused() -> None:
    path: Any = "file.db"
    with pytest.raises(TypeError, match=r"an open sqlite3\.Connection"):
        SqliteSaver(path)


# --- where a run is stored -------------------------------------------------------------------


@pytest.mark.parametrize("config", [None, {}, {"configurable": {}}, {"configurable": None}])
def test_a_missing_thread_id_is_asked_for(config: Any) -> None:
    with pytest.raises(ValueError, match="thread_id"):
        compiled(a=log("a")).invoke({}, config)


def test_an_empty_thread_id_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 65536 characters; this one has 0"):
        compiled(a=log("a")).invoke({}, {"configurable": {"thread_id": ""}})


@pytest.mark.parametrize("name", ["x" * 10_000, "a b\n\0:{}|", "näme-☃-\udc80", 7])
def test_a_thread_id_may_have_any_characters(name: Any) -> None:
    config = {"configurable": {"thread_id": name}}
    graph = compiled(a=log("a"))
    assert graph.invoke({}, config) == {"log": ["a"]}
    assert graph.get_state(config).values == {"log": ["a"]}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("t", "config must be a dict"),
        ([("configurable", {})], "config must be a dict"),
        ({"configurable": "t"}, r"config\['configurable'\] must be a dict"),
        ({"configurable": {"thread_id": "t"}, "metadata": ["x"]}, r"config\['metadata'\]"),
        ({"configurable": {"thread_id": "t"}, "tags": "x"}, r"config\['tags'\] must be a list"),
    ],
)
def test_a_config_of_a_wrong_type_is_refused(config: Any, says: str) -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(TypeError, match=says):
        graph.invoke({}, config)
    assert history(graph) == []


@pytest.mark.parametrize("limit", [0, -1, 2.5, "7", True])
def test_a_limit_that_is_no_positive_whole_number_is_refused(limit: Any) -> None:
    graph = compiled(a=log("a"))
    for name in ("recursion_limit", "max_concurrency"):
        with pytest.raises(ValueError, match=name):
            graph.invoke({}, {**CONFIG, name: limit})


# --- options ---------------------------------------------------------------------------------


def test_an_unknown_stream_mode_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"Unknown stream_mode 'valuse'.*values, updates"):
        list(compiled(a=log("a")).stream({}, CONFIG, stream_mode="valuse"))  # type: ignore[arg-type]


def test_an_unknown_option_lists_the_known_ones() -> None:
    with pytest.raises(TypeError, match="unexpected option 'contxt': it takes context"):
        compiled(a=log("a")).invoke({}, CONFIG, contxt=1)  # type: ignore[call-arg]


def test_an_unknown_output_key_is_refused_before_anything_runs() -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(ValueError, match="unknown state key: 'lgo'"):
        graph.invoke({}, CONFIG, output_keys="lgo")
    assert history(graph) == []


def test_an_unknown_durability_is_refused() -> None:
    with pytest.raises(ValueError, match="durability"):
        compiled(a=log("a")).invoke({}, CONFIG, durability="maybe")  # type: ignore[arg-type]


def test_an_unknown_breakpoint_is_refused() -> None:
    with pytest.raises(ValueError, match="Interrupt node `q` not found"):
        compiled(a=log("a")).invoke({}, CONFIG, interrupt_before=["q"])


def test_breakpoints_need_a_checkpointer() -> None:
    with pytest.raises(RuntimeError, match="need a checkpointer"):
        built(a=log("a")).compile().invoke({}, interrupt_before=["a"])


def test_something_that_is_no_checkpointer_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Invalid checkpointer provided.*Received object"):
        built(a=log("a")).compile(checkpointer=object())


def test_a_graph_without_a_checkpointer_has_no_state() -> None:
    with pytest.raises(ValueError, match="No checkpointer set"):
        built(a=log("a")).compile().get_state(CONFIG)


def test_submit_needs_a_backend() -> None:
    with pytest.raises(RuntimeError, match="has no backend"):
        compiled(a=log("a")).submit({}, CONFIG)


# --- input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [7, [1, 2], "text", 1.5, object()])
def test_an_input_of_a_wrong_type_is_refused(given: Any) -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(InvalidUpdateError, match="Expected dict, got"):
        graph.invoke(given, CONFIG)
    assert history(graph) == []


def test_an_input_that_the_reducer_cannot_take_names_the_key() -> None:
    graph = compiled(a=log("a"))
    graph.invoke({}, CONFIG)
    before = history(graph)
    with pytest.raises(TypeError) as raised:
        graph.invoke({"log": 7}, CONFIG)
    assert any("state key 'log'" in note for note in raised.value.__notes__)
    assert history(graph) == before


def test_an_input_that_cannot_be_stored_names_the_key() -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(TypeError, match=r"The input.*'last'"):
        graph.invoke({"last": lambda: None}, CONFIG)
    assert history(graph) == []


@pytest.mark.parametrize("given", [None, Command(goto="a"), Command(update={"last": 1})])
def test_there_is_nothing_to_continue_on_an_unknown_thread(given: Any) -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(EmptyInputError, match="no checkpoint to continue from"):
        graph.invoke(given, CONFIG)
    assert history(graph) == []


def test_an_empty_command_is_refused() -> None:
    with pytest.raises(EmptyInputError, match="give it resume=, update= or goto="):
        compiled(a=log("a")).invoke(Command(), CONFIG)


@pytest.mark.parametrize("goto", ["nowhere", Send("nowhere", {}), 7])
def test_a_callers_goto_to_an_unknown_node_is_refused(goto: Any) -> None:
    graph = compiled(a=log("a"))
    graph.invoke({}, CONFIG)
    before = history(graph)
    with pytest.raises(InvalidUpdateError):
        graph.invoke(Command(goto=goto), CONFIG)
    assert history(graph) == before


def test_a_root_graph_has_no_parent_to_command() -> None:
    graph = compiled(a=log("a"))
    graph.invoke({}, CONFIG)
    with pytest.raises(InvalidUpdateError, match="There is no parent graph"):
        graph.invoke(Command(graph=Command.PARENT, goto="a"), CONFIG)


# --- answers ---------------------------------------------------------------------------------


def test_an_answer_to_a_thread_that_waits_for_nothing_changes_nothing() -> None:
    graph = compiled(a=log("a"))
    graph.invoke({}, CONFIG)
    before = history(graph)
    with pytest.raises(NothingToResume, match="waits for nothing"):
        graph.invoke(Command(resume="yes"), CONFIG)
    assert history(graph) == before


def test_an_answer_to_an_unknown_thread_creates_none() -> None:
    graph = compiled(a=ask)
    with pytest.raises(NothingToResume):
        graph.invoke(Command(resume="yes"), CONFIG)
    assert history(graph) == []


def test_an_answer_to_an_unknown_question_lists_the_pending_ones() -> None:
    graph = waiting()
    before = history(graph)
    with pytest.raises(NoSuchInterrupt) as raised:
        graph.invoke(Command(resume={"0" * 32: "yes"}), CONFIG)
    pending = {question.id for question in graph.get_state(CONFIG).interrupts}
    assert set(raised.value.pending) == pending
    assert history(graph) == before


def test_a_bare_answer_is_refused_while_several_questions_wait() -> None:
    graph = waiting()
    before = history(graph)
    with pytest.raises(AmbiguousResume, match="multiple pending interrupts"):
        graph.invoke(Command(resume="yes"), CONFIG)
    assert history(graph) == before


def test_an_answer_is_taken_once() -> None:
    graph = waiting()
    first: Interrupt = graph.get_state(CONFIG).interrupts[0]
    graph.invoke(Command(resume={first.id: "yes"}), CONFIG)
    with pytest.raises(NoSuchInterrupt):
        graph.invoke(Command(resume={first.id: "no"}), CONFIG)


def test_an_answer_needs_a_checkpointer() -> None:
    with pytest.raises(RuntimeError, match="without checkpointer"):
        built(a=ask).compile().invoke(Command(resume="yes"))


def test_a_question_needs_a_checkpointer() -> None:
    with pytest.raises(RuntimeError, match="needs a checkpointer"):
        built(a=ask).compile().invoke({})


def test_an_answer_that_cannot_be_stored_is_refused() -> None:
    graph = compiled(a=ask)
    graph.invoke({}, CONFIG)
    with pytest.raises(TypeError):
        graph.invoke(Command(resume=lambda: None), CONFIG)
    assert graph.invoke(Command(resume="yes"), CONFIG) == {"log": [], "last": "yes"}


def test_a_question_outside_of_a_node_is_refused() -> None:
    with pytest.raises(RuntimeError, match="outside of a node"):
        interrupt("well?")


# --- nodes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("returned", [7, "text", [1, 2], object()])
def test_a_node_that_returns_a_wrong_type_is_named(returned: Any) -> None:
    graph = compiled(a=log("a"), b=lambda _state: returned)
    with pytest.raises(InvalidUpdateError, match="Node 'b' must return a dict"):
        graph.invoke({}, CONFIG)
    assert graph.get_state(CONFIG).values == {"log": ["a"]}


@pytest.mark.parametrize(
    "returned", [Command(goto="nowhere"), Send("nowhere", {}), [Send("nowhere", {})]]
)
def test_a_node_that_goes_to_an_unknown_node_is_named(returned: Any) -> None:
    graph = compiled(a=lambda _state: returned)
    with pytest.raises(InvalidUpdateError, match=r"Node 'a'.*'nowhere'.*nodes are: a"):
        graph.invoke({}, CONFIG)


def test_a_path_to_an_unknown_node_is_refused() -> None:
    builder = built(a=log("a")).add_conditional_edges("a", lambda _state: "nowhere")
    with pytest.raises(InvalidUpdateError, match="unknown node 'nowhere'"):
        builder.compile(checkpointer=InMemorySaver()).invoke({}, CONFIG)


def test_a_path_to_nothing_is_refused() -> None:
    builder = built(a=log("a")).add_conditional_edges("a", lambda _state: None)
    with pytest.raises(ValueError, match="Branch did not return a valid destination"):
        builder.compile().invoke({})


def test_an_edge_to_an_unknown_node_is_refused_at_compile() -> None:
    with pytest.raises(ValueError, match="Found edge ending at unknown node `nowhere`"):
        built(a=log("a")).add_edge("a", "nowhere").compile()
    with pytest.raises(ValueError, match="Found edge starting at unknown node 'nowhere'"):
        built(a=log("a")).add_edge("nowhere", END).compile()


def test_a_graph_without_an_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="must have an entrypoint"):
        StateGraph(State).add_node("a", log("a")).compile()


def test_a_value_that_cannot_be_stored_names_node_and_key() -> None:
    graph = compiled(a=log("a"), b=lambda _state: {"last": lambda: None})
    with pytest.raises(InvalidUpdateError, match=r"Node 'b'.*'last'"):
        graph.invoke({}, CONFIG)
    state = graph.get_state(CONFIG)
    assert (state.values, state.next) == ({"log": ["a"]}, ("b",))


def test_a_question_that_cannot_be_stored_names_its_node() -> None:
    graph = compiled(a=lambda _state: interrupt(lambda: None))
    with pytest.raises(InvalidUpdateError, match=r"Node 'a'.*interrupt\(\)"):
        graph.invoke({}, CONFIG)


def test_a_node_that_raises_can_be_retried() -> None:
    failures = [ZeroDivisionError("once")]

    def flaky(state: State) -> Any:
        if failures:
            raise failures.pop()
        return {"log": ["b"]}

    graph = compiled(a=log("a"), b=flaky)
    with pytest.raises(ZeroDivisionError, match="once") as raised:
        graph.invoke({}, CONFIG)
    assert any("task with name 'b'" in note for note in raised.value.__notes__)
    assert graph.invoke(None, CONFIG) == {"log": ["a", "b"]}


@pytest.mark.parametrize("leave", [sys.exit, lambda: exec("raise GeneratorExit")])
def test_a_node_cannot_end_the_process(leave: Callable[[], Any]) -> None:
    graph = compiled(a=log("a"), b=lambda _state: leave())
    with pytest.raises(RuntimeError, match="Node 'b' raised"):
        graph.invoke({}, CONFIG)
    assert graph.get_state(CONFIG).next == ("b",)


@pytest.mark.parametrize("beside", [False, True])
def test_an_interrupted_process_leaves_the_thread_resumable(beside: bool) -> None:
    presses = [KeyboardInterrupt]

    def slow(state: State) -> Any:
        if presses:
            raise presses.pop()
        return {"log": ["b"]}

    builder = built(a=log("a"), b=slow)
    if beside:
        builder.add_node("c", log("c")).add_edge("a", "c")
    graph = builder.compile(checkpointer=InMemorySaver())
    with pytest.raises(KeyboardInterrupt):
        graph.invoke({}, CONFIG)
    assert "b" in graph.get_state(CONFIG).next
    assert graph.invoke(None, CONFIG) == {"log": ["a", "b", *(["c"] if beside else [])]}


async def test_a_cancelled_call_leaves_the_thread_resumable() -> None:
    started = asyncio.Event()
    patience = [3600.0, 0.0]

    async def slow(state: State) -> Any:
        started.set()
        await asyncio.sleep(patience.pop(0))
        return {"log": ["b"]}

    graph = compiled(a=log("a"), b=slow)
    call = asyncio.create_task(graph.ainvoke({}, CONFIG))
    await started.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await graph.aget_state(CONFIG)).next == ("b",)
    assert await graph.ainvoke(None, CONFIG) == {"log": ["a", "b"]}


def test_an_endless_loop_ends_at_the_recursion_limit() -> None:
    builder = built(a=log("a")).add_edge("a", "a")
    graph = builder.compile(checkpointer=InMemorySaver())
    with pytest.raises(GraphRecursionError, match="Recursion limit of 5 reached"):
        graph.invoke({}, {**CONFIG, "recursion_limit": 5})
    assert graph.get_state(CONFIG).next == ("a",)


def test_swallowing_the_signal_of_a_question_is_an_error() -> None:
    def greedy(state: State) -> Any:
        try:
            interrupt("well?")
        except BaseException:  # noqa: BLE001 the mistake that is meant
            return {"log": ["a"]}

    with pytest.raises(RuntimeError, match="something swallowed the signal"):
        compiled(a=greedy).invoke({}, CONFIG)


def test_a_coroutine_node_needs_the_async_call() -> None:
    async def node(state: State) -> Any:
        return {"log": ["a"]}

    with pytest.raises(TypeError, match='No synchronous function provided to "a"'):
        compiled(a=node).invoke({}, CONFIG)


async def test_a_blocking_call_works_inside_an_event_loop() -> None:
    assert compiled(a=log("a")).invoke({}, CONFIG) == {"log": ["a"]}


# --- updates ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "as_node", "says"),
    [
        ({"log": ["x"]}, "nowhere", "Node nowhere does not exist"),
        (7, "a", "Expected dict, got 7"),
        ({"log": ["x"]}, END, "takes no values"),
    ],
)
def test_an_update_that_cannot_be_written_changes_nothing(
    values: Any, as_node: str, says: str
) -> None:
    graph = compiled(a=log("a"), b=log("b"))
    graph.invoke({}, CONFIG)
    before = history(graph)
    with pytest.raises(InvalidUpdateError, match=says):
        graph.update_state(CONFIG, values, as_node=as_node)
    assert history(graph) == before


def test_an_update_that_cannot_be_stored_names_the_key() -> None:
    graph = compiled(a=log("a"))
    graph.invoke({}, CONFIG)
    before = history(graph)
    with pytest.raises(TypeError, match="'last'"):
        graph.update_state(CONFIG, {"last": lambda: None}, as_node="a")
    assert history(graph) == before


def test_updates_need_something_to_write() -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(ValueError, match="No supersteps provided"):
        graph.bulk_update_state(CONFIG, [])
    with pytest.raises(ValueError, match="No updates provided"):
        graph.bulk_update_state(CONFIG, [[]])


@pytest.mark.parametrize(
    "supersteps", [[5], [[5]], ["ab"], [StateUpdate({}, "a")], [[({"log": ["x"]}, "a")]]]
)
def test_updates_of_a_wrong_type_change_nothing(supersteps: Any) -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(TypeError, match="each a list of StateUpdate"):
        graph.bulk_update_state(CONFIG, [[StateUpdate({}, "a")], *supersteps])
    assert history(graph) == []


def test_an_update_as_something_that_is_no_name_is_refused() -> None:
    name: Any = []
    with pytest.raises(InvalidUpdateError, match="as_node must be the name of a node"):
        compiled(a=log("a")).update_state(CONFIG, {}, as_node=name)


def test_an_unclear_update_names_the_nodes_that_it_could_speak_for() -> None:
    graph = built(a=log("a")).add_node("b", log("b")).add_edge(START, "b")
    with_both = graph.compile(checkpointer=InMemorySaver())
    with_both.invoke({}, CONFIG)
    with pytest.raises(
        InvalidUpdateError, match="specify as_node: the last nodes to run were a, b"
    ):
        with_both.update_state(CONFIG, {})


def test_the_state_of_a_graph_inside_a_task_cannot_be_updated() -> None:
    inner: Any = built(ask=ask).compile()
    graph = compiled(outer=inner)
    graph.invoke({}, CONFIG)
    inside = graph.get_state(CONFIG).tasks[0].state
    assert isinstance(inside, dict)
    before = history(graph)
    with pytest.raises(ValueError, match="can only be read"):
        graph.update_state(inside, {"log": ["x"]})
    assert history(graph) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"limit": "x"}, "limit must be a whole number"),
        ({"filter": 5}, "filter must be a dict"),
        ({"before": "1ef"}, "config must be a dict"),
        ({"before": {"configurable": {"checkpoint_id": 5}}}, "'checkpoint_id'"),
    ],
)
def test_a_history_is_asked_for_in_the_right_types(options: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        list(compiled(a=log("a")).get_state_history(CONFIG, **options))


@pytest.mark.parametrize("key", ["checkpoint_id", "checkpoint_ns"])
def test_coordinates_that_are_no_text_are_refused(key: str) -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(TypeError, match=key):
        graph.invoke({}, {"configurable": {"thread_id": "t", key: 5}})
    assert history(graph) == []


@pytest.mark.parametrize("options", [{"stream_mode": 5}, {"output_keys": 5}, {"output_keys": [5]}])
def test_options_that_are_no_names_are_refused(options: Any) -> None:
    with pytest.raises(TypeError, match="must be a name or a list of names"):
        compiled(a=log("a")).invoke({}, CONFIG, **options)


def test_a_default_limit_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTGRAPH_RECURSION_LIMIT", "many")
    with pytest.raises(ValueError, match="recursion_limit must be a whole number"):
        compiled(a=log("a")).invoke({}, CONFIG)


def test_the_start_is_no_target() -> None:
    graph = compiled(a=log("a"), b=lambda _: Command(goto=START))
    with pytest.raises(InvalidUpdateError, match="unknown node '__start__'"):
        graph.invoke({}, CONFIG)
    with pytest.raises(InvalidUpdateError, match="unknown node '__start__'"):
        graph.invoke(Command(goto=START), CONFIG)
    assert graph.get_state(CONFIG).next == ("b",)


def test_a_predicate_that_fails_leaves_the_nodes_failure_final() -> None:
    def node(_: State) -> Any:
        raise ConnectionError("lost")

    def predicate(_: Exception) -> bool:
        raise KeyError("no")

    policy = RetryPolicy(retry_on=predicate)
    builder = StateGraph(State).add_node("a", node, retry_policy=policy).add_edge(START, "a")
    with pytest.raises(ConnectionError, match="lost") as raised:
        builder.compile().invoke({})
    assert "retry_on of node 'a' raised KeyError: 'no'" in raised.value.__notes__
