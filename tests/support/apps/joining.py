"""An application whose tasks wait for graphs, on their own worker's queue and on another one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, TypedDict

from celery import Celery
from celery.result import allow_join_result

from distgraph.errors import RunTimeout
from distgraph.graph import START, StateGraph
from workers import CeleryBackend

URL, NAMESPACE = os.environ["DISTGRAPH_REDIS"], os.environ["DISTGRAPH_NAMESPACE"]
app = Celery("joining", broker=URL, backend=URL, set_as_current=False)
app.conf.update(task_default_queue=NAMESPACE, broker_connection_retry_on_startup=True)
backend = CeleryBackend(app=app)


class State(TypedDict, total=False):
    x: int


def built() -> StateGraph[Any]:
    return StateGraph(State).add_node("one", lambda _: {"x": 1}).add_edge(START, "one")


here = built().compile(name="here", backend=backend)
elsewhere = built().compile(name="elsewhere", backend=CeleryBackend(namespace=f"{NAMESPACE}-b"))


async def _drained(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]


def _run(thread: str) -> Any:
    return here.submit({}, {"configurable": {"thread_id": thread}})


WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda on: here.invoke({}, on),
    "ainvoke": lambda on: asyncio.run(here.ainvoke({}, on)),
    "stream": lambda on: list(here.stream({}, on)),
    "astream": lambda on: asyncio.run(_drained(here.astream({}, on))),
}
HANDLES: dict[str, Callable[[Any], Any]] = {
    "result": lambda run: run.result(),
    "aresult": lambda run: asyncio.run(run.aresult()),
    "run.stream": lambda run: list(run.stream()),
    "run.astream": lambda run: asyncio.run(_drained(run.astream())),
}


@app.task
def refused() -> dict[str, str]:
    """Return what each way of waiting raises, by its name; the thread is called like it."""
    said = {}
    for name, way in WAYS.items():
        try:
            way({"configurable": {"thread_id": name}})
        except RuntimeError as error:
            said[name] = str(error)
    run = _run("submitted")
    for name, wait in HANDLES.items():
        try:
            wait(run)
        except RuntimeError as error:
            said[name] = str(error)
    return said


@app.task
def allowed() -> Any:
    """Wait all the same."""
    with allow_join_result():
        return here.invoke({}, {"configurable": {"thread_id": "allowed"}})


@app.task
def apart() -> str:
    """Wait for a graph of other workers, of which there are none."""
    return _waited(elsewhere.submit({}, {"configurable": {"thread_id": "apart"}}))


@app.task
def waits() -> str:
    """Wait for a graph of this worker's queue."""
    return _waited(_run("waits"))


def _waited(run: Any) -> str:
    try:
        return str(run.result(timeout=0.01))
    except RunTimeout:
        return "waited"
