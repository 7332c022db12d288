"""Graphs inside graphs whose tasks are jobs: which they are, where they are, what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypedDict

import pytest

from distgraph.checkpoint.records import pack_result, unpack_result
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.frame import Invocation
from distgraph.core.graph import Node
from distgraph.core.model import (
    Checkpoint,
    Completed,
    Errored,
    Failed,
    Finished,
    Interrupted,
    Limits,
    Paused,
    ThreadState,
)
from distgraph.core.plan import plan
from distgraph.core.recorded import errored
from distgraph.core.retry import asked_around, retry_delay
from distgraph.core.standing import Risen
from distgraph.engine import Brought, Execute, GoOn, Load, Start, run_nested
from distgraph.graph import START, StateGraph
from distgraph.runners.backend import Job, Place
from distgraph.types import RetryPolicy
from workers import CeleryBackend
from workers.shared.functions import graph_at, steps_to
from workers.shared.inner import inner_graphs, queues_named
from workers.shared.innercall import decode_call, encode_call
from workers.shared.runconfig import RunConfig


class State(TypedDict, total=False):
    """One number."""

    n: int


def graph(name: str, node: Any, checkpointer: Any = None, **options: Any) -> Any:
    made = StateGraph(State).add_node("node", node, **options).add_edge(START, "node")
    return made.compile(name=name, checkpointer=checkpointer)


def leaf(_: State) -> State:
    return {"n": 1}


def three_levels(checkpointer: Any = None) -> Any:
    bottom = graph("bottom", leaf, queue="slow", priority=7)
    return graph("top", graph("middle", bottom, checkpointer))


# --- which they are -------------------------------------------------------------------------------


def test_graphs_that_are_nodes_are_found_at_any_depth() -> None:
    assert [inner.name for inner in inner_graphs(three_levels().graph)] == ["middle", "bottom"]


def test_one_that_two_nodes_are_counts_once() -> None:
    inner = graph("inner", leaf)
    both = StateGraph(State).add_node("a", inner).add_node("b", inner).add_edge(START, "a")
    assert len(inner_graphs(both.compile().graph)) == 1


def test_one_that_is_kept_nowhere_runs_with_its_task_and_so_does_all_inside_of_it() -> None:
    assert inner_graphs(three_levels(checkpointer=False).graph) == ()


def test_one_that_a_function_calls_runs_with_its_task() -> None:
    inner = graph("inner", leaf)
    assert inner_graphs(graph("outer", lambda state: inner.invoke(state)).graph) == ()


# --- who serves them ------------------------------------------------------------------------------


@pytest.fixture
def backend() -> CeleryBackend:
    return CeleryBackend("redis://localhost:1", namespace="inner")


def test_a_worker_serves_the_graphs_inside_of_those_that_it_has(backend: CeleryBackend) -> None:
    three_levels().on(backend, "top")
    names = [label.partition("@")[0] for label in backend.registry.labels()]
    assert names == ["top", "middle", "bottom"]


def test_their_nodes_queues_are_consumed_too(backend: CeleryBackend) -> None:
    top = three_levels()
    top.on(backend, "top")
    assert queues_named(top.graph) == ("slow",)
    assert backend.registry.queues() == ("inner.top", "inner.slow")
    (served,) = backend.registry.all()
    assert list(served.urgent()) == [("node", "inner.slow")]


def test_one_is_found_by_the_names_of_nodes_and_its_fingerprint(backend: CeleryBackend) -> None:
    three_levels().on(backend, "top")
    (served,) = backend.registry.all()
    bottom = served.inner[-1]
    assert graph_at(served, ["node", "node"], bottom.fingerprint) is bottom
    with pytest.raises(LookupError, match="has another graph at node"):
        graph_at(served, ["node"], "another")


def test_one_that_is_called_is_found_by_its_name_at_the_backend(backend: CeleryBackend) -> None:
    graph("called", graph("inside", leaf)).on(backend, "called")
    graph("caller", leaf).on(backend, "caller")
    caller, called = backend.registry.get("caller"), backend.registry.get("called")
    assert caller is not None
    assert called is not None
    found = steps_to(caller, ["node", "called", "node"])
    assert [(step.graph.name, step.node.name) for step in found] == [
        ("caller", "node"),
        ("caller", "called"),
        ("called", "node"),
    ]
    assert graph_at(caller, ["node", "called"], called.graph.fingerprint) is called.graph


def test_a_way_that_is_not_there_is_a_clear_error(backend: CeleryBackend) -> None:
    three_levels().on(backend, "top")
    (served,) = backend.registry.all()
    with pytest.raises(LookupError, match=r"Graph 'top' has nothing at node\|other"):
        steps_to(served, ["node", "other"])


# --- what it was called with ----------------------------------------------------------------------


@pytest.mark.parametrize("own", ["context", "another"])
def test_what_one_was_called_with_is_stored_and_a_context_of_its_own(own: str) -> None:
    inner = graph("inner", leaf).graph
    config = {"configurable": {"thread_id": "t", "own": 1}, "metadata": {"who": "me"}}
    start = Start({}, 7, before=frozenset({"node"}), metadata={"who": "me"}, parents={"": "cp1"})
    job = Job(inner, _nothing(), Place("t"), Invocation(config, own), start)
    serializer = JsonPlusSerializer()
    run = RunConfig({}, "context", "run", 25, frozenset(), frozenset(), {})
    stored = encode_call(job, serializer, run)
    assert (b"another" in stored) == (own == "another")
    call = decode_call(stored, run, serializer)
    assert call.run.has_own_context == (own == "another")
    assert call.parents == {"": "cp1"}
    assert call.run.config == {"configurable": {"own": 1}, "metadata": {"who": "me"}}
    assert (call.run.context, call.run.run_id) == (own, "run")
    limits = Limits(7, 3, frozenset({"node"}), frozenset(), {"who": "me"})
    assert call.run.limits(3) == limits


def _nothing() -> Any:
    yield Load()


# --- who decides about a failure ------------------------------------------------------------------


class Odd(ValueError):
    """A class that only the process knows in which it was raised."""


def node(*retry: RetryPolicy) -> Node:
    made = graph("g", leaf, retry_policy=list(retry)) if retry else graph("g", leaf)
    found: Node = made.graph.nodes["node"]
    return found


ODD = RetryPolicy(retry_on=Odd, max_attempts=3, initial_interval=1.0, jitter=False)
NEVER = RetryPolicy(retry_on=KeyError)


def test_the_policies_around_are_asked_where_the_exception_is_alive() -> None:
    failed = asked_around([node(), node(NEVER, ODD)], errored(Odd("x")))
    assert failed.around == (-1, 1)
    stored = unpack_result(pack_result(failed))
    assert isinstance(stored, Errored)
    assert stored.around == (-1, 1)
    made_again = replace(stored, exception=ValueError("x"))
    assert retry_delay(node(), made_again, 1, 0.0, depth=0) is None
    assert retry_delay(node(NEVER, ODD), made_again, 1, 0.0, depth=1) == 1.0
    assert retry_delay(node(NEVER, ODD), made_again, 3, 0.0, depth=1) is None


def test_a_node_inside_is_asked_about_its_own_failure_itself() -> None:
    raised = errored(Odd("x"))
    assert retry_delay(node(ODD), raised, 1, 0.0, depth=2) == 1.0


# --- how a frame is taken that others have run ----------------------------------------------------


def taken(*left: Any, **risen: Any) -> Any:
    """Return what becomes of a frame with one task, at step 3, that has risen."""
    inner = graph("inner", leaf).graph
    checkpoint = Checkpoint("cp", None, 3, "loop", "", frontier=("node",), parents={"": "root"})
    (task,) = plan(checkpoint, "node:t")
    state = ThreadState(checkpoint, dict(zip([task.id], left, strict=False)))
    stands = Risen(**{"stop": 9, "released": "", "whole": lambda error: error, **risen})
    start = Start({}, 25, parents={"": "root"})
    program = run_nested(inner, start, "node:t", Brought(risen=stands))
    assert next(program) == Load()
    try:
        return program.send(state)
    except StopIteration as stop:
        return stop.value


def test_a_failure_is_raised_and_not_run_again() -> None:
    error = Errored("K", "m")
    outcome = taken(error)
    assert isinstance(outcome, Failed)
    assert outcome.error == error


def test_a_question_is_asked_on() -> None:
    assert taken(Interrupted(())) == Paused()


def test_why_nothing_follows_is_its_failure() -> None:
    error = Errored("K", "no reducer")
    assert taken(Completed(), failure=error) == Failed(error)


def test_the_step_limit_is_that_of_who_ran_it() -> None:
    outcome = taken(stop=3)
    assert isinstance(outcome, Failed)
    assert "GraphRecursionError" in outcome.error.kind


def test_what_can_go_on_does() -> None:
    assert isinstance(taken(), GoOn)


def test_a_breakpoint_that_nobody_released_is_one() -> None:
    inner = graph("inner", leaf).graph
    checkpoint = Checkpoint("cp", None, 3, "loop", "", frontier=("node",), parents={"": "root"})
    start = Start({}, 25, before=frozenset({"node"}), parents={"": "root"})
    risen = Risen(9, "", lambda error: error)
    program = run_nested(inner, start, "node:t", Brought(risen=risen))
    next(program)
    with pytest.raises(StopIteration) as stopped:
        program.send(ThreadState(checkpoint))
    assert stopped.value.value == Paused()


def test_one_that_is_done_is_finished() -> None:
    inner = graph("inner", leaf).graph
    checkpoint = Checkpoint("cp", None, 3, "loop", "", parents={"": "root"})
    program = run_nested(
        inner, Start({}, 25, parents={"": "root"}), "n:t", Brought(risen=Risen(9, "", lambda e: e))
    )
    next(program)
    with pytest.raises(StopIteration) as stopped:
        program.send(ThreadState(checkpoint))
    assert stopped.value.value == Finished()


def test_who_runs_the_tasks_elsewhere_is_told_the_last_step() -> None:
    inner = graph("inner", leaf).graph
    checkpoint = Checkpoint("cp", None, 3, "loop", "", frontier=("node",), parents={"": "root"})
    program = run_nested(inner, Start({}, 25, parents={"": "root"}), "node:t")
    next(program)
    assert isinstance(program.send(ThreadState(checkpoint)), GoOn)
    request = program.send(None)
    assert isinstance(request, Execute)
    assert request.stop == 3 + 1 + 25 + 1
