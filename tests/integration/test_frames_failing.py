"""Graphs that are nodes, on workers: what fails in them, and what leaves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.errors import GraphRecursionError, InvalidUpdateError
from distgraph.graph import START, StateGraph
from distgraph.types import Command, RetryPolicy
from tests.support.frames import State, adds, config, deep, sequence
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


class Odd(Exception):
    """A failure that a policy may name."""


def refuse(_: Any, __: Any) -> Any:
    raise Odd("reduce")


class Picky(TypedDict, total=False):
    """Takes nothing."""

    ys: Annotated[list[Any], refuse]


def failing(times: int, seen: list[int]) -> Any:
    """Return a node that fails so many times."""

    def node(_: State) -> State:
        seen.append(len(seen))
        if len(seen) <= times:
            raise Odd(len(seen))
        return {"xs": ["done"]}

    return node


QUICK = RetryPolicy(retry_on=Odd, max_attempts=3, initial_interval=0.01, jitter=False)
NEVER = RetryPolicy(retry_on=KeyError, max_attempts=9, initial_interval=0.01)


def test_a_failure_at_the_bottom_is_what_the_run_raises(backend: CeleryBackend) -> None:
    seen: list[int] = []
    graph = nested(backend, 2, ("a", adds("a")), ("bad", failing(1, seen)))
    where = config()
    with pytest.raises(Odd) as raised:
        graph.invoke({"xs": []}, where)
    assert raised.value.args == (1,)
    assert len([n for n in raised.value.__notes__ if n.startswith("During task")]) == 3
    assert graph.invoke(None, where)["xs"][-2:] == ["a", "done"]
    assert len(seen) == 2


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log says has failed for good, each without whose run it was."""
    texts = (each.getMessage() for each in caplog.records if each.levelname == "ERROR")
    return [text.partition(" of graph")[0] for text in texts]


