"""Bad input gets a clear error that says what was wrong, and changes nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import (
    AmbiguousResume,
    EmptyInputError,
    InvalidUpdateError,
    NoSuchInterrupt,
    NothingToResume,
    ThreadNotFound,
)
from distgraph.graph import END, START
from distgraph.types import Command, Interrupt, Send, StateUpdate, interrupt
from tests.support.chains import CONFIG, ask, built, compiled, history, log, waiting

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


BAD_NAMES = [
    (7, TypeError, r"invoke\(\): by must be a string or None, not int 7"),
    ("x" * 256, ValueError, r"by of invoke\(\) has 256 characters, and may have 255"),
    ("a\udc80", ValueError, r"by of invoke\(\) 'a\\udc80' has a lone surrogate"),
]


@pytest.mark.parametrize(("by", "error", "says"), BAD_NAMES)
def test_who_calls_is_said_by_a_text(by: Any, error: type[Exception], says: str) -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(error, match=says):
        graph.invoke({}, CONFIG, by=by)
    assert history(graph) == []


def test_in_this_process_nobody_keeps_who_calls() -> None:
    graph = compiled(a=log("a"))
    assert graph.invoke({}, CONFIG, by="x" * 255) == {"log": ["a"]}
    assert all("by" not in state.metadata for state in history(graph))


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
    with pytest.raises(EmptyInputError, match="no checkpoint to continue from") as raised:
        graph.invoke(given, CONFIG)
    assert isinstance(raised.value, ThreadNotFound)
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


@pytest.mark.parametrize("given", ["yes", {"0" * 32: "yes"}])
def test_an_answer_to_an_unknown_thread_creates_none(given: Any) -> None:
    graph = compiled(a=ask)
    with pytest.raises(ThreadNotFound, match=f"thread '{CONFIG['configurable']['thread_id']}'"):
        graph.invoke(Command(resume=given), CONFIG)
    assert history(graph) == []


def test_an_answer_at_an_unknown_checkpoint_names_it() -> None:
    graph = waiting()
    at = {"configurable": {**CONFIG["configurable"], "checkpoint_id": "nowhere"}}
    with pytest.raises(ThreadNotFound, match="has no checkpoint 'nowhere'"):
        graph.invoke(Command(resume="yes"), at)


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
    with pytest.raises(TypeError, match="supersteps must be a list of lists of "):
        graph.bulk_update_state(CONFIG, [[StateUpdate({}, "a")], *supersteps])
    assert history(graph) == []


def test_an_update_as_something_that_is_no_name_is_refused() -> None:
    name: Any = []
    with pytest.raises(TypeError, match="as_node must be a string or None, not \\[\\]"):
        compiled(a=log("a")).update_state(CONFIG, {}, as_node=name)
    with pytest.raises(InvalidUpdateError, match="as_node must be the name of a node"):
        compiled(a=log("a")).bulk_update_state(CONFIG, [[StateUpdate({}, name)]])


def test_an_unclear_update_names_the_nodes_that_it_could_speak_for() -> None:
    graph = built(a=log("a")).add_node("b", log("b")).add_edge(START, "b")
    with_both = graph.compile(checkpointer=InMemorySaver())
    with_both.invoke({}, CONFIG)
    with pytest.raises(
        InvalidUpdateError, match="specify as_node: the last nodes to run were a, b"
    ):
        with_both.update_state(CONFIG, {})


@pytest.mark.parametrize(
    ("ns", "says"),
    [
        ("nobody:1", "Subgraph nobody not found"),
        ("outer:1|nobody:2", "Subgraph outer|nobody not found"),
        ("outer:1|ask:2", "node 'ask' refers to no such graph"),
    ],
)
def test_the_namespace_of_no_graph_is_refused(ns: str, says: str) -> None:
    inner: Any = built(ask=ask).compile()
    graph = compiled(outer=inner)
    graph.invoke({}, CONFIG)
    before, place = history(graph), {**CONFIG["configurable"], "checkpoint_ns": ns}
    with pytest.raises(ValueError, match=re.escape(says)):
        graph.get_state({"configurable": place})
    with pytest.raises(ValueError, match=re.escape(says)):
        list(graph.get_state_history({"configurable": place}))
    with pytest.raises(ValueError, match=re.escape(says)):
        graph.update_state({"configurable": place}, {"log": ["x"]})
    assert history(graph) == before


@pytest.mark.parametrize("wrong", ["x", {"": 5}, {5: "x"}])
def test_a_map_of_checkpoints_must_be_one(wrong: Any) -> None:
    inner: Any = built(ask=ask).compile()
    graph = compiled(outer=inner)
    graph.invoke({}, CONFIG)
    before = history(graph)
    place = {**CONFIG["configurable"], "checkpoint_ns": "outer:1", "checkpoint_map": wrong}
    with pytest.raises(TypeError, match=r"'checkpoint_map'.*must be a dict of namespaces"):
        graph.invoke(None, {"configurable": place})
    assert history(graph) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"limit": "x"}, "limit must be a whole number"),
        ({"filter": 5}, "filter must be a dict"),
        ({"before": "1ef"}, "before must be a dict or None, not str '1ef'"),
        ({"before": {"configurable": {"checkpoint_id": 5}}}, "'checkpoint_id'"),
    ],
)
def test_a_history_is_asked_for_in_the_right_types(options: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        list(compiled(a=log("a")).get_state_history(CONFIG, **options))


def test_a_history_of_fewer_than_none_is_refused_at_once() -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(ValueError, match=r"limit must be a whole number of 0 or more.*not int -1"):
        graph.get_state_history(CONFIG, limit=-1)
    assert list(graph.get_state_history(CONFIG, limit=0)) == []


@pytest.mark.parametrize("key", ["checkpoint_id", "checkpoint_ns"])
def test_coordinates_that_are_no_text_are_refused(key: str) -> None:
    graph = compiled(a=log("a"))
    with pytest.raises(TypeError, match=key):
        graph.invoke({}, {"configurable": {"thread_id": "t", key: 5}})
    assert history(graph) == []


@pytest.mark.parametrize("options", [{"stream_mode": 5}, {"output_keys": 5}, {"output_keys": [5]}])
def test_options_that_are_no_names_are_refused(options: Any) -> None:
    with pytest.raises(TypeError, match="must be a string or a list of strings or None"):
        compiled(a=log("a")).invoke({}, CONFIG, **options)


def test_a_default_limit_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTGRAPH_RECURSION_LIMIT", "many")
    with pytest.raises(ValueError, match="recursion_limit must be a whole number"):
        compiled(a=log("a")).invoke({}, CONFIG)
