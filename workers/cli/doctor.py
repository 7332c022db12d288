"""``distgraph doctor`` and ``distgraph sweep``: is everything well, and what to do if not."""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from ..worker.sweeper import sweep_once
from .checks import Check
from .exits import Exit, guarded
from .health import examine, examine_worker
from .options import Broker, BrokerOptions, Json, Namespace, Redis, TargetOption
from .screen import Screen, plain, table
from .targets import Connection, backend_of

ENDS_WITHIN = 9.0
_COLOURS = {"ok": "green", "warning": "yellow", "problem": "bold red"}


@guarded
def doctor(  # noqa: PLR0913 a command's options
    *,
    worker: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only this worker, as --hostname named it: its heartbeat, and what it consumes.",
        ),
    ] = None,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Check Redis, broker, workers, and what is unserved or overdue; ends with 4 if unhealthy.

    With --worker it looks at one worker alone, as a container's health check does. It answers
    within 10 seconds, whatever hangs.
    """
    backend = backend_of(target, Connection(redis, broker, namespace, broker_options))
    look = examine(backend) if worker is None else examine_worker(backend, worker)
    checks = list(_in_time(look))
    healthy = all(check.level != "problem" for check in checks)
    listing = table("", "", "")
    for check in checks:
        level = Text(check.level, style=_COLOURS[check.level])
        listing.add_row(level, check.name, plain(check.detail))
    data = {"healthy": healthy, "checks": [dataclasses.asdict(check) for check in checks]}
    Screen(as_json).answer(data, listing)
    return Exit.OK if healthy else Exit.UNHEALTHY


def _in_time(checks: Iterator[Check]) -> Iterator[Check]:
    """Yield the checks that were made in time; a client that hangs is left alone."""
    made: queue.SimpleQueue[Check | None] = queue.SimpleQueue()

    def look() -> None:
        try:
            for check in checks:
                made.put(check)
        except Exception as error:  # noqa: BLE001 a doctor survives whatever is ill
            made.put(Check("error", "problem", f"{type(error).__name__}: {error}"))
        made.put(None)

    threading.Thread(target=look, daemon=True).start()
    deadline = time.monotonic() + ENDS_WITHIN
    try:
        while check := made.get(timeout=max(0.0, deadline - time.monotonic())):
            yield check
    except queue.Empty:
        yield Check("time", "problem", f"no answer to the next check within {ENDS_WITHIN:g} s")


@guarded
def sweep(  # noqa: PLR0913 a command's options
    *,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Look once for what is overdue and send it on: for installations without lasting workers.

    It looks twice, a sweep's interval apart, because only then a lost message is told from one
    that is still on its way.
    """
    backend = backend_of(target, Connection(redis, broker, namespace, broker_options))
    sent = sweep_once(backend.office, backend.app).hints
    time.sleep(backend.settings.sweep)
    sent += sweep_once(backend.office, backend.app).hints
    Screen(as_json).answer({"sent": sent}, Text(f"Messages sent: {sent}."))
    return Exit.OK
