"""Graphs that are nodes, on workers: what they ask, where they stop, what is seen of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt
from tests.support.command import Shell
from tests.support.frames import State, adds, asks, config, deep, sequence
from tests.support.redis_server import RedisServer
from workers import CeleryBackend


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> Iterator[CeleryBackend]:
    """A backend with a worker inside this process, with one slot alone."""
    made = CeleryBackend(redis_server.url, namespace=namespace)
    with made.worker(pool="threads", concurrency=1):
        yield made


def nested(backend: CeleryBackend, levels: int, *bottom: tuple[str, Any], **options: Any) -> Any:
    """Return such a graph on ``backend``."""
    return deep(levels, *bottom, **options).on(backend, "top")


def beside() -> Any:
    """Return a graph with two graphs beside one another, which ask, and a step beside them."""
    both = StateGraph(State)
    for name in ("a", "b"):
        both.add_node(name, sequence(("ask", asks(name)), ("then", adds(f"then {name}"))))
        both.add_edge(START, name)
    return both.add_node("c", adds("c")).add_edge(START, "c").compile()


def test_questions_beside_one_another_are_answered_by_their_ids(backend: CeleryBackend) -> None:
    graph = sequence(("mid", beside())).on(backend, "top")
    where = config()
    asked = {q.value: q.id for q in graph.invoke({"xs": []}, where)["__interrupt__"]}
    assert sorted(asked) == ["a", "b"]
    left = graph.invoke(Command(resume={asked["b"]: "B"}), where)["__interrupt__"]
    assert [(q.value, q.id) for q in left] == [("a", asked["a"])]
    done = graph.invoke(Command(resume="A"), where)
    assert done == {"xs": ["A", "then a", "B", "then b", "c"]}


def test_all_questions_of_all_levels_at_once(backend: CeleryBackend) -> None:
    graph = sequence(("mid", beside())).on(backend, "top")
    where = config()
    asked = {q.value: q.id for q in graph.invoke({"xs": []}, where)["__interrupt__"]}
    done = graph.invoke(Command(resume={iid: what.upper() for what, iid in asked.items()}), where)
    assert done == {"xs": ["A", "then a", "B", "then b", "c"]}


def test_several_questions_of_one_node_inside(backend: CeleryBackend) -> None:
    def node(_: State) -> State:
        return {"xs": [interrupt("one"), interrupt("two")]}

    graph = nested(backend, 2, ("ask", node))
    where = config()
    graph.invoke({"xs": []}, where)
    assert graph.invoke(Command(resume=1), where)["__interrupt__"][0].value == "two"
    assert graph.invoke(Command(resume=2), where)["xs"][-2:] == [1, 2]


@pytest.mark.parametrize("stop", [{"interrupt_before": ["b"]}, {"interrupt_after": ["a"]}])
def test_each_stop_inside_takes_one_resume(backend: CeleryBackend, stop: dict[str, Any]) -> None:
    graph = nested(backend, 2, ("a", adds("a")), ("b", adds("b")), **stop)
    where = config()
    graph.invoke({"xs": []}, where)
    assert graph.get_state(where).next == ("in1",)
    assert graph.invoke(None, where)["xs"][-2:] == ["a", "b"]


def test_coroutines_inside_run_on_the_loop(backend: CeleryBackend) -> None:
    async def node(_: State) -> State:
        return {"xs": [f"async {interrupt('well?')}"]}

    graph = nested(backend, 2, ("ask", node), ("b", adds("b")))
    where = config()
    graph.invoke({"xs": []}, where)
    assert graph.invoke(Command(resume=1), where)["xs"][-2:] == ["async 1", "b"]


def test_frames_are_seen_while_they_wait(backend: CeleryBackend) -> None:
    graph = nested(backend, 2, ("a", adds("a")), ("ask", asks("well?")))
    where = config()
    graph.invoke({"xs": []}, where)
    state = graph.get_state(where, subgraphs=True)
    levels = []
    while state is not None:
        levels.append((state.next, [q.value for q in state.interrupts]))
        state = state.tasks[0].state
    asked = ["well?"]
    assert levels == [(("in1",), asked), (("in2",), asked), (("ask",), asked)]


def test_the_command_line_shows_what_is_open_inside(
    backend: CeleryBackend, redis_server: RedisServer
) -> None:
    graph = nested(backend, 2, ("a", adds("a")), ("ask", asks("well?")))
    where = config()
    graph.invoke({"xs": []}, where)
    shell = Shell(redis_server.url, backend.namespace)
    show = "show", where["configurable"]["thread_id"]
    inside = shell.here(*show, "--json").data["inside"]
    seen = [(each["namespace"].count("|"), each["node"], each["state"]) for each in inside]
    assert seen == [(0, "in2", "asking"), (1, "ask", "asking")]
    assert inside[1]["namespace"] == f"{inside[0]['namespace']}|in2:{inside[0]['task']}"
    assert [each["step"] for each in inside] == [1, 1]
    assert inside[1]["namespace"] in shell.here(*show).out
    graph.invoke(Command(resume="yes"), where)
    assert shell.here(*show, "--json").data["inside"] == []


def test_a_frame_that_waits_is_edited(backend: CeleryBackend) -> None:
    graph = nested(backend, 1, ("a", adds("a")), ("ask", asks("well?")), ("b", adds("b")))
    where = config()
    graph.invoke({"xs": []}, where)
    inner = graph.get_state(where, subgraphs=True).tasks[0].state
    assert inner is not None
    graph.update_state(inner.config, {"xs": ["edited"]})
    asked = graph.invoke(None, where)
    assert [q.value for q in asked["__interrupt__"]] == ["well?"]
    assert graph.invoke(Command(resume="yes"), where)["xs"][-4:] == ["a", "edited", "yes", "b"]
