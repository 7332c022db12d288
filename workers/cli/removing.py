"""Commands that end what runs on a thread, or remove the thread."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.text import Text

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
from .screen import Screen, plain
from .targets import Connection, backend_of


@guarded
def cancel(  # noqa: PLR0913 a command's options
    thread: ThreadId,
    *,
    kill: Annotated[
        bool, typer.Option("--kill", help="End its blocking nodes too (pool prefork).")
    ] = False,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Cancel what runs or waits on a thread; its state stays at the newest checkpoint."""
    done = (
        backend_of(target, Connection(redis, broker, namespace, broker_options))
        .thread(thread)
        .cancel(kill=kill)
    )
    said = "Cancelled." if done else "There was nothing to cancel."
    Screen(as_json).answer({"thread": thread, "cancelled": done}, Text(said))
    return Exit.OK


@guarded
def delete(  # noqa: PLR0913 a command's options
    thread: ThreadId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
    target: TargetOption = None,
    redis: Redis = None,
    broker: Broker = None,
    broker_options: BrokerOptions = None,
    namespace: Namespace = None,
) -> Exit:
    """Remove everything that is stored about a thread, and what runs on it; asks before."""
    backend, screen = (
        backend_of(target, Connection(redis, broker, namespace, broker_options)),
        Screen(as_json),
    )
    header = backend.ledger.any_header(backend.thread_key(thread))
    if header is not None and not yes:
        which = f"thread {plain(thread)} of graph {plain(header.graph)}, which is {header.st.value}"
        _ask(screen, f"Delete {which}? [y/N] ")
    backend.thread(thread).delete()
    screen.answer({"thread": thread, "deleted": True}, Text("Deleted."))
    return Exit.OK


def _ask(screen: Screen, question: str) -> None:
    """Raise CommandError unless a person says yes; who is not there has to say it beforehand."""
    if screen.as_json or not sys.stdin.isatty():
        raise CommandError("Nothing was deleted: there is nobody to ask. Give --yes.", Exit.USAGE)
    try:
        answer = screen.console.input(Text(question))
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandError("Nothing was deleted.")
