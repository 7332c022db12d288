"""Rows that scripts answer; those of the header are also the order in which it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

Raw = bytes | None


class HeaderRow(NamedTuple):
    """A thread's header with the fields of one frame; stored, ``about`` apart from it."""

    id: Raw
    graph: Raw
    fingerprint: Raw
    queue: Raw
    status: Raw
    run: Raw
    created: Raw
    updated: Raw
    epoch: Raw
    checkpoint: Raw
    step: Raw
    caller_writes: Raw
    form: Raw
    release: Raw
    about: Raw


class HeadRow(NamedTuple):
    """What jobs need of the header; stored."""

    graph: Raw
    fingerprint: Raw
    run: Raw
    checkpoint: Raw
    step: Raw
    id: Raw
    queue: Raw
    caller_writes: Raw


class ContextReply(NamedTuple):
    """What a job reads of its frame; ``active`` counts the tasks that are not done.

    ``lines`` are line, segments, line, segments... of the lists, of which not all segments came.

    ``run`` is the record of the run that is under way; ``frame`` is there inside a task.
    """

    head: Sequence[Raw]
    active: int
    frame: Any
    run: Raw
    caller_writes: Sequence[bytes]
    checkpoint: Raw
    channels: Sequence[Raw]
    lines: Sequence[Any]


class FrameInfoRow(NamedTuple):
    """What a job needs of a frame inside a task; stored."""

    graph: Raw
    fingerprint: Raw
    called: Raw
    path: Raw
    stop: Raw
    released: Raw
    call: Raw


class ClaimReply(NamedTuple):
    status: bytes
    context: Any
    tasks: Sequence[Any]


class ClaimedRow(NamedTuple):
    """``inner``: the hash of a frame inside the task, and how it stands (LoadReply); or nothing."""

    tid: bytes
    status: bytes
    attempts: int
    failures: int
    round: bytes
    blob: bytes
    packet: Raw
    answers: Sequence[bytes]
    risen: bytes
    inner: Any


class RefusedRow(NamedTuple):
    """A task that the claim did not give."""

    tid: bytes
    status: bytes


class UnservedReply(NamedTuple):
    """``format`` is 0 where the graph is not served, else the thread's, which ``release`` wrote."""

    status: bytes
    graph: bytes
    fingerprint: bytes
    format: bytes
    release: bytes


class AdvanceReply(NamedTuple):
    """``writes`` are None when they are too large for a reply."""

    status: bytes
    context: Any
    writes: Any


class ResultsReply(NamedTuple):
    """``advance`` is there when the barrier closed for the caller.

    ``up``: the hint of the task around, where the frame has gone up.
    """

    status: bytes
    statuses: Sequence[bytes]
    closing: bytes
    advance: Any
    up: Sequence[Any]


class ParkedReply(NamedTuple):
    """``epoch`` is the frame's; ``hints`` are of tasks that run again."""

    status: bytes
    epoch: bytes
    hints: Sequence[Any]


class StartedReply(NamedTuple):
    """``now``: the time of Redis, in ms."""

    status: bytes
    epoch: bytes
    event_id: bytes
    now: int


class AnsweredReply(NamedTuple):
    """``more``: there are too many hints for one reply, all of them are in the outbox.

    ``moves``: not everything is queued yet.
    """

    status: bytes
    epoch: bytes
    event_id: bytes
    run: bytes
    now: int
    hints: Sequence[Any]
    advance: int
    more: int
    moves: int


class MovedReply(NamedTuple):
    """A slice of what a wide call goes on with is queued; ``moves``: that was not all."""

    status: bytes
    hints: Sequence[Any]
    moves: int


class AdoptedReply(NamedTuple):
    """``busy`` and ``advance``: there is something to be published, in the new epoch."""

    status: bytes
    busy: int
    advance: int


class RepeatedReply(NamedTuple):
    """Of a run that was started before; ``run`` is the one that it joined, else itself."""

    status: bytes
    epoch: bytes
    event_id: bytes
    outcome: bytes
    run: bytes
    now: int


class HintRow(NamedTuple):
    ns: bytes
    epoch: bytes
    tid: bytes
    queue: bytes
    priority: int


class DueRow(NamedTuple):
    x: bytes
    ns: bytes
    epoch: bytes
    kind: bytes
    tid: bytes
    hints: Sequence[Any]


class SweptReply(NamedTuple):
    """``more``: it looked at as many entries as it may, others may be due.

    ``outboxes``: whether anything of the shard waits to be claimed.
    """

    more: int
    outboxes: int
    due: Sequence[Any]


class ListedRow(NamedTuple):
    """A thread in a list; ``asked`` are a text of questions, a blob, a text, a blob...

    ``more``: not all of what it asks is there.
    """

    x: bytes
    id: Raw
    graph: Raw
    run: Raw
    status: Raw
    created: Raw
    updated: Raw
    about: Raw
    fingerprint: Raw
    form: Raw
    asked: Sequence[bytes]
    more: int


class PageReply(NamedTuple):
    """A part of a list: the place up to which it goes, '' = to the end.

    So many were ``looked`` at; ``threads`` are ListedRows, or how many these are.
    """

    place: bytes
    looked: int
    threads: Any


class RunReply(NamedTuple):
    """What is known of a run: its record, else its line, else the id of the run that it joined."""

    record: Raw
    line: Raw
    joined: Raw
    now: int


class RunsReply(NamedTuple):
    """The thread's last run and its record, and the lines of those before, newest first."""

    run: Raw
    record: Raw
    lines: Raw


class LoadReply(NamedTuple):
    """``open`` is the open superstep, unless it is ``wide``.

    ``log`` are the first of the ``logged`` records that a saver noted.

    ``caller_writes``: a mark and those that stand beside the checkpoint.

    ``run`` is the record of the thread's last run.

    Of a frame for which a task was parked there is ``frame``; ``failure``: why nothing follows its
    superstep.
    """

    header: Sequence[Raw]
    frame: Any
    run: Raw
    failure: Raw
    checkpoint: Raw
    channels: Sequence[Raw]
    lines: Sequence[Any]
    logged: int
    log: Sequence[Raw]
    left: Raw
    caller_writes: Sequence[bytes]
    wide: int
    open: Any


class AskedReply(NamedTuple):
    """``asked`` are id, task and, with the first id of each, the task's questions."""

    header: Sequence[Raw]
    asked: Sequence[Any]


class OpenReply(NamedTuple):
    """Fields and values of an open superstep."""

    tasks: Sequence[bytes]
    writes: Sequence[bytes]
    questions: Sequence[bytes]


class PartReply(NamedTuple):
    """A part of something long, and where the next one begins; 0 = that was all."""

    cursor: bytes
    part: Any
