"""Records with fixed positions that scripts store as JSON: of tasks, and in events.

A field stands here once. Lua's positions are those of ``_fields``, by the names in ``folding``,
which writes ``format`` by itself: the number of the row's form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from distgraph.checkpoint.formats import Kind


class TaskRow(NamedTuple):
    """A task of an open superstep, as JSON.

    ``attempts`` counts claims, ``lost`` those whose workers vanished, ``failures`` those that
    failed and were to be repeated, ``chunks`` what the attempt under way has streamed. ``reads``
    names the channels that it reads (TaskField.reads), '' = none. ``limit`` (ms, 0 = none) and
    ``batch`` are places for what is to come. ``packet`` names the one that it gets, '' = none.
    """

    format: int
    state: str
    round: str
    token: str
    attempts: int
    lost: int
    owner: str
    queue: str
    priority: int
    reads: str
    answers: int
    failures: int
    chunks: int
    limit: int
    batch: str
    packet: str


class QuestionRow(NamedTuple):
    """One question of a task, as JSON; the deadline in ms since 1970, 0 = none."""

    format: int
    iid: str
    deadline: int


class RunEvent(NamedTuple):
    format: int
    run: str
    kind: str


class StepEvent(NamedTuple):
    format: int
    ns: str
    checkpoint: str
    step: int


class TaskEvent(NamedTuple):
    """Of a task that is done, and of an attempt that is repeated."""

    format: int
    ns: str
    tid: str
    attempt: int


class AskEvent(NamedTuple):
    format: int
    ns: str
    tid: str
    iids: Sequence[str]


class FailEvent(NamedTuple):
    format: int
    ns: str
    tid: str


class EndEvent(NamedTuple):
    format: int
    run: str
    status: str
    checkpoint: str


class CustomEvent(NamedTuple):
    format: int
    ns: str
    tid: str
    token: str


KINDS: Final[Mapping[str, Kind]] = {
    "TaskRow": Kind.row,
    "QuestionRow": Kind.question,
    "RunEvent": Kind.event,
    "StepEvent": Kind.event,
    "TaskEvent": Kind.event,
    "AskEvent": Kind.event,
    "FailEvent": Kind.event,
    "EndEvent": Kind.event,
    "CustomEvent": Kind.event,
}
"""Which kind of record a row is, by its name."""
