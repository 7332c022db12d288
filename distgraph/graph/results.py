"""What a run's end means for the caller: a value, a pause, or an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from distgraph._frame import running
from distgraph.core.failures import exception_of
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph
from distgraph.core.model import (
    Checkpoint,
    Errored,
    Failed,
    Left,
    Paused,
    Question,
)
from distgraph.core.references import INITIAL
from distgraph.core.snapshot import current_values, visible
from distgraph.errors import NoParentGraph, ParentCommand, RemoteNodeError
from distgraph.events import Concluded, Event, Received, Stepped
from distgraph.streaming import INTERRUPT
from distgraph.types import Command

Versions = Mapping[str, str]


def conclude(event: Event, around: TaskFrame | None = None) -> None:
    """Raise what a run's end means; a nested pause or command goes on to the task ``around``."""
    if not isinstance(event, Concluded):
        return
    match event.outcome:
        case Failed(error):
            raised = exception_of(error)
            if around is not None and error.exception is None:
                around.failed = replace(error, exception=raised)
            raise raised
        case Left(command):
            caller = around or running()
            raise NoParentGraph(command) if caller is None else ParentCommand(command, caller)
        case Paused(questions, refused) if around is not None:
            around.pause(questions, refused)
        case Paused(refused=Errored() as refused):
            raise exception_of(refused)
        case _:
            return


def result_of(
    graph: Graph,
    last: Event | None,
    keys: str | tuple[str, ...],
    around: TaskFrame | None = None,
    since: Versions | None = None,
) -> Any:
    """Return what ``invoke`` returns, or raise what it raises.

    None when no output key was written ``since`` an input; of a run without one that is None.
    """
    if not isinstance(last, Concluded):
        msg = "The run ended without an outcome."
        raise RemoteNodeError(msg)
    conclude(last, around)
    values = current_values(graph, last.state, last.ns) if last.state else {}
    result = visible(graph, values, keys)
    match last.outcome:
        case Paused(questions) if questions:
            return _with_questions(result, questions)
    if last.state and since is not None:
        shown = (keys,) if isinstance(keys, str) else keys
        return result if _is_written(last.state.checkpoint, shown, since) else None
    return result


def since_input(given: Any) -> Versions | None:
    """Return the versions of the channels when a run begins, as far as they are known before it."""
    return None if given is None or isinstance(given, Command) else {}


def since_told(since: Versions | None, event: Event) -> Versions | None:
    """Return the versions of the channels at the run's input, which ``event`` may tell."""
    if since is None or not isinstance(event, Received | Stepped):
        return since
    told = event.state.checkpoint
    return told.versions if told.source == "input" else since


def _is_written(checkpoint: Checkpoint, keys: tuple[str, ...], since: Versions) -> bool:
    return any(
        checkpoint.versions.get(key, INITIAL) not in (INITIAL, since.get(key)) for key in keys
    )


def _with_questions(result: Any, questions: tuple[Question, ...]) -> Any:
    asked = [question.interrupt for question in questions]
    return {**result, INTERRUPT: asked} if isinstance(result, dict) else {INTERRUPT: asked}
