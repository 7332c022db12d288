"""``distgraph follow``: look on while a thread's run goes on, whoever started it."""

from __future__ import annotations

from .ending import tell, wait
from .exits import CommandError, Exit, guarded
from .options import (
    Broker,
    BrokerOptions,
    Json,
    Namespace,
    Redis,
    TargetOption,
    ThreadId,
)
from .screen import Screen
from .targets import Connection, backend_of
from .watching import watched


@guarded
def follow(  # noqa: PLR0913 a command's options
    thread: ThreadId,
    *,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Follow a thread's last run until it ends or asks; with --target also its updates.

    Ends as the run does: with 0 when it succeeded, 1 when it failed, 3 when it waits for an answer.
    """
    backend, screen = (
        backend_of(target, Connection(redis, broker, namespace, broker_options)),
        Screen(as_json),
    )
    handle = backend.thread(thread)
    runs = handle.runs()
    if not runs:
        raise CommandError(f"No run of thread {thread[:200]!r} is known.")
    if target is not None and backend.registry.get(handle.graph) is not None:
        watched(screen, backend.run(thread, runs[0].id), target)
    return tell(screen, wait(backend, thread, runs[0].id))
