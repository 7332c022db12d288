"""Graphs inside tasks: what is kept of them, for how long, under which names."""

from __future__ import annotations

import asyncio
import logging
import operator
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import InvalidUpdateError
from distgraph.graph import START, CompiledStateGraph, StateGraph
from distgraph.types import Command, RetryPolicy, Send, interrupt
from tests.support.waiting import PATIENCE

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    """A list that grows, and a value of any kind."""

    log: Annotated[list[Any], operator.add]
    held: Any


def chain(*nodes: tuple[str, Any], **options: Any) -> CompiledStateGraph:
    """Return a graph of ``nodes`` one after the other."""
    builder, before = StateGraph(State), START
    for name, action in nodes:
        builder.add_node(name, action)
        builder.add_edge(before, name)
        before = name
    return builder.compile(**options)


def counts(what: str, ran: list[str]) -> Callable[[State], State]:
    """Return a node that also says in ``ran`` that it ran."""

    def node(_: State) -> State:
        ran.append(what)
        return {"log": [what]}

    return node


def says(what: str) -> Callable[[State], State]:
    return lambda _: {"log": [what]}


def asks(what: str) -> Callable[[State], State]:
    return lambda _: {"log": [interrupt(what)]}


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest) -> Iterator[BaseCheckpointSaver]:
    if request.param == "memory":
        yield InMemorySaver()
        return
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
        yield SqliteSaver(conn)


def names(saver: BaseCheckpointSaver) -> list[str]:
    """Return the names of the thread's frames, ids of tasks left out."""
    found = saver.list({"configurable": {"thread_id": "t"}})
    return sorted({_bare(each.config["configurable"]["checkpoint_ns"]) for each in found})


def _bare(ns: str) -> str:
    parts = (part.partition(":") for part in ns.split("|"))
    return "|".join(f"{name}{mark}" for name, mark, _ in parts)


def asked(found: Any) -> list[Any]:
    return [question.value for question in found.get("__interrupt__", ())]


# --- names ----------------------------------------------------------------------------------------


def test_every_call_is_kept_under_a_name_of_its_own(saver: BaseCheckpointSaver) -> None:
    leaf = chain(("leaf", says("leaf")))
    inner = chain(("one", leaf), ("two", leaf))

    def twice(_: State) -> State:
        return {"log": [*inner.invoke({})["log"], *leaf.invoke({})["log"]]}

    graph = chain(("twice", twice), checkpointer=saver)
    assert graph.invoke({}, CONFIG)["log"] == ["leaf", "leaf", "leaf", "leaf"]
    assert names(saver) == ["", "twice:", "twice:|1", "twice:|one:", "twice:|two:"]


