"""The command's parts put together."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from .demo import demo
from .doctor import doctor, sweep
from .draw import draw
from .follow import follow
from .listing import threads
from .removing import cancel, delete
from .run import run
from .threads import adopt, history, resume, retry, show
from .worker import worker

_CODES = (
    "Exit codes: 0 success; 1 a run failed, or another error; 2 wrong usage; 3 a run waits for an "
    "answer; 4 unhealthy, or Redis or the broker cannot be reached; 130 stopped by Ctrl-C."
)
COMMANDS = (
    demo,
    worker,
    run,
    follow,
    threads,
    show,
    resume,
    retry,
    adopt,
    cancel,
    delete,
    history,
    draw,
    doctor,
    sweep,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"distgraph {metadata.version('distgraph')}")
        raise typer.Exit


def program() -> typer.Typer:
    """Return the command with all its subcommands."""
    made = typer.Typer(
        name="distgraph",
        help="Run graphs on Celery workers, with their threads in Redis.",
        epilog=_CODES,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_common)
    for command in COMMANDS:
        made.command()(command)
    return made


def _common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Run graphs on Celery workers, with their threads in Redis."""


def main() -> None:
    """Run the command line."""
    program()()
