"""Graphs inside tasks by their namespace: states, histories, updates, older checkpoints."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.base import id as ids
from distgraph.graph import END, START, CompiledStateGraph, StateGraph
from distgraph.types import Command, Send, StateSnapshot
from tests.support.nested import CONFIG, State, asked, asks, chain, counts, says


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


def test_what_was_updated_two_graphs_in_is_gone_on_with(saver: BaseCheckpointSaver) -> None:
    leaf = chain(("one", says("one")), ("ask", asks("well?")))
    graph = chain(("outer", chain(("inner", leaf))), ("last", says("last")), checkpointer=saver)
    graph.invoke({}, CONFIG)
    middle: Any = graph.get_state(CONFIG, subgraphs=True).tasks[0].state
    place = middle.tasks[0].state.config
    graph.update_state(place, {"log": ["told"]})
    assert asked(graph.invoke(None, CONFIG)) == ["well?"]
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == ["one", "told", "yes", "last"]


@pytest.mark.parametrize("inside", [False, True])
def test_a_checkpoint_that_was_moved_past_shows_no_later_update(
    saver: BaseCheckpointSaver, inside: bool
) -> None:
    nodes = (("one", says("one")), ("ask", asks("well?")))
    held = (("node", chain(*nodes)),) if inside else nodes
    graph = chain(*held, checkpointer=saver)
    graph.invoke({}, CONFIG)
    state: Any = graph.get_state(CONFIG, subgraphs=True)
    old = (state.tasks[0].state if inside else state).config
    for word in ("first", "second"):
        graph.update_state(old, {"log": [word]}, as_node="ask")
    assert graph.get_state(old).tasks[0].result == {"log": ["first"]}


def test_a_new_input_at_an_older_checkpoint_leaves_graphs_that_last_where_they_are(
    saver: BaseCheckpointSaver,
) -> None:
    inner = chain(("note", lambda state: {"log": [len(state["log"])]}), checkpointer=True)
    graph = chain(("a", lambda _: {"log": [inner.invoke({})["log"]]}), checkpointer=saver)
    for _ in range(2):
        graph.invoke({}, CONFIG)
    *_, first = graph.get_state_history(CONFIG)
    assert graph.invoke({}, first.config)["log"] == [[0, 1, 2]]


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


def test_a_graph_that_nobody_here_has_called_works_and_cannot_be_shown(
    saver: BaseCheckpointSaver,
) -> None:
    def node(_: State) -> State:
        return {"log": chain(("ask", asks("well?"))).invoke({})["log"]}

    graph, elsewhere = (chain(("node", node), checkpointer=saver) for _ in range(2))
    graph.invoke({}, CONFIG)
    task = elsewhere.get_state(CONFIG).tasks[0]
    assert task.state is None
    with pytest.raises(
        ValueError, match="node 'node' refers to no such graph, and has called none"
    ):
        elsewhere.get_state(at(f"node:{task.id}"))
    assert elsewhere.invoke(Command(resume="yes"), CONFIG)["log"] == ["yes"]
    assert graph.get_state(CONFIG).next == ()


def observed(graph: CompiledStateGraph) -> list[Any]:
    """Return how the two newest checkpoints of the thread came to be."""
    return [(each.metadata or {})["source"] for each in graph.get_state_history(CONFIG, limit=2)]


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


def test_a_frame_is_started_again_in_the_first_superstep_alone(saver: BaseCheckpointSaver) -> None:
    ran: list[str] = []
    inner = chain(("one", counts("one", ran)), ("two", counts("two", ran)))
    builder = StateGraph(State).add_node("node", lambda _: {"log": inner.invoke({})["log"]})
    builder.add_conditional_edges("node", lambda state: "node" if len(state["log"]) < 4 else END)
    graph = builder.add_edge(START, "node").compile(checkpointer=saver)
    graph.invoke({}, CONFIG)
    *_, first = (each for each in graph.get_state_history(CONFIG) if each.next == ("node",))
    inside: Any = first.tasks[0].state
    old = next(each for each in graph.get_state_history(inside) if each.next == ("two",))
    ran.clear()
    for _ in range(2):
        assert graph.invoke(None, old.config)["log"] == ["one", "two"] * 2
    assert ran == ["two", "one", "two"] * 2


def test_a_frame_is_started_again_in_its_own_task_alone(saver: BaseCheckpointSaver) -> None:
    ran: list[str] = []
    inner = chain(("one", counts("one", ran)), ("two", counts("two", ran)))
    builder = StateGraph(State).add_node("node", lambda _: {"log": inner.invoke({})["log"]})
    builder.add_conditional_edges(START, lambda _: [Send("node", {})] * 2, ["node"])
    graph = builder.compile(checkpointer=saver)
    graph.invoke({}, CONFIG)
    begun = next(each for each in graph.get_state_history(CONFIG) if each.next)
    for task in begun.tasks:
        inside: Any = task.state
        old = next(each for each in graph.get_state_history(inside) if each.next == ("two",))
        ran.clear()
        graph.invoke(None, old.config)
        assert sorted(ran) == ["one", "two", "two"]


def test_what_is_made_inside_of_a_checkpoint_has_a_later_id(
    saver: BaseCheckpointSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = chain(("leaf", says("leaf")))
    ticks = SimpleNamespace(tick=itertools.count(1).__next__)

    def elsewhere(_: State) -> State:
        """Run where the clock is behind."""
        with monkeypatch.context() as patch:
            patch.setattr(ids, "_clock", ticks)
            return {"log": inner.invoke({})["log"]}

    graph = chain(("node", elsewhere), checkpointer=saver)
    graph.invoke({}, CONFIG)
    begun = next(each for each in graph.get_state_history(CONFIG) if each.next == ("node",))
    inside: Any = begun.tasks[0].state
    made = [checkpoint_id(each) for each in graph.get_state_history(inside)]
    assert len(made) == 3
    assert min(made) > checkpoint_id(begun)


def checkpoint_id(snapshot: StateSnapshot) -> str:
    return str(snapshot.config["configurable"]["checkpoint_id"])


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
