"""Exit codes, and how errors become one line and a code."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, ParamSpec

import typer
from pydantic import ValidationError

from distgraph.errors import (
    AmbiguousResume,
    BrokerUnavailable,
    DeserializationError,
    DistGraphError,
    NothingToResume,
    StoreUnavailable,
    ThreadBusy,
)

P = ParamSpec("P")


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 3
    UNHEALTHY = 4
    STOPPED = 130


class CommandError(DistGraphError):
    """A command cannot do what it was asked to; ``code`` is its exit code."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code


def guarded(command: Callable[P, Exit]) -> Callable[P, None]:
    """Make a command end with the code it returns, or with one clear line for an error of ours."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except KeyboardInterrupt:
            code = Exit.STOPPED
        except (DistGraphError, ValidationError) as error:
            complain(describe(error))
            code = code_of(error)
        raise typer.Exit(code)

    return run


def code_of(error: Exception) -> Exit:
    """Return the exit code that ``error`` means."""
    match error:
        case CommandError():
            return error.code
        case StoreUnavailable() | BrokerUnavailable():
            return Exit.UNHEALTHY
        case ValidationError():
            return Exit.USAGE
        case _:
            return Exit.FAILED


_ADVICE: Mapping[type[Exception], str] = {
    AmbiguousResume: "Name one with --interrupt ID.",
    NothingToResume: "How the thread stands says distgraph show.",
    ThreadBusy: "Wait for it with distgraph follow, or end it with distgraph cancel.",
}
"""What to do on the command line, where the error says what a program does."""


def describe(error: Exception) -> str:
    """Say in one line what went wrong; of wrong settings each with its name."""
    if isinstance(error, ValidationError):
        return f"Wrong settings: {'; '.join(map(_wrong, error.errors()))}."
    if isinstance(error, DeserializationError):
        return f"{error} Or give --target module:graph."
    if type(error) in _ADVICE and len(error.args) > 1:
        return f"{error.args[0]} {_ADVICE[type(error)]}"
    return str(error) or type(error).__name__


def _wrong(setting: Any) -> str:
    """Say what is wrong with a setting, without pydantic's name for what our own checks raise."""
    said = setting["msg"].removeprefix("Value error, ").removesuffix(".")
    return ": ".join((*map(str, setting["loc"]), said))


def complain(message: str) -> None:
    """Write a message to stderr as one line, unwrapped."""
    sys.stderr.write(f"distgraph: {' '.join(message.split())}\n")
