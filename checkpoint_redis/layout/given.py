"""Rows that scripts are given; a blob stands in them by its position in ARGV, 0 = none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from checkpoint_redis.layout.stored import QuestionRow


class NewTaskRow(NamedTuple):
    id: str
    queue: str
    priority: int
    reads: str
    limit: int
    batch: str
    packet: str
    inner: str
    answers: Sequence[int]


class PacketsRow(NamedTuple):
    """A bundle: its ``size`` packets stand in ARGV from ``first`` on, 0 = they were staged."""

    bundle: str
    first: int
    size: int


class CheckpointRow(NamedTuple):
    """``refs`` is JSON; ``channels`` are name, blob, name, blob..."""

    id: str
    blob: int
    step: int
    refs: str
    channels: Sequence[str | int]
    packets: Sequence[PacketsRow]


class FrameRow(NamedTuple):
    """A frame inside a task, as its own key tells."""

    name: str
    parent: str
    task: str
    path: str
    graph: str
    fingerprint: str


class AgainRow(NamedTuple):
    """A task that runs again, and the answers that it has now."""

    tid: str
    answers: Sequence[int]


class EmittedRow(NamedTuple):
    """A chunk that a task's attempt streamed; ``frame``: the one inside the task that it is of."""

    frame: str
    blob: int


class NewHeadRow(NamedTuple):
    ns: str
    checkpoint: str
    step: int
    refs: str


class DoneRow(NamedTuple):
    """What stands in place of a task that does not run."""

    tid: str
    blob: int


class AskedBeforeRow(NamedTuple):
    """A task, and the ids of what it has asked before its superstep is opened again."""

    tid: str
    iids: Sequence[str]


class OlderRow(NamedTuple):
    """An older checkpoint whose superstep is opened again; ``done`` are DONE rows."""

    head: NewHeadRow
    done: Sequence[DoneRow]
    answered: Sequence[AskedBeforeRow]


class ResultRow(NamedTuple):
    tid: str
    round: str
    blob: int
    event: int
    escapes: bool
    collected: bool
    questions: Sequence[QuestionRow]
    packets: Sequence[PacketsRow]


class SpanRow(NamedTuple):
    """A part of a record that is so many bytes of a value, counted from 1 in both."""

    name: str
    first: int
    start: int
    length: int


class SharedRow(NamedTuple):
    """A record of a saver's log, and what of it stands in values, in their order in it."""

    number: int
    spans: Sequence[SpanRow]


class PartedRow(NamedTuple):
    """A task whose result is over, and what of that stands in values, in their order in it."""

    tid: str
    spans: Sequence[SpanRow]


class AnswerRow(NamedTuple):
    ns: str
    tid: str
    iid: str
    blob: int


class LeaseRow(NamedTuple):
    x: str
    ns: str
    epoch: str
    tid: str
    token: str


class AwaitedRow(NamedTuple):
    """A run whose end somebody waits for."""

    x: str
    run: str
