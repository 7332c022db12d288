"""The graphs of the smoke program, and the application whose workers serve them.

A node notes each of its executions, with the id of its process, in a file of the folder that the
input names; what has to last until something was harmed waits there for a file.
"""

from __future__ import annotations

import asyncio
import operator
import os
from pathlib import Path
from typing import Annotated, Any, TypedDict

from distgraph.graph import START, StateGraph
from distgraph.types import RetryPolicy, Runtime, Send, interrupt
from tests.substrates import EMBEDDED
from tests.support.waiting import wait_until, wait_until_async
from workers import CeleryBackend

LOG, GATE = "executions.log", "gate"
ATTEMPTS = 3


def note(folder: str, name: str) -> None:
    """Note one execution, in one write."""
    with Path(folder, LOG).open("a", buffering=1) as file:
        file.write(f"{name} {os.getpid()}\n")


class Tour(TypedDict, total=False):
    """`folder` holds the notes, `width` blocking tasks and as many coroutines are sent out."""

    folder: str
    width: int
    items: Annotated[list[str], operator.add]
    answer: str
    tried: int


class Item(TypedDict):
    """One packet of a fan-out."""

    folder: str
    name: str


def items(state: Tour) -> list[Send]:
    """Send coroutines first: blocking ones that are held leave no room."""
    numbers = range(state["width"])
    sent = [(f"{node}-{n}", node) for node in ("coroutine", "blocking") for n in numbers]
    return [Send(node, Item(folder=state["folder"], name=name)) for name, node in sent]


def plan(state: Tour) -> Tour:
    note(state["folder"], "plan")
    return Tour()


def blocking(item: Item) -> Tour:
    note(item["folder"], item["name"])
    return Tour(items=[item["name"]])


async def coroutine(item: Item, runtime: Runtime[None]) -> Tour:
    note(item["folder"], item["name"])
    await asyncio.sleep(0)
    runtime.stream_writer(item["name"])
    return Tour(items=[item["name"]])


def stubborn(state: Tour, runtime: Runtime[None]) -> Tour:
    """Fail in all attempts but the last one."""
    note(state["folder"], "stubborn")
    if runtime.attempt < ATTEMPTS:
        raise ConnectionError("not yet")
    return Tour(tried=runtime.attempt)


def ask(state: Tour) -> Tour:
    note(state["folder"], "ask")
    return Tour(answer=interrupt({"publish": len(state["items"])}))


def settle(state: Tour) -> Tour:
    note(state["folder"], "settle")
    return Tour()


def tour() -> StateGraph[Any]:
    policy = RetryPolicy(initial_interval=0.05, jitter=False, max_attempts=ATTEMPTS)
    builder = StateGraph(Tour).add_node(plan).add_node(blocking).add_node(coroutine)
    builder.add_node(stubborn, retry_policy=policy).add_node(ask).add_node(settle)
    builder.add_edge(START, "plan").add_conditional_edges("plan", items, ["blocking", "coroutine"])
    builder.add_edge(["blocking", "coroutine"], "stubborn")
    return builder.add_edge("stubborn", "ask").add_edge("ask", "settle")


def held_blocking(item: Item) -> Tour:
    note(item["folder"], item["name"])
    wait_until(Path(item["folder"], GATE).exists, "the gate to open")
    return Tour(items=[item["name"]])


async def held_coroutine(item: Item) -> Tour:
    note(item["folder"], item["name"])
    await wait_until_async(Path(item["folder"], GATE).exists, "the gate to open")
    return Tour(items=[item["name"]])


def held() -> StateGraph[Any]:
    builder = StateGraph(Tour).add_node("blocking", held_blocking)
    builder.add_node("coroutine", held_coroutine).add_node(settle)
    builder.add_conditional_edges(START, items, ["blocking", "coroutine"])
    return builder.add_edge(["blocking", "coroutine"], "settle")


async def endless(state: Tour) -> Tour:
    """End only when it is cancelled, and note that."""
    note(state["folder"], "endless")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        note(state["folder"], "cancelled")
        raise
    return Tour()


def lasting() -> StateGraph[Any]:
    return StateGraph(Tour).add_node(endless).add_edge(START, "endless")


def failing() -> StateGraph[Any]:
    def fail(_: Tour) -> Tour:
        raise ValueError("on purpose")

    return StateGraph(Tour).add_node(fail).add_edge(START, "fail")


GRAPHS = {"tour": tour, "held": held, "lasting": lasting, "failing": failing}


def made() -> CeleryBackend:
    """Return the backend that the environment tells of; with a folder, the embedded Redis there."""
    if folder := os.environ.get(EMBEDDED):
        return CeleryBackend.embedded(folder)
    return CeleryBackend()


backend = made()
app = backend.app
graphs = {name: make().compile(name=name, backend=backend) for name, make in GRAPHS.items()}
