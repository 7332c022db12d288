"""What a run's end means for the caller: a value, a pause, or an exception."""

from __future__ import annotations

import sys
from typing import Any

from distgraph.core.apply import written_at
from distgraph.core.begin import FIRST_STEP
from distgraph.core.graph import Graph
from distgraph.core.model import (
    Checkpoint,
    Errored,
    Failed,
    Interrupted,
    Left,
    Paused,
    Question,
    ThreadState,
)
from distgraph.core.snapshot import current_values, visible
from distgraph.errors import InvalidUpdateError, ParentCommand, RemoteNodeError
from distgraph.events import Concluded, Event
from distgraph.graph.nested import Inner
from distgraph.streaming import INTERRUPT
from distgraph.types import Command


def conclude(graph: Graph, event: Event, inner: Inner) -> None:
    """Raise what a run's end means; a nested pause or command goes on to the task around."""
    del graph
    if not isinstance(event, Concluded):
        return
    match event.outcome:
        case Failed(error):
            raise exception_of(error)
        case Left(command):
            if inner.frame is not None:
                raise ParentCommand(command)
            msg = "There is no parent graph"
            raise InvalidUpdateError(msg)
        case Paused(questions) if inner.frame is not None:
            inner.frame.pause(questions)


def result_of(
    graph: Graph,
    last: Event | None,
    inner: Inner,
    keys: str | tuple[str, ...],
    given: Any = None,
) -> Any:
    """Return what ``invoke`` returns, or raise what it raises.

    None when ``given`` was the first input of a thread and no output key was written since.
    """
    if not isinstance(last, Concluded):
        msg = "The run ended without an outcome."
        raise RemoteNodeError(msg)
    conclude(graph, last, inner)
    values = current_values(graph, last.state, last.ns) if last.state else {}
    result = values.get(keys) if isinstance(keys, str) else visible(graph, values, keys)
    match last.outcome:
        case Paused(questions) if questions:
            return _with_questions(result, questions)
    if last.state and not (given is None or isinstance(given, Command)):
        shown = (keys,) if isinstance(keys, str) else keys
        return result if _is_written(last.state.checkpoint, shown) else None
    return result


def _is_written(checkpoint: Checkpoint, keys: tuple[str, ...]) -> bool:
    """Whether one of ``keys`` was written after the first checkpoint of the thread."""
    refs = [checkpoint.versions[key] for key in keys if key in checkpoint.versions]
    return any(written_at(ref) != FIRST_STEP for ref in refs)


def _with_questions(result: Any, questions: tuple[Question, ...]) -> Any:
    asked = [question.interrupt for question in questions]
    return {**result, INTERRUPT: asked} if isinstance(result, dict) else {INTERRUPT: asked}


def exception_of(error: Errored) -> BaseException:
    """Return the exception of a failure: the live one, or one that tells what a worker recorded."""
    if error.exception is not None:
        return error.exception
    return rebuild(error)


def rebuild(error: Errored) -> Exception:
    """Return an exception for a recorded failure.

    Its class is looked up among the modules that are imported already, never imported; an
    instance is made without running its ``__init__``. What is not found is a RemoteNodeError.
    """
    made = _made(error) or RemoteNodeError(f"{error.kind}: {error.message}")
    said = "" if error.message in str(made) else error.message  # not all of it stands in args
    for note in (said, *error.notes, f"Traceback in the worker:\n{error.traceback}"):
        if note.strip():
            made.add_note(note)
    return made


def _made(error: Errored) -> Exception | None:
    module, _, name = error.kind.rpartition(".")
    found: Any = getattr(sys.modules.get(module), name, None)
    if not (isinstance(found, type) and issubclass(found, Exception)):
        return None
    try:
        args = error.args or (error.message,)
        made: Exception = found.__new__(found, *args)
        made.args = args
        str(made)
    except Exception:  # noqa: BLE001 the class needs more than a record has
        return None
    return made


def waiting_inside(state: ThreadState, ns: str) -> ThreadState | None:
    """Return the state of the graph that waits, or failed, at ``ns`` inside a task; else None."""
    for result in state.results.values():
        if isinstance(result, Interrupted | Errored):
            for name, inner in result.frames.items():
                if name == ns:
                    return inner
                if (deeper := waiting_inside(inner, ns)) is not None:
                    return deeper
    return None
