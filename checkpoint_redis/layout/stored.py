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
    ``risen``: the frame inside it that has gone up, whose state the next attempt takes as it is.
    ``inner``: the frame of the graph that its node is, '' = its node is none.
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
    risen: str
    inner: str


class QuestionRow(NamedTuple):
    """One question of a task, as JSON; ``asked`` and the deadline in ms since 1970, 0 = none.

    ``place`` is the same whenever a question with a deadline is asked again, '' where it has none;
    it counts from when it was stored there first where ``within`` ms are given, else -1. ``late``:
    what takes the place of an answer then, a blob that scripts are given. What an answer has to be
    like (``schema``) has its place.
    """

    format: int
    iid: str
    deadline: int
    asked: int
    within: int
    place: str
    late: int
    schema: str


class AnsweredByRow(NamedTuple):
    """Who answered what a task asked, as JSON; ``at`` in ms since 1970."""

    format: int
    run: str
    at: int
    by: str


class MoveRow(NamedTuple):
    """What an answer, a reask or a retry goes on with, as JSON; ``at`` in ms since 1970.

    ``run`` is the call's, ``round`` begins with it. ``first`` and ``last``: which of the numbered
    tasks at breakpoints it releases, the last one not among them.
    """

    format: int
    mode: str
    run: str
    round: str
    at: int
    by: str
    first: int
    last: int


class LeftRow(NamedTuple):
    """What a task of a superstep left that is over; the parts stand in one list, one by one.

    ``result`` is also an error or a question, and a record in parts where some of it stands in a
    value. ``asked`` are texts of questions, blob and AnsweredByRow, one after the other;
    ``answers`` a list.
    """

    tid: str
    result: bytes
    asked: bytes
    answers: bytes


class RunRow(NamedTuple):
    """The record of a run: a list of texts, in which numbers are decimal and times in ms.

    ``checkpoint`` is the head when it ended, ``origin`` when it began; ``released`` the checkpoint
    whose static stop it passes, ``stop`` its last step, ``events`` the id of the last event before
    its first. ``position`` is its place in a queue, 0 = none. ``config``, ``metadata`` and
    ``error`` are blobs.
    """

    format: int
    kind: str
    status: str
    checkpoint: str
    began: int
    ended: int
    by: str
    position: int
    origin: str
    released: str
    stop: int
    modes: str
    events: str
    metadata: bytes
    config: bytes
    error: bytes


class RunEvent(NamedTuple):
    format: int
    kind: str


class StepEvent(NamedTuple):
    """Of a checkpoint that was stored, and what follows it."""

    format: int
    checkpoint: str
    step: int
    follows: str


class RetryEvent(NamedTuple):
    """Of an attempt that is void because another one will be made; ``frame``: of which by name."""

    format: int
    tid: str
    attempt: int
    frame: str


class TaskEvent(NamedTuple):
    """Of a task that is done."""

    format: int
    tid: str
    attempt: int


class AskEvent(NamedTuple):
    format: int
    tid: str
    attempt: int
    iids: Sequence[str]
    deadlines: Sequence[int]


class FailEvent(NamedTuple):
    """Of a task that failed for good; its error is that of the run."""

    format: int
    tid: str
    attempt: int


class EndEvent(NamedTuple):
    format: int
    status: str
    checkpoint: str


class CustomEvent(NamedTuple):
    """Of a chunk that a task's attempt streamed, its own or that of a graph inside the task."""

    format: int
    tid: str
    attempt: int


KINDS: Final[Mapping[str, Kind]] = {
    "TaskRow": Kind.row,
    "QuestionRow": Kind.question,
    "RunRow": Kind.run,
    "AnsweredByRow": Kind.answer,
    "MoveRow": Kind.row,
    "RunEvent": Kind.event,
    "StepEvent": Kind.event,
    "TaskEvent": Kind.event,
    "RetryEvent": Kind.event,
    "AskEvent": Kind.event,
    "FailEvent": Kind.event,
    "EndEvent": Kind.event,
    "CustomEvent": Kind.event,
}
"""Which kind of record a row is, by its name."""
