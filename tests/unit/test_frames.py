"""Graphs inside tasks: what is kept of them, for how long, under which names."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.errors import InvalidUpdateError
from distgraph.graph import START, StateGraph
from distgraph.types import Command, RetryPolicy, Send, interrupt
from tests.support.nested import CONFIG, State, asks, chain, counts, names, says
from tests.support.waiting import PATIENCE


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


def test_what_left_by_a_command_that_could_not_be_taken_runs_again(
    saver: BaseCheckpointSaver,
) -> None:
    ran: list[str] = []

    def leaves(_: State) -> Any:
        ran.append("leaves")
        goto = "nowhere" if len(ran) == 2 else "other"
        return Command(graph=Command.PARENT, update={"log": ["left"]}, goto=goto)

    inner = chain(("count", counts("count", ran)), ("leaves", leaves))
    builder = StateGraph(State).add_node("inner", inner).add_node("other", says("other"))
    graph = builder.add_edge(START, "inner").compile(checkpointer=saver)
    with pytest.raises(InvalidUpdateError, match="unknown node 'nowhere'"):
        graph.invoke({}, CONFIG)
    assert graph.get_state(CONFIG).tasks[0].error
    assert graph.invoke(None, CONFIG)["log"] == ["left", "other"]
    assert ran == ["count", "leaves", "leaves"]


@pytest.mark.parametrize("update", [{"of_its_own": 1}, [("of_its_own", 1)]])
def test_a_command_that_updates_nothing_of_the_graph_around_is_refused(update: Any) -> None:
    command: Command[Any] = Command(graph=Command.PARENT, update=update)
    graph = chain(("inner", chain(("leaves", lambda _: command))))
    with pytest.raises(InvalidUpdateError, match=r"updates of_its_own, which .* around does not"):
        graph.invoke({})


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