def test_a_failure_at_the_bottom_is_told_once(
    backend: CeleryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    graph = nested(backend, 2, ("a", failing(9, [])))
    with pytest.raises(Odd):
        graph.invoke({"xs": []}, config())
    assert told(caplog) == ["Attempt 1 at node 'a'"]


def test_a_superstep_inside_that_fails_is_told_once(
    backend: CeleryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    inner = StateGraph(Picky).add_node("a", lambda _: {"ys": [1]}).add_edge(START, "a").compile()
    graph = sequence(("mid", sequence(("low", inner)))).on(backend, "top")
    with pytest.raises(Odd):
        graph.invoke({"xs": []}, config())
    assert told(caplog) == ["A superstep"]


def test_that_a_graph_inside_came_to_its_step_limit_is_told_once(
    backend: CeleryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    graph = nested(backend, 2, *((f"a{n}", adds("a")) for n in range(6)))
    with pytest.raises(GraphRecursionError):
        graph.invoke({"xs": []}, {**config(), "recursion_limit": 4})
    assert told(caplog) == ["Attempt 2 at node 'in2'"]


def test_a_node_inside_is_tried_again_by_its_own_policy(backend: CeleryBackend) -> None:
    seen: list[int] = []
    inner = StateGraph(State).add_node("bad", failing(2, seen), retry_policy=QUICK)
    graph = sequence(("in", inner.add_edge(START, "bad").compile())).on(backend, "top")
    assert graph.invoke({"xs": []}, config()) == {"xs": ["done"]}
    assert len(seen) == 3


def test_the_node_around_is_tried_again_by_its_policy_and_runs_what_failed(
    backend: CeleryBackend,
) -> None:
    seen: list[int] = []
    ran: list[str] = []

    def first(_: State) -> State:
        ran.append("first")
        return {"xs": ["first"]}

    inner = sequence(("first", first), ("bad", failing(2, seen)))
    middle = StateGraph(State).add_node("in", inner, retry_policy=[NEVER, QUICK])
    graph = sequence(("mid", middle.add_edge(START, "in").compile())).on(backend, "top")
    assert graph.invoke({"xs": []}, config()) == {"xs": ["first", "done"]}
    assert (len(seen), ran) == (3, ["first"])


def test_policies_of_two_levels_multiply(backend: CeleryBackend) -> None:
    seen: list[int] = []
    inner = StateGraph(State).add_node("bad", failing(99, seen), retry_policy=QUICK)
    outer = StateGraph(State).add_node(
        "in", inner.add_edge(START, "bad").compile(), retry_policy=QUICK
    )
    graph = outer.add_edge(START, "in").compile().on(backend, "top")
    with pytest.raises(Odd):
        graph.invoke({"xs": []}, config())
    assert len(seen) == 9


def test_a_class_that_cannot_be_made_again_is_known_to_the_policy_around(
    backend: CeleryBackend,
) -> None:
    seen: list[int] = []

    class Local(Exception):
        """Nobody finds it by its name."""

    def node(_: State) -> State:
        seen.append(1)
        if len(seen) == 1:
            raise Local
        return {"xs": ["done"]}

    policy = RetryPolicy(retry_on=Local, initial_interval=0.01, jitter=False)
    outer = StateGraph(State).add_node("in", sequence(("bad", node)), retry_policy=policy)
    graph = outer.add_edge(START, "in").compile().on(backend, "top")
    assert graph.invoke({"xs": []}, config()) == {"xs": ["done"]}


def test_the_step_limit_inside_is_that_of_a_graph_inside(backend: CeleryBackend) -> None:
    inner = StateGraph(State).add_node("loop", adds("x")).add_edge(START, "loop")
    inner.add_edge("loop", "loop")
    graph = sequence(("in", inner.compile())).on(backend, "top")
    with pytest.raises(GraphRecursionError, match="Recursion limit of 4 reached"):
        graph.invoke({"xs": []}, {**config(), "recursion_limit": 4})


def test_a_reducer_inside_that_refuses_fails_the_task_around(backend: CeleryBackend) -> None:
    inner = StateGraph(Picky).add_node("a", lambda _: {"ys": [1]}).add_edge(START, "a").compile()
    graph = sequence(("in", inner)).on(backend, "top")
    with pytest.raises(Odd, match="reduce"):
        graph.invoke({"xs": []}, config())


def test_what_failed_inside_is_seen(backend: CeleryBackend) -> None:
    graph = nested(backend, 1, ("a", adds("a")), ("bad", failing(1, [])))
    where = config()
    with pytest.raises(Odd):
        graph.invoke({"xs": []}, where)
    inner = graph.get_state(where, subgraphs=True).tasks[0].state
    assert inner is not None
    assert inner.next == ("bad",)
    assert "Odd" in str(inner.tasks[0].error)


# --- leaving --------------------------------------------------------------------------------------


def test_a_command_for_the_parent_leaves_the_graph(backend: CeleryBackend) -> None:
    def leave(_: State) -> Command[Any]:
        return Command(graph=Command.PARENT, update={"xs": ["left"]}, goto="after")

    inner = sequence(("leave", leave), ("never", adds("never")))
    middle = StateGraph(State).add_node("in", inner).add_node("after", adds("after"))
    graph = sequence(("mid", middle.add_edge(START, "in").compile())).on(backend, "top")
    assert graph.invoke({"xs": []}, config()) == {"xs": ["left", "after"]}


def test_a_command_through_two_levels(backend: CeleryBackend) -> None:
    def leave(_: State) -> Command[Any]:
        return Command(graph=Command.PARENT, update={"xs": ["left"]}, goto="up")

    def up(_: State) -> Command[Any]:
        return Command(graph=Command.PARENT, update={"xs": ["up"]}, goto="after")

    inner = sequence(("leave", leave))
    middle = StateGraph(State).add_node("in", inner).add_node("up", up)
    outer = StateGraph(State).add_node("mid", middle.add_edge(START, "in").compile())
    graph = outer.add_node("after", adds("after")).add_edge(START, "mid").compile()
    assert graph.on(backend, "top").invoke({"xs": []}, config()) == {"xs": ["up", "after"]}


def test_an_unknown_goto_of_a_command_for_the_parent_is_a_clear_error(
    backend: CeleryBackend,
) -> None:
    def leave(_: State) -> Command[Any]:
        return Command(graph=Command.PARENT, goto="nowhere")

    graph = sequence(("in", sequence(("leave", leave)))).on(backend, "top")
    with pytest.raises(InvalidUpdateError, match="nowhere"):
        graph.invoke({"xs": []}, config())


def test_a_command_that_the_parent_could_not_take_is_given_again_by_a_run_that_goes_on(
    backend: CeleryBackend,
) -> None:
    goes: list[str] = ["nowhere", "after"]

    def leave(_: State) -> Command[Any]:
        return Command(graph=Command.PARENT, goto=goes.pop(0))

    outer = StateGraph(State).add_node("in", sequence(("leave", leave), ("never", adds("never"))))
    graph = outer.add_node("after", adds("after")).add_edge(START, "in").compile()
    there, where = graph.on(backend, "top"), config()
    with pytest.raises(InvalidUpdateError, match="nowhere"):
        there.invoke({"xs": []}, where)
    assert there.invoke(None, where) == {"xs": ["after"]}
