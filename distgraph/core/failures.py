"""Which exception a caller gets for the failure that a run ended with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from distgraph import _validation
from distgraph._exceptions import put_notes, put_together
from distgraph._loaded import class_at
from distgraph.core.model import Errored
from distgraph.errors import RemoteNodeError


def exception_of(error: Errored) -> BaseException:
    """Return the exception of a failure: the live one, or one that tells what a worker recorded."""
    if error.exception is not None:
        return error.exception
    return rebuild(error)


def rebuild(error: Errored) -> Exception:
    """Return an exception for a recorded failure.

    Its class is looked up among the modules that are imported already, never imported, and what
    they hold: a name that was stored reaches no hook that could import or run anything. An
    instance is made without running its ``__init__``. What is not found is a RemoteNodeError.
    """
    try:
        return _noted(_made(error), error)
    except BaseException:  # noqa: BLE001 its class needs more than a record has, or has no text
        return _noted(RemoteNodeError(f"{error.kind}: {error.message}"), error)


def _noted(made: Exception, error: Errored) -> Exception:
    put_notes(made, _notes(error, str(made)))
    return made


def _notes(error: Errored, text: str) -> Iterator[str]:
    if error.message not in text:  # not all of it stands in args
        yield error.message
    yield from error.notes
    if error.traceback:
        yield f"Traceback in the worker:\n{error.traceback}"


def _made(error: Errored) -> Exception:
    found: Any = class_at(error.kind)
    if found is None or not issubclass(found, Exception):
        raise LookupError(error.kind)
    if error.kind == _validation.KIND:
        return _validation.remade(found, error.args)
    inner = [rebuild(each) for each in error.inner]
    made = put_together(found, error.args, error.attributes, inner)
    if error.args or error.message in str(made):
        return made
    return put_together(found, (error.message,), error.attributes)  # they could not be stored