def test_a_graph_that_lasts_has_no_task_in_its_name(saver: BaseCheckpointSaver) -> None:
    leaf = chain(("leaf", says("leaf")), checkpointer=True)
    inner = chain(("b", lambda _: {"log": [leaf.invoke({}), leaf.invoke({})]}), checkpointer=True)
    graph = chain(("a", inner), checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert names(saver) == ["", "a", "a|b", "a|b|1"]


def test_a_later_execution_finds_its_frames_whatever_the_order_of_its_calls(
    saver: BaseCheckpointSaver,
) -> None:
    ran: list[str] = []

    left, right = (chain((name, counts(name, ran))) for name in ("left", "right"))

    def node(_: State) -> State:
        first, second = (left, right) if len(ran) == 0 else (right, left)
        found = [*first.invoke({})["log"], *second.invoke({})["log"]]
        return {"log": [*found, interrupt("go on?")]}

    graph = chain(("node", node), checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == ["right", "left", "yes"]
    assert ran == ["left", "right"]


# --- one execution, another execution -------------------------------------------------------------


def test_a_finished_graph_gives_its_result_again_when_its_task_is_retried(
    saver: BaseCheckpointSaver,
) -> None:
    ran: list[str] = []
    inner = chain(("count", counts("inner", ran)))

    def node(_: State) -> State:
        found = inner.invoke({})["log"]
        ran.append("node")
        if ran.count("node") < 3:
            raise ConnectionError
        return {"log": found}

    builder = StateGraph(State).add_edge(START, "node")
    builder.add_node("node", node, retry_policy=RetryPolicy(0.001, jitter=False))
    graph = builder.compile(checkpointer=saver)
    assert graph.invoke({}, CONFIG)["log"] == ["inner"]
    assert ran == ["inner", "node", "node", "node"]


def test_a_run_that_goes_on_runs_what_failed_inside_alone(saver: BaseCheckpointSaver) -> None:
    ran: list[str] = []

    def fails(_: State) -> State:
        ran.append("fails")
        if ran.count("fails") < 2:
            raise ValueError("no")
        return {"log": ["fails"]}

    inner = chain(("first", counts("first", ran)), ("fails", fails))
    graph = chain(("node", inner), checkpointer=saver)
    with pytest.raises(ValueError, match="no"):
        graph.invoke({}, CONFIG)
    assert graph.invoke(None, CONFIG)["log"] == ["first", "fails"]
    assert ran == ["first", "fails", "fails"]


def test_a_graph_that_lasts_goes_on_from_run_to_run(saver: BaseCheckpointSaver) -> None:
    inner = chain(("note", lambda state: {"log": [len(state["log"])]}), checkpointer=True)
    graph = chain(("node", lambda _: {"held": inner.invoke({})["log"]}), checkpointer=saver)
    assert [graph.invoke({}, CONFIG)["held"] for _ in range(3)] == [[0], [0, 1], [0, 1, 2]]
    other = {"configurable": {"thread_id": "another"}}
    assert graph.invoke({}, other)["held"] == [0]


def test_a_graph_that_lasts_gives_its_result_again_in_the_same_execution(
    saver: BaseCheckpointSaver,
) -> None:
    inner = chain(("note", lambda state: {"log": [len(state["log"])]}), checkpointer=True)

    def node(_: State) -> State:
        return {"held": [inner.invoke({})["log"], interrupt("go on?")]}

    graph = chain(("node", node), checkpointer=saver)
    for run in range(2):
        graph.invoke({}, CONFIG)
        found = graph.invoke(Command(resume=run), CONFIG)
        assert found["held"] == [list(range(run + 1)), run]


def test_two_tasks_of_a_superstep_cannot_share_a_graph_that_lasts(
    saver: BaseCheckpointSaver,
) -> None:
    inner = chain(("leaf", says("leaf")), checkpointer=True)
    builder = StateGraph(State).add_node("node", lambda _: inner.invoke({}))
    builder.add_conditional_edges(START, lambda _: [Send("node", {}), Send("node", {})])
    graph = builder.compile(checkpointer=saver)
    given: Any
    for given in ({}, None):
        with pytest.raises(ValueError, match=r"Two tasks of one superstep .* at 'node'"):
            graph.invoke(given, {**CONFIG, "max_concurrency": 1})


def test_tasks_of_graphs_in_one_superstep_cannot_share_it_either(
    saver: BaseCheckpointSaver,
) -> None:
    leaf = chain(("leaf", says("leaf")), checkpointer=True)
    between = chain(("between", lambda _: leaf.invoke({})))
    builder = StateGraph(State).add_node("node", between)
    builder.add_conditional_edges(START, lambda _: [Send("node", {}), Send("node", {})])
    with pytest.raises(ValueError, match=r"at 'node\|between'"):
        builder.compile(checkpointer=saver).invoke({}, {**CONFIG, "max_concurrency": 1})


def test_tasks_that_run_beside_each_other_cannot_share_it(saver: BaseCheckpointSaver) -> None:
    meeting = threading.Barrier(2, timeout=PATIENCE)
    inner = chain(("leaf", says("leaf")), checkpointer=True)

    def node(_: State) -> State:
        meeting.wait()
        try:
            inner.invoke({})
        except ValueError:
            return {"log": ["refused"]}
        return {"log": ["called"]}

    builder = StateGraph(State).add_node("node", node)
    builder.add_conditional_edges(START, lambda _: [Send("node", {}), Send("node", {})])
    found = builder.compile(checkpointer=saver).invoke({}, CONFIG)
    assert sorted(found["log"]) == ["called", "refused"]


def test_supersteps_one_after_the_other_may_share_it(saver: BaseCheckpointSaver) -> None:
    leaf = chain(("leaf", says("leaf")), checkpointer=True)
    builder = StateGraph(State).add_node("node", lambda _: leaf.invoke({}) and {"log": ["x"]})
    builder.add_edge(START, "node")
    builder.add_conditional_edges("node", lambda s: "node" if len(s["log"]) < 3 else "__end__")
    between = builder.compile()
    graph = chain(("outer", between), checkpointer=saver)
    assert graph.invoke({}, CONFIG)["log"] == ["x"] * 3


def test_pruning_keeps_what_waits_and_what_lasts(saver: BaseCheckpointSaver) -> None:
    leaf = chain(("leaf", says("leaf")), checkpointer=True)
    inner = chain(("call", lambda _: leaf.invoke({})), ("ask", asks("well?")))
    graph = chain(("node", inner), checkpointer=saver)
    graph.invoke({}, CONFIG)
    saver.prune(["t"])
    assert names(saver) == ["", "node:", "node|call"]
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == ["leaf", "yes"]
    saver.prune(["t"])
    assert names(saver) == ["", "node|call"]


# --- graphs that are not stored -------------------------------------------------------------------


def test_what_a_graph_asks_that_is_not_stored_its_task_asks(saver: BaseCheckpointSaver) -> None:
    ran: list[str] = []
    nodes = (("one", counts("one", ran)), ("ask", asks("first?")), ("then", asks("second?")))
    inner = chain(*nodes, checkpointer=False)
    between = chain(("between", inner), checkpointer=False)

    def node(_: State) -> State:
        before = interrupt("before?")
        return {"log": [before, *between.invoke({})["log"]]}

    graph = chain(("node", node), checkpointer=saver)
    found = [asked(graph.invoke({}, CONFIG))]
    found += [asked(graph.invoke(Command(resume=n), CONFIG)) for n in range(2)]
    assert found == [["before?"], ["first?"], ["second?"]]
    assert graph.invoke(Command(resume=2), CONFIG)["log"] == [0, "one", 1, 2]
    assert names(saver) == [""]
    assert ran == ["one"] * 3


def test_without_a_checkpointer_a_graph_inside_cannot_ask() -> None:
    inner = chain(("ask", asks("well?")))
    with pytest.raises(RuntimeError, match="needs a checkpointer"):
        chain(("node", inner)).invoke({})


# --- pauses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lasts", [None, True])
@pytest.mark.parametrize("called", [False, True])
def test_a_question_three_graphs_deep_is_asked_and_answered(
    saver: BaseCheckpointSaver, lasts: Any, called: bool
) -> None:
    def within(name: str, action: Any, **options: Any) -> CompiledStateGraph:
        held = (lambda _: action.invoke({})) if called else action
        return chain((name, held), **options)

    inner = chain(("ask", asks("well?")), checkpointer=lasts)
    graph = within("outer", within("middle", within("inner", inner)), checkpointer=saver)
    assert asked(graph.invoke({}, CONFIG)) == ["well?"]
    state: Any = graph.get_state(CONFIG, subgraphs=True)
    for _ in range(3):
        (task,) = state.tasks
        state = task.state
        assert [question.value for question in task.interrupts] == ["well?"]
    assert state.next == ("ask",)
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == ["yes"]


@pytest.mark.parametrize("stops", [{"interrupt_before": ["two"]}, {"interrupt_after": ["one"]}])
def test_a_breakpoint_three_graphs_deep_is_released_by_going_on(
    saver: BaseCheckpointSaver, stops: dict[str, Any]
) -> None:
    inner = chain(("one", says("one")), ("two", says("two")), **stops)
    graph = chain(("outer", chain(("middle", chain(("inner", inner))))), checkpointer=saver)
    graph.invoke({}, CONFIG)
    assert graph.get_state(CONFIG).next == ("outer",)
    assert graph.invoke(None, CONFIG)["log"] == ["one", "two"]


def test_one_of_two_graphs_called_at_once_is_answered(saver: BaseCheckpointSaver) -> None:
    one, two = chain(("ask", asks("one?"))), chain(("tell", asks("two?")))

    async def node(_: State) -> State:
        found = await asyncio.gather(one.ainvoke({}), two.ainvoke({}), return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return {"log": [each["log"] for each in found if isinstance(each, dict)]}

    async def scenario() -> None:
        graph = chain(("node", node), checkpointer=saver)
        questions = (await graph.ainvoke({}, CONFIG))["__interrupt__"]
        assert [each.value for each in questions] == ["one?", "two?"]
        first, second = ({each.id: f"yes, {each.value}"} for each in questions)
        left = await graph.ainvoke(Command(resume=second), CONFIG)
        assert left["__interrupt__"] == questions[:1]
        found = await graph.ainvoke(Command(resume=first), CONFIG)
        assert found["log"] == [["yes, one?"], ["yes, two?"]]

    asyncio.run(scenario())


def test_graphs_that_are_finished_do_not_make_a_question_larger(
    saver: BaseCheckpointSaver,
) -> None:
    large = chain(("large", lambda _: {"held": b"x" * 9_000_000}))

    def node(_: State) -> State:
        sizes = [len(large.invoke({})["held"]) for _ in range(2)]
        return {"log": [*sizes, interrupt("go on?")]}

    graph = chain(("node", node), checkpointer=saver)
    graph.invoke({}, CONFIG)
    found = saver.get_tuple(CONFIG)
    assert found is not None
    assert len(repr(found.pending_writes)) < 1_000
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == [9_000_000, 9_000_000, "yes"]


# --- what cannot be stored ------------------------------------------------------------------------


@dataclass
class Cursor:
    """A value that a saver with a serializer of its own does not know."""

    row: int


def sets(value: Callable[[], Any]) -> tuple[str, Any]:
    return ("open", lambda _: {"held": value()})


@pytest.mark.parametrize("value", [threading.Lock, lambda: Cursor(1)], ids=["lock", "class"])
def test_a_state_that_cannot_be_stored_goes_on_in_memory(
    value: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    inner = chain(sets(value), ("after", says("after")), ("last", says("last")))

    def node(_: State) -> State:
        return {"log": inner.invoke({})["log"]}

    with (
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn,
        caplog.at_level(logging.WARNING),
    ):
        graph = chain(("node", node), checkpointer=SqliteSaver(conn))
        assert graph.invoke({}, CONFIG)["log"] == ["after", "last"]
    (line,) = caplog.records
    assert "node 'node'" in line.getMessage()
    assert "'held'" in line.getMessage()


@pytest.mark.parametrize(
    ("last", "stops"),
    [(("ask", asks("well?")), {}), (("last", says("last")), {"interrupt_before": ["last"]})],
    ids=["question", "breakpoint"],
)
def test_a_state_that_cannot_be_stored_cannot_wait(
    saver: BaseCheckpointSaver, last: Any, stops: Any
) -> None:
    inner = chain(sets(threading.Lock), ("after", says("after")), last, **stops)
    graph = chain(("node", lambda _: {"log": inner.invoke({})["log"]}), checkpointer=saver)
    with pytest.raises((InvalidUpdateError, TypeError), match=r"cannot wait.*'held'"):
        graph.invoke({}, CONFIG)


# --- states by namespace --------------------------------------------------------------------------


def at(ns: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": "t", "checkpoint_ns": ns}}


@pytest.mark.parametrize("lasts", [None, True])
def test_a_frame_has_a_history_and_may_be_updated(saver: BaseCheckpointSaver, lasts: Any) -> None:
    inner = chain(("one", says("one")), ("ask", asks("well?")), checkpointer=lasts)
    graph = chain(("node", inner), ("last", says("last")), checkpointer=saver)
    graph.invoke({}, CONFIG)
    place: Any = graph.get_state(CONFIG).tasks[0].state
    state = graph.get_state(place)
    assert (state.values["log"], state.next) == (["one"], ("ask",))
    assert set(state.metadata or ()) == {"source", "step", "parents"}
    history = list(graph.get_state_history(place))
    assert [each.next for each in history] == [("ask",), ("one",), ("__start__",)]
    config = graph.update_state(place, {"log": ["told"]}, as_node="ask")
    assert config["configurable"]["checkpoint_map"].keys() == {
        "",
        state.config["configurable"]["checkpoint_ns"],
    }
    assert graph.get_state(place).values["log"] == ["one", "told"]
    assert graph.invoke(None, CONFIG)["log"] == ["one", "told", "last"]


def test_the_configs_of_old_checkpoints_lead_to_old_frames(saver: BaseCheckpointSaver) -> None:
    graph = chain(("node", chain(("one", says("one")))), checkpointer=saver)
    for _ in range(2):
        graph.invoke({}, CONFIG)
    places: list[Any] = [
        task.state for each in graph.get_state_history(CONFIG) for task in each.tasks if task.state
    ]
    assert [graph.get_state(place).values["log"] for place in places] == [["one", "one"], ["one"]]


def test_of_several_graphs_in_a_node_the_right_one_is_shown(saver: BaseCheckpointSaver) -> None:
    one = chain(("one", asks("one?")))
    two = chain(("two", asks("two?")))

    def node(state: State) -> State:
        return {"log": (two if state["log"] else one).invoke({})["log"]}

    graph = chain(("node", node), checkpointer=saver)
    given: Any
    for given, name in (({}, "one"), ({"log": ["x"]}, "two")):
        graph.invoke(given, CONFIG)
        place: Any = graph.get_state(CONFIG).tasks[0].state
        assert graph.get_state(place).next == (name,)


def test_a_frame_that_was_never_called_is_empty_and_takes_no_update(
    saver: BaseCheckpointSaver,
) -> None:
    graph = chain(("a", says("a")), ("node", chain(("x", says("x")))), checkpointer=saver)
    graph.invoke({}, CONFIG, interrupt_before=["node"])
    place: Any = graph.get_state(CONFIG).tasks[0].state
    state: Any = graph.get_state(CONFIG, subgraphs=True).tasks[0].state
    assert (state.values, state.next, state.config) == ({}, (), place)
    assert graph.get_state(place) == state
    assert list(graph.get_state_history(place)) == []
    with pytest.raises(ValueError, match="Subgraph node not found"):
        graph.update_state(place, {"log": ["x"]})


def test_a_graph_that_is_held_out_of_sight_works_and_cannot_be_shown(
    saver: BaseCheckpointSaver,
) -> None:
    held = {"graph": chain(("ask", asks("well?")))}
    graph = chain(("node", lambda _: held["graph"].invoke({})), checkpointer=saver)
    graph.invoke({}, CONFIG)
    task = graph.get_state(CONFIG).tasks[0]
    assert task.state is None
    with pytest.raises(ValueError, match="node 'node' refers to no such graph"):
        graph.get_state(at(f"node:{task.id}"))
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == ["yes"]


def observed(graph: CompiledStateGraph) -> list[Any]:
    """Return how the two newest checkpoints of the thread came to be."""
    return [(each.metadata or {})["source"] for each in graph.get_state_history(CONFIG, limit=2)]


# --- older checkpoints ----------------------------------------------------------------------------


@pytest.mark.parametrize("lasts", [None, True])
def test_a_checkpoint_of_a_frame_is_started_again_from(
    saver: BaseCheckpointSaver, lasts: Any
) -> None:
    ran: list[str] = []
    nodes = (("one", counts("one", ran)), ("two", counts("two", ran)), ("ask", asks("well?")))
    inner = chain(*nodes, checkpointer=lasts)
    graph = chain(("node", inner), ("last", says("last")), checkpointer=saver)
    graph.invoke({}, CONFIG)
    place: Any = graph.get_state(CONFIG).tasks[0].state
    old = next(each for each in graph.get_state_history(place) if each.next == ("two",))
    again = graph.invoke(None, old.config)
    assert (ran, asked(again)) == (["one", "two", "two"], ["well?"])
    assert observed(graph) == ["fork", "loop"]
    found = graph.invoke(Command(resume="yes"), CONFIG)
    assert found["log"] == ["one", "two", "yes", "last"]


def test_a_graph_that_lasts_stands_as_it_stood_before_the_checkpoint_that_runs_again(
    saver: BaseCheckpointSaver,
) -> None:
    inner = chain(("note", lambda state: {"log": [len(state["log"])]}), checkpointer=True)
    builder = StateGraph(State)
    for name, before in (("a", START), ("b", "a")):
        builder.add_node(name, lambda _: {"log": [inner.invoke({})["log"]]})
        builder.add_edge(before, name)
    graph = builder.compile(checkpointer=saver)
    for _ in range(2):
        graph.invoke({}, CONFIG)
    before_b = [each for each in graph.get_state_history(CONFIG) if each.next == ("b",)]
    again = graph.invoke(None, before_b[1].config)
    assert again["log"] == [[0], [0]]
    assert graph.invoke({}, CONFIG)["log"][2:] == [[0, 1, 2], [0, 1]]


def test_an_update_that_runs_again_begins_its_graphs_anew(saver: BaseCheckpointSaver) -> None:
    ran: list[str] = []
    graph = chain(("a", says("a")), ("node", chain(("x", counts("x", ran)))), checkpointer=saver)
    graph.invoke({}, CONFIG)
    old = next(each for each in graph.get_state_history(CONFIG) if each.next == ("node",))
    edited = graph.update_state(old.config, {"log": ["edit"]}, as_node="a")
    for _ in range(2):
        assert graph.invoke(None, edited)["log"] == ["a", "edit", "a", "edit", "x"]
    assert ran == ["x"] * 3
