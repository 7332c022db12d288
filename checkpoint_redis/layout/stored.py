"""Records with fixed positions that scripts store as JSON: of tasks, and in events.

A field stands here once. Lua's positions are those of ``_fields``, by the names in ``folding``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class TaskRow(NamedTuple):
    """A task of an open superstep, as JSON.

    ``attempts`` counts claims, ``lost`` those whose workers vanished, ``failures`` those that
    failed and were to be repeated.
    """

    state: str
    round: str
    token: str
    attempts: int
    lost: int
    owner: str
    queue: str
    priority: int
    reads: int
    answers: int
    failures: int


class QuestionRow(NamedTuple):
    """One question of a task, as JSON; the deadline in ms since 1970, 0 = none."""

    iid: str
    deadline: int


class RunEvent(NamedTuple):
    run: str
    kind: str


class StepEvent(NamedTuple):
    ns: str
    checkpoint: str
    step: int


class TaskEvent(NamedTuple):
    """Of a task that is done, and of an attempt that is repeated."""

    ns: str
    tid: str
    attempt: int


class AskEvent(NamedTuple):
    ns: str
    tid: str
    iids: Sequence[str]


class FailEvent(NamedTuple):
    ns: str
    tid: str


class EndEvent(NamedTuple):
    run: str
    status: str
    checkpoint: str


class CustomEvent(NamedTuple):
    ns: str
    tid: str
    token: str
