"""``distgraph run``: start a run and show what happens in it."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import typer
from rich.text import Text

from checkpoint_redis.layout import RunStatus
from distgraph.errors import DistGraphError
from distgraph.graph.compiled import Pregel
from distgraph.runners.handle import Run

from .ending import Ending, tell
from .exits import CommandError, Exit, guarded
from .options import Broker, BrokerOptions, Json, Namespace, Redis
from .screen import Screen, plain
from .targets import Connection, graph_of
from .values import read_json
from .watching import watched


@guarded
def run(  # noqa: PLR0913 a command's options
    target: Annotated[str, typer.Argument(metavar="TARGET", help="module:graph.")],
    *,
    given: Annotated[
        str,
        typer.Option(
            "--input", metavar="JSON|@FILE", help="The input; null goes on with a thread."
        ),
    ],
    thread: Annotated[
        str | None, typer.Option(help="The thread's id; by default a new one.")
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return at once; workers carry the run on.")
    ] = False,
    as_json: Json = False,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Start a run on the workers, and show its updates until it ends or asks.

    Ends with 0 when the run succeeded, 1 when it failed, 3 when it waits for an answer.
    """
    screen = Screen(as_json)
    value = read_json("--input", given)
    graph = graph_of(target, Connection(redis, broker, namespace, broker_options))
    thread_id = str(uuid.uuid4()) if thread is None else thread
    started = _submit(graph, value, thread_id)
    if detach:
        shown = Text.assemble("thread ", plain(thread_id), f"\nrun    {started.id}")
        screen.answer({"thread": thread_id, "run": started.id, "status": RunStatus.pending}, shown)
        return Exit.OK
    return tell(screen, _followed(screen, graph, target, started))


def _submit(graph: Pregel, value: Any, thread_id: str) -> Run:
    try:
        started: Run = graph.submit(value, _config(thread_id), stream_mode="updates")
    except DistGraphError:
        raise
    except Exception as wrong:
        raise CommandError(f"The run was not started. {type(wrong).__name__}: {wrong}") from wrong
    return started


def _config(thread_id: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread_id}}


def _followed(screen: Screen, graph: Pregel, target: str, started: Run) -> Ending:
    """Show updates as they come, and return how the run ended."""
    error, thread_id = watched(screen, started, target), started.thread_id
    snapshot = graph.get_state(_config(thread_id))
    return Ending(
        thread_id, started.id, started.status, error, snapshot.values, snapshot.interrupts
    )
