"""Bad input gets a clear error that says what was wrong, and changes nothing."""

from __future__ import annotations

import asyncio
import operator
import sys
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import (
    AmbiguousResume,
    EmptyInputError,
    GraphRecursionError,
    InvalidUpdateError,
    NoSuchInterrupt,
    NothingToResume,
)
from distgraph.graph import END, START, CompiledStateGraph, StateGraph
from distgraph.types import Command, Interrupt, Send, interrupt


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
