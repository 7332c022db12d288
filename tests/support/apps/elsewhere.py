"""Graphs called with `distributed=True` in nodes and workflows, which their input directs."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import os
import signal
from typing import Any, TypedDict

from distgraph.errors import NodeError
from distgraph.func import entrypoint, task
from distgraph.graph import START, StateGraph
from distgraph.runtime import get_runtime
from distgraph.types import Command, RetryPolicy, interrupt
from tests.support.apps.programs import hold, note, noted
from tests.support.waiting import wait_until


class Trip(TypedDict, total=False):
    """`log` gets the name of all that runs; `width` calls. The others name calls by their numbers.

    `fails`: how often a call does, -1 = always. `gate` holds the call 0. Failures are `caught` but
    for what `raises`.
    """

    log: str
    width: int
    dies: list[int]
    asks: list[int]
    leaves: list[int]
    fails: dict[int, int]
    gate: str
    caught: bool
    raises: list[int]
    found: Any


class Leg(TypedDict, total=False):
    trip: Trip
    number: int
    done: Any


def setting_out(leg: Leg) -> Leg:
    note(leg["trip"].get("log", ""), f"out {leg['number']}")
    return {"done": [leg["number"]]}


def arriving(leg: Leg) -> Any:
    trip, number = leg["trip"], leg["number"]
    name, log = f"leg {number}", trip.get("log", "")
    note(log, name)
    times = noted(log).count(name) if log else 1
    if number in trip.get("dies", ()) and times == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    fails = {int(n): often for n, often in trip.get("fails", {}).items()}.get(number, 0)
    if fails < 0 or times <= fails:
        raise ValueError(name)
    if number == 0:
        hold(trip.get("gate", ""))
    if number in trip.get("leaves", ()):
        return Command(graph=Command.PARENT, update={"found": f"left {number}"})
    asks = number in trip.get("asks", ())
    return {"done": [*leg["done"], interrupt(name)] if asks else leg["done"]}


LEG = StateGraph(Leg).add_sequence([setting_out, arriving]).add_edge(START, "setting_out")
GRAPHS: dict[str, Any] = {}
"""Those of this process, for functions that others find by their names."""


def begun(trip: Trip, number: int) -> Leg:
    return {"trip": trip, "number": number}


def walk(leg: Any, trip: Trip) -> list[Any]:
    """Make the calls one after the other."""
    note(trip.get("log", ""), "body")
    found: list[Any] = []
    for number in range(trip["width"]):
        try:
            found.append(leg.invoke(begun(trip, number), distributed=True)["done"])
        except ValueError as error:
            if not trip.get("caught") or number in trip.get("raises", ()):
                raise
            found.append(str(error))
    return found


async def gather(leg: Any, trip: Trip) -> list[Any]:
    """Make them at once."""
    note(trip.get("log", ""), "body")

    async def one(number: int) -> Any:
        try:
            return (await leg.ainvoke(begun(trip, number), distributed=True))["done"]
        except ValueError as error:
            if not trip.get("caught"):
                raise
            return str(error)

    return await asyncio.gather(*(one(n) for n in range(trip["width"])))


def thread(leg: Any, trip: Trip) -> list[Any]:
    """Make them in threads."""
    note(trip.get("log", ""), "body")

    def one(number: int) -> Any:
        return leg.invoke(begun(trip, number), distributed=True)["done"]

    with concurrent.futures.ThreadPoolExecutor() as pool:
        made = [pool.submit(contextvars.copy_context().run, one, n) for n in range(trip["width"])]
        return [future.result() for future in made]


@task
def by_function(trip: Trip) -> Any:
    return walk(GRAPHS["leg"], trip)


class Elsewhere:
    """Compiles a graph that calls another one, which is compiled first."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def compile(self, *, name: str, **options: Any) -> Any:
        GRAPHS["leg"] = leg = LEG.compile(name=f"{name}-leg", **_placed(options))
        return self._make(leg).compile(name=name, **options)


def _placed(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name == "backend"}


