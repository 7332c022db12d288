"""Which exception a caller gets for the failure that a run ended with."""

from __future__ import annotations

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
    except BaseException:  # noqa: BLE001 its class needs more than a record has, or refuses notes
        return _noted(RemoteNodeError(f"{error.kind}: {error.message}"), error)


def _noted(made: Exception, error: Errored) -> Exception:
    said = "" if error.message in str(made) else error.message  # not all of it stands in args
    for note in (said, *error.notes, f"Traceback in the worker:\n{error.traceback}"):
        if note.strip():
            made.add_note(note)
    return made


def _made(error: Errored) -> Exception:
    found = class_at(error.kind)
    if found is None or not issubclass(found, Exception):
        raise LookupError(error.kind)
    args = error.args or (error.message,)
    made: Exception = found.__new__(found, *args)
    made.args = args
    return made
