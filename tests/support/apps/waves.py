"""Workflows whose calls are jobs of their own, told by their input what becomes of them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import signal
import threading
from typing import Any, TypedDict

from distgraph.config import get_stream_writer
from distgraph.func import entrypoint, task
from distgraph.graph import START, StateGraph
from distgraph.types import Command, RetryPolicy, interrupt
from tests.support.apps.programs import hold, note, noted
from tests.support.apps.workflows import Workflow


class Wave(TypedDict, total=False):
    """`log` gets the name of all that runs; `width` calls at once, `length` one after the other.

    `dies`, `fails` and `asks` say what becomes of calls, by their numbers: of those that fail, how
    often, -1 = always. `gate` holds the call 0.
    """

    log: str
    width: int
    length: int
    dies: list[int]
    asks: list[int]
    fails: dict[int, int]
    gate: str
    caught: bool


def _numbered(wave: Wave, number: int) -> Any:
    name = f"call {number}"
    note(wave.get("log", ""), name)
    times = noted(wave["log"]).count(name) if wave.get("log") else 1
    if number in wave.get("dies", ()) and times == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    fails = {int(n): often for n, often in wave.get("fails", {}).items()}.get(number, 0)
    if fails < 0 or times <= fails:
        raise ValueError(name)
    if number == 0:
        hold(wave.get("gate", ""))
    if number in wave.get("asks", ()):
        return interrupt(f"asks {number}")
    return number


@task
def call(wave: Wave, number: int) -> Any:
    return _numbered(wave, number)


@task
async def acall(wave: Wave, number: int) -> Any:
    return await asyncio.to_thread(_numbered, wave, number)


@task(retry_policy=RetryPolicy(initial_interval=0.01, max_attempts=3, retry_on=ValueError))
def tried(wave: Wave, number: int) -> Any:
    return _numbered(wave, number)


@task
def sums(wave: Wave, first: int) -> int:
    note(wave.get("log", ""), f"sums {first}")
    return sum(future.result() for future in [call(wave, first + n) for n in range(2)])


@task
def saved(previous: Any = None) -> Any:
    return previous


@task
def given(value: Any) -> str:
    return type(value).__name__


@task
def streams(number: int) -> int:
    get_stream_writer()(f"chunk {number}")
    return number


@task
def unanswered(wave: Wave) -> Any:
    note(wave.get("log", ""), "unanswered")
    return interrupt("well?", deadline=0.0, default="nobody")


def expires(wave: Wave) -> Any:
    return unanswered(wave).result()


class Around(TypedDict, total=False):
    wave: Wave
    done: Any


def departing(_: Around) -> Any:
    return Command(graph=Command.PARENT, update={"done": "left"})


DEPARTING = StateGraph(Around).add_node(departing).add_edge(START, "departing").compile()


@task
def departs(wave: Wave) -> Any:
    return DEPARTING.invoke({"wave": wave})


def leaves(wave: Wave) -> Any:
    first, second = call(wave, 0), departs(wave)
    return [second.result(), first.result()]


def gather(wave: Wave) -> list[Any]:
    note(wave.get("log", ""), "body")
    futures = [call(wave, n) for n in range(wave["width"])]
    found = []
    for future in futures:
        try:
            found.append(future.result())
        except ValueError as error:
            if not wave.get("caught"):
                raise
            found.append(str(error))
    return found


async def agather(wave: Wave) -> list[Any]:
    note(wave.get("log", ""), "body")

    async def one(number: int) -> Any:
        try:
            return await acall(wave, number)
        except ValueError as error:
            if not wave.get("caught"):
                raise
            return str(error)

    return await asyncio.gather(*(one(n) for n in range(wave["width"])))


def chained(wave: Wave) -> int:
    note(wave.get("log", ""), "body")
    total = 0
    for number in range(wave["length"]):
        total += call(wave, number).result()
    return total


def retried(wave: Wave) -> Any:
    note(wave.get("log", ""), "body")
    return [future.result() for future in [tried(wave, n) for n in range(wave["width"])]]


def deeper(wave: Wave) -> Any:
    note(wave.get("log", ""), "body")
    return [future.result() for future in [sums(wave, 10 * n) for n in range(wave["width"])]]


def closures(wave: Wave) -> Any:
    note(wave.get("log", ""), "body")

    @task
    def here(number: int) -> int:
        note(wave.get("log", ""), f"here {number}")
        return number

    both = [future.result() for future in [here(1), call(wave, 2), here(3)]]
    return [*both, call(wave, 4).result(), given(threading.Lock()).result()]


async def aclosures(wave: Wave) -> Any:
    note(wave.get("log", ""), "body")
    first = acall(wave, 2)

    @task
    async def here(number: int) -> int:
        await asyncio.to_thread(note, wave.get("log", ""), f"here {number}")
        return number

    @task
    async def waiting() -> Any:
        return await first

    return await asyncio.gather(here(1), acall(wave, 3), waiting(), here(4))


def unheard(wave: Wave) -> str:
    note(wave.get("log", ""), "body")
    call(wave, 1)
    return "over"


def remembers(wave: Wave, *, previous: Any = None) -> Any:
    before = saved().result()
    return entrypoint.final(value=before, save=(previous or 0) + 1)


def waits(wave: Wave) -> Any:
    note(wave.get("log", ""), "body")
    futures = [call(wave, n) for n in range(wave["width"])]
    concurrent.futures.wait(futures)
    return [future.result() for future in concurrent.futures.as_completed(futures)]


def tells(wave: Wave) -> Any:
    write = get_stream_writer()
    for n in range(wave["width"]):
        write(f"before {n}")
        call(wave, n).result()
    write("after")
    return "told"


def shows(wave: Wave) -> Any:
    return [future.result() for future in [streams(n) for n in range(wave["width"])]]


inner = entrypoint()(gather)


def within() -> StateGraph[Any]:
    builder = StateGraph(Around)
    builder.add_node("node", lambda state: {"done": inner.invoke(state["wave"])})
    return builder.add_edge(START, "node")


def departure() -> StateGraph[Any]:
    """Leave a workflow that is a node, out of a graph that a function of it calls."""
    builder = StateGraph(Around, input_schema=Around)
    builder.add_node("node", entrypoint()(leaves))
    return builder.add_edge(START, "node")


def _of(function: Any) -> Any:
    return lambda: Workflow(function)


WAVES = {
    each.__name__: _of(each)
    for each in (
        gather,
        agather,
        chained,
        retried,
        deeper,
        aclosures,
        unheard,
        closures,
        remembers,
        waits,
        shows,
        tells,
        expires,
    )
} | {"within": within, "departure": departure}
