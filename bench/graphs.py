"""The graphs that are timed: the same source on distgraph and on LangGraph."""

from __future__ import annotations

import importlib
import itertools
import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from bench.serve import Timed, timed

_thread = itertools.count()


class Count(TypedDict):
    n: int
    until: int


class Items(TypedDict):
    width: int
    squares: Annotated[list[int], operator.add]
    total: int


class Three(TypedDict):
    first: int
    squares: Annotated[list[int], operator.add]


class Squares(TypedDict):
    squares: Annotated[list[int], operator.add]


class Approval(TypedDict):
    answer: str


def loop(library: str) -> Any:
    """Return a builder: one node that runs until ``n`` is ``until``."""
    graph = importlib.import_module(f"{library}.graph")

    def count(state: Count) -> dict[str, int]:
        return {"n": state["n"] + 1}

    def more(state: Count) -> Any:
        return "count" if state["n"] < state["until"] else graph.END

    builder = graph.StateGraph(Count).add_node("count", count)
    return builder.add_edge(graph.START, "count").add_conditional_edges("count", more)


def fanout(library: str, *, routed: bool = False) -> Any:
    """Return a builder: ``width`` Sends, reduced into a list, and a sum of it.

    ``routed``: what follows is chosen by a path function, which reads the state.
    """
    graph = importlib.import_module(f"{library}.graph")
    send = importlib.import_module(f"{library}.types").Send

    def split(state: Items) -> list[Any]:
        return [send("square", n) for n in range(state["width"])]

    def square(n: Any) -> dict[str, list[int]]:
        return {"squares": [n * n]}

    def follow(state: Items) -> str:  # noqa: ARG001 a path function takes the state
        return "add"

    def add(state: Items) -> dict[str, int]:
        return {"total": sum(state["squares"])}

    builder = graph.StateGraph(Items).add_node("square", square).add_node("add", add)
    builder.add_conditional_edges(graph.START, split, ["square"])
    if routed:
        return builder.add_conditional_edges("square", follow, ["add"])
    return builder.add_edge("square", "add")


def graphs(library: str) -> Any:
    """Return a builder: ``width`` squares again, by a third as many graphs of three steps."""
    graph = importlib.import_module(f"{library}.graph")
    send = importlib.import_module(f"{library}.types").Send

    def split(state: Items) -> list[Any]:
        return [send("three", {"first": n, "squares": []}) for n in range(0, state["width"], 3)]

    def square(state: Three) -> dict[str, list[int]]:
        n = state["first"] + len(state["squares"])
        return {"squares": [n * n]}

    def add(state: Items) -> dict[str, int]:
        return {"total": sum(state["squares"])}

    steps = [(name, square) for name in ("one", "two", "three")]
    inner = graph.StateGraph(Three, output_schema=Squares).add_sequence(steps)
    builder = graph.StateGraph(Items).add_node("add", add)
    builder.add_node("three", inner.add_edge(graph.START, "one").compile())
    builder.add_conditional_edges(graph.START, split, ["three"])
    return builder.add_edge("three", "add")


def approval(library: str) -> Any:
    """Return a builder: one node that asks one question."""
    graph = importlib.import_module(f"{library}.graph")
    interrupt = importlib.import_module(f"{library}.types").interrupt

    def ask(state: Approval) -> dict[str, str]:  # noqa: ARG001 a node takes the state
        return {"answer": interrupt("go on?")}

    return graph.StateGraph(Approval).add_node("ask", ask).add_edge(graph.START, "ask")


def run_loop(graph: Any) -> Callable[[int], Timed]:
    """Return the workload that runs ``size`` supersteps; the result is the last ``n``."""

    def workload(size: int) -> Timed:
        config = _config(size)
        seconds, state = timed(lambda: graph.invoke({"n": 0, "until": size}, config))
        return seconds, state["n"]

    return workload


def run_fanout(graph: Any) -> Callable[[int], Timed]:
    """Return the workload that squares ``size`` numbers; the result is their sum."""

    def workload(size: int) -> Timed:
        config = _config(size)
        seconds, state = timed(lambda: graph.invoke({"width": size, "squares": []}, config))
        return seconds, state["total"] if len(state["squares"]) == size else len(state["squares"])

    return workload


def run_approvals(graph: Any, command: Any) -> Callable[[int], Timed]:
    """Return the workload that pauses and resumes ``size`` threads; the result: the right ones."""

    def cycle() -> bool:
        config = _config(1)
        paused = graph.invoke({"answer": ""}, config)
        done = graph.invoke(command(resume="yes"), config)
        return "__interrupt__" in paused and done == {"answer": "yes"}

    return lambda size: timed(lambda: sum(cycle() for _ in range(size)))


def _config(size: int) -> dict[str, Any]:
    return {
        "configurable": {"thread_id": f"bench-{next(_thread)}"},
        "recursion_limit": size + 10,
    }
