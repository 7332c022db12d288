"""``distgraph worker``: a Celery worker that serves graphs."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import uuid
from types import FrameType
from typing import Annotated, Any

import click
import typer
from celery import Celery, signals
from celery.exceptions import ImproperlyConfigured

from .exits import CommandError, Exit, guarded
from .options import Broker, BrokerOptions, Namespace, Redis
from .targets import Connection, serving

DIES_WITHIN, PAUSE = 5.0, 0.01
Targets = Annotated[
    list[str], typer.Argument(metavar="TARGET", help="module:graph or module:backend.")
]
Eof = Annotated[
    bool,
    typer.Option(
        help="Stop when standard input ends, as it does when the starting program dies: at once "
        "then, and after 5 s when that lives on."
    ),
]


@guarded
def worker(  # noqa: PLR0913 a command's options
    targets: Targets,
    *,
    concurrency: Annotated[int | None, typer.Option("--concurrency", "-c", min=1)] = None,
    pool: Annotated[str, typer.Option("--pool", "-P", help="prefork, threads, solo, ...")] = (
        "prefork"
    ),
    loglevel: Annotated[str, typer.Option("--loglevel", "-l")] = "INFO",
    queues: Annotated[
        str | None,
        typer.Option(
            "--queues",
            "-Q",
            help="Only these, separated by commas; without the namespace or with it.",
        ),
    ] = None,
    hostname: Annotated[
        str | None, typer.Option("--hostname", "-n", help="Its name; must be unique.")
    ] = None,
    stop_at_eof: Eof = False,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Serve graphs: start a Celery worker that runs their supersteps."""
    if stop_at_eof:
        signal.signal(signal.SIGTERM, _leave_in_order)
        threading.Thread(target=_terminate_at_eof, daemon=True).start()
    backend = serving(targets, Connection(redis, broker, namespace, broker_options))
    # Workers of one name would take each other's place in the list of who is there.
    name = hostname or f"w{uuid.uuid4().hex[:8]}@%h"
    argv = ["worker", "--hostname", name, "--pool", pool, "--loglevel", loglevel]
    argv += ["--without-gossip", "--without-mingle"]
    argv += ["--concurrency", str(concurrency)] if concurrency else []
    argv += ["--queues", queues] if queues else []
    try:
        code = ended_with(backend.app, argv)
    except click.ClickException as wrong:
        raise CommandError(wrong.format_message(), Exit.USAGE) from wrong
    except ImproperlyConfigured as wrong:
        raise CommandError(str(wrong), Exit.USAGE) from wrong
    except ImportError as missing:
        raise CommandError(f"Pool {pool} cannot be used: {missing}.", Exit.USAGE) from missing
    return Exit.FAILED if code else Exit.OK


def ended_with(app: Celery, argv: list[str]) -> int:
    """Run Celery's command, which tells nobody by what code its worker wants to end."""
    begun: list[Any] = []

    def note(sender: Any, **_: Any) -> None:
        begun.append(sender)

    signals.worker_init.connect(note)
    app.worker_main(argv)
    return int(begun[-1].exitcode or 0) if begun else Exit.FAILED


def _leave_in_order(_number: int, _frame: FrameType | None) -> None:
    """End through the exit handlers, until Celery's own handler takes over."""
    sys.exit(0)


def _terminate_at_eof() -> None:
    """Read file 0 itself: Python's own stdin would be locked while the process ends."""
    starter = os.getppid()
    while os.read(0, 1024):
        pass
    _wait_for_death(starter)
    os.kill(os.getpid(), signal.SIGTERM)


def _wait_for_death(starter: int) -> None:
    """Wait a moment for a program that dies: its pipes may be closed before its locks are free.

    Whoever left the embedded Redis in between would take it for a member that stays.
    """
    until = time.monotonic() + DIES_WITHIN
    while os.getppid() == starter and time.monotonic() < until:
        time.sleep(PAUSE)