class _Body:
    """Compiles a workflow."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def compile(self, **options: Any) -> Any:
        return entrypoint(**options)(self._body)


def in_node(make: Any) -> Any:
    def made(leg: Any) -> StateGraph[Any]:
        builder = StateGraph(Trip).add_node("travel", make(leg))
        return builder.add_edge(START, "travel")

    return made


def walking(leg: Any) -> Any:
    return lambda trip: {"found": walk(leg, trip)}


def threading(leg: Any) -> Any:
    return lambda trip: {"found": thread(leg, trip)}


def gathering(leg: Any) -> Any:
    async def travel(trip: Trip) -> Trip:
        return {"found": await gather(leg, trip)}

    return travel


def retried(leg: Any) -> StateGraph[Any]:
    policy = RetryPolicy(initial_interval=0.01, max_attempts=3, retry_on=ValueError)
    builder = StateGraph(Trip).add_node("travel", walking(leg), retry_policy=policy)
    return builder.add_edge(START, "travel")


def handled(leg: Any) -> StateGraph[Any]:
    def handler(trip: Trip, error: NodeError) -> Trip:
        note(trip.get("log", ""), "handler")
        return {"found": str(error.error)}

    builder = StateGraph(Trip).add_node("travel", walking(leg), error_handler=handler)
    return builder.add_edge(START, "travel")


def workflow(leg: Any) -> Any:
    def body(trip: Trip) -> Any:
        return {"found": walk(leg, trip)}

    return _Body(body)


def function(leg: Any) -> Any:
    del leg

    def body(trip: Trip) -> Any:
        return {"found": by_function(trip).result()}

    return _Body(body)


def left(leg: Any) -> StateGraph[Any]:
    """Leave a graph that is a node while another task of it waits for a call."""

    def leaves(trip: Trip) -> Any:
        note(trip["log"], "leaves")
        wait_until(lambda: "leg 0" in noted(trip["log"]), "a call to run")
        return Command(graph=Command.PARENT, update={"found": "left"})

    inside = StateGraph(Trip).add_node("travel", walking(leg)).add_node("leaves", leaves)
    inside.add_edge(START, "travel").add_edge(START, "leaves")
    return StateGraph(Trip).add_node("inside", inside.compile()).add_edge(START, "inside")


def stranger(leg: Any) -> Any:
    """Call a graph that is at no backend."""
    del leg
    return in_node(walking)(LEG.compile(name="stranger"))


def stops(leg: Any) -> StateGraph[Any]:
    """Call a graph with a breakpoint, a context and metadata."""

    def travel(trip: Trip) -> Trip:
        note(trip.get("log", ""), "body")
        options: Any = {"interrupt_before": ["arriving"], "distributed": True}
        config = {"metadata": {"who": "me"}, "recursion_limit": 7}
        return {"found": leg.invoke(begun(trip, 1), config, **options)["done"]}

    return StateGraph(Trip).add_node(travel).add_edge(START, "travel")


class Guide(TypedDict):
    name: str


def guided(leg: Any) -> StateGraph[Any]:
    """Call a graph with a context of its own, whose node calls another one."""

    def travel(trip: Trip) -> Trip:
        out = GRAPHS["guide"].invoke({"trip": trip}, context={"name": "inner"}, distributed=True)
        return {"found": [get_runtime().context, *out["done"]]}

    return StateGraph(Trip, context_schema=Guide).add_node(travel).add_edge(START, "travel")


def guide(leg: Any) -> StateGraph[Any]:
    def reports(state: Leg) -> Leg:
        deeper = leg.invoke(begun(state["trip"], 5), distributed=True)["done"]
        return {"done": [get_runtime().context, deeper]}

    builder = StateGraph(Leg, context_schema=Guide).add_node(reports, queue="guides")
    return builder.add_edge(START, "reports")


class Guided(Elsewhere):
    """Compiles a third graph in between."""

    def compile(self, *, name: str, **options: Any) -> Any:
        GRAPHS["guide"] = Elsewhere(guide).compile(name=f"{name}-guide", **options)
        return super().compile(name=name, **options)


ELSEWHERE = {
    f"trip-{name}": lambda make=make: Elsewhere(make)
    for name, make in {
        "walks": in_node(walking),
        "gathers": in_node(gathering),
        "threads": in_node(threading),
        "retried": retried,
        "handled": handled,
        "workflow": workflow,
        "function": function,
        "stranger": stranger,
        "stops": stops,
        "left": left,
    }.items()
} | {"trip-guided": lambda: Guided(guided)}
