"""How a run comes to stop that a task has asked to: the root's end of a superstep has to know.

What a task leaves tells so, and the last checkpoint of a graph inside, of which whoever runs the
task around it takes it. What failed has nothing that tells: it is kept beside, for the attempt that
follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from distgraph.core.frame import TaskFrame
from distgraph.core.model import DRAINS, Checkpoint, Completed, Decision, Errored, Result, RunTasks

from .opened import Opened

R = TypeVar("R", bound=Result)


def hear(opened: Opened, frame: TaskFrame) -> None:
    """Ask again for what an attempt before this one has asked for."""
    if (reason := opened.desk.drained(opened.head.run)) is not None:
        _ask(frame, reason)


def hear_from(opened: Opened, frame: TaskFrame, told: Any) -> None:
    """Ask for what a call has asked for, or a graph inside, if that was in this run."""
    if isinstance(told, list | tuple) and told[0] == opened.head.run:
        _ask(frame, told[1])


def _ask(frame: TaskFrame, reason: str) -> None:
    if (control := frame.invocation.control) is not None:
        control.request_drain(reason)


def keep(opened: Opened, frame: TaskFrame, result: Result) -> None:
    """Keep what was asked for by an attempt that has failed."""
    control = frame.invocation.control
    if isinstance(result, Errored) and control is not None and control.drain_reason is not None:
        opened.desk.drain(opened.head.run, control.drain_reason)


def telling(opened: Opened, frame: TaskFrame, result: R) -> R:
    """Return a result that tells whether the task has asked the run to stop."""
    control = frame.invocation.control
    if not isinstance(result, Completed) or control is None or control.drain_reason is None:
        return result
    return replace(result, drains=(opened.head.run, control.drain_reason))


def asked_by(opened: Opened, results: Iterable[Result]) -> str | None:
    """Return why a task of a superstep has asked the run to stop, None where none has."""
    for left in results:
        if isinstance(left, Completed) and left.drains and left.drains[0] == opened.head.run:
            return left.drains[1]
    return None


def marked(
    opened: Opened, results: Mapping[str, Result], then: Decision, made: tuple[Checkpoint, ...]
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints of a superstep: with the last of a graph inside it tells the same."""
    if not opened.ns or isinstance(then, RunTasks):
        return made
    reason = asked_by(opened, results.values())
    if reason is None:
        return made
    *before, last = made
    told = {**last.metadata, DRAINS: [opened.head.run, reason]}
    return (*before, replace(last, metadata=told))
