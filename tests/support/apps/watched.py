"""An application of a user's, with everything by which Celery's users see failures.

What is seen is noted in the file `WATCHED`, a JSON document a line. Its own tasks are repeated when
they fail, and acknowledged late: ours must not be.
"""

from __future__ import annotations

import asyncio
import json
import logging
import operator
import os
import threading
from pathlib import Path
from typing import Annotated, Any, Never, TypedDict

from celery import Celery, Task
from celery.signals import after_setup_logger, task_failure

from distgraph.graph import START, StateGraph
from distgraph.types import RetryPolicy, Send
from tests.support.apps.programs import Builder, note
from workers import CeleryBackend

BIG = 5_000_000


class Failing(TypedDict, total=False):
    """`how` to fail, `log` counts attempts, `width` tasks at once."""

    how: str
    log: str
    width: int
    out: Annotated[int, operator.add]


class UnpicklableError(Exception):
    """Holds what no process can be sent."""

    def __init__(self, text: str) -> None:
        super().__init__(text, threading.Lock())


def fail(how: str) -> Never:
    """Raise what `how` says, with 4711 in its text."""
    match how:
        case "big":
            raise ValueError("4711 " + "x" * BIG)
        case "unpicklable":
            raise UnpicklableError("4711")
        case "half":
            raise ValueError("4711 \ud83d")
        case "memory":
            raise MemoryError("4711")
        case "exit":
            raise SystemExit("4711")
        case _:
            raise ValueError("4711")


def blocking(state: Failing) -> Failing:
    note(state.get("log", ""), state["how"])
    return fail(state["how"]) if state["how"] != "fine" else Failing(out=1)


async def coroutine(state: Failing) -> Failing:
    await asyncio.sleep(0)
    return blocking(state)


def one(node: Any, **options: Any) -> Builder:
    builder = StateGraph(Failing).add_node("step", node, **options)
    return builder.add_edge(START, "step")


def reduced() -> Builder:
    """A graph whose node gives its reducer what that cannot take."""
    return one(lambda _: {"out": "4711"})


def fan() -> Builder:
    builder = StateGraph(Failing).add_node("each", blocking)
    return builder.add_conditional_edges(
        START,
        lambda state: [Send("each", {**state, "how": "raise"}) for _ in range(state["width"])],
        ["each"],
    )


RETRIED = RetryPolicy(initial_interval=0.01, max_attempts=3, jitter=False, retry_on=Exception)
GRAPHS = {
    "blocking": lambda: one(blocking),
    "coroutine": lambda: one(coroutine),
    "retried": lambda: one(blocking, retry_policy=RETRIED),
    "coroutine-retried": lambda: one(coroutine, retry_policy=RETRIED),
    "reduced": reduced,
    "fan": fan,
}


def register(backend: CeleryBackend) -> dict[str, Any]:
    """Return the graphs, compiled on `backend`."""
    return {name: made().compile(name=name, backend=backend) for name, made in GRAPHS.items()}


def noted(kind: str, **facts: Any) -> None:
    line = json.dumps({"kind": kind, **facts}) + "\n"
    with Path(os.environ["WATCHED"]).open("ab", buffering=0) as file:
        file.write(line.encode())  # at once: nobody reads half of it


class Records(logging.Handler):
    """Notes the fields of the records that tell of attempts."""

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "outcome"):
            known = {name: value for name, value in vars(record).items() if _is_plain(value)}
            noted("log", **known, text=logging.Formatter().format(record))


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, int | float | str)


def failed(sender: Any, task_id: str, exception: Any, args: Any, einfo: Any, **_: Any) -> None:
    noted(
        "failure",
        id=task_id,
        request=sender.request.id,
        exception=str(exception),
        type=type(exception).__name__,
        cause=type(exception.__cause__).__name__,
        args=list(args),
        traceback=str(einfo.traceback)[-40_000:],
        size=len(str(einfo.traceback)),
    )
    if os.environ.get("HANDLER") == "fails":
        raise RuntimeError("a handler of a user's")


class Repeated(Task):  # type: ignore[type-arg]
    autoretry_for = (Exception,)
    retry_kwargs = {"max_retries": 3, "countdown": 0}  # noqa: RUF012 as Celery has it


def brought(broker: str, queue: str) -> Any:
    """Return an application as its users have it before they think of failures."""
    app = Celery("watched", broker=broker, task_cls=Repeated)
    app.conf.task_default_queue = queue
    return app


if "WATCHED" in os.environ:
    app = brought(os.environ["DISTGRAPH_BROKER"], os.environ["DISTGRAPH_NAMESPACE"])
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=False,
        worker_send_task_events=os.environ.get("EVENTS") == "on",
    )
    if os.environ.get("RESULTS"):
        app.conf.result_backend = os.environ["RESULTS"]
        app.conf.task_store_errors_even_if_ignored = True
    backend = CeleryBackend(app=app)
    graphs = register(backend)
    task_failure.connect(failed, weak=False)
    after_setup_logger.connect(lambda logger, **_: logger.addHandler(Records()), weak=False)
