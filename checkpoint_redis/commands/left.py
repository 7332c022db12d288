"""Reads what the tasks of supersteps left that are over, with what they asked and were answered."""

from __future__ import annotations

from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands.read import (
    checked,
    items,
    lists,
    number,
    pairs,
    part,
    record,
    row,
    text,
)
from checkpoint_redis.commands.script import Arguments, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import AnsweredByRow, LeftRow, PartedRow, QuestionRow
from checkpoint_redis.readings import AnsweredQuestions, LeftTask

CHUNK = 500


def left(
    thread: Thread, ns: str, cps: tuple[str, ...]
) -> Script[tuple[tuple[LeftTask, ...] | None, ...]]:
    """Read what was left at checkpoints, at most CHUNK at a time; None: read it by ``large``."""
    names = [keys.left_field(ns, cp) for cp in cps]
    return Arguments().script("values", thread, _left, fields=names)


def large(
    thread: Thread, ns: str, cp: str, cursor: int
) -> Script[tuple[int, tuple[LeftTask, ...]]]:
    """Read a part of what a large superstep left, and the next cursor (0 = all read)."""
    return Arguments().script(
        "large", thread, _large, left=f"{ns}|{cp}", cursor=cursor, count=CHUNK
    )


def share(thread: Thread, ns: str, cp: str, results: tuple[PartedRow, ...]) -> Script[int]:
    """Keep parts of results that were left at a checkpoint where they stand too, and there alone.

    The answer says how many of the results are stored so.
    """
    return Arguments().script("share", thread, number, ns=ns, cp=cp, results=results)


def left_of(raw: bytes | None) -> tuple[LeftTask, ...] | None:
    """Read the tasks that a superstep left; None when it was a large one."""
    if raw is None:
        return ()
    if not raw:
        return None
    parts = items(raw)
    width = len(LeftRow._fields)
    return tuple(_task(parts[at : at + width]) for at in range(0, len(parts), width))


def _task(parts: tuple[bytes, ...]) -> LeftTask:
    found: Any = LeftRow._make(parts)
    asked, answers = answered(found.asked), items(found.answers)
    return LeftTask(text(found.tid), found.result, asked, answers)


def answered(raw: bytes) -> tuple[AnsweredQuestions, ...]:
    """Read the questions of a task that were answered."""
    return tuple(_asked(each) for each in lists(raw))


def _asked(parts: tuple[bytes, ...]) -> AnsweredQuestions:
    rows, blob, note = parts
    questions = [row(QuestionRow, each) for each in record(rows)]
    by = row(AnsweredByRow, record(note))
    times = tuple((each.iid, int(each.asked)) for each in questions)
    deadlines = tuple((each.iid, int(each.deadline)) for each in questions if each.deadline)
    return AnsweredQuestions(times, blob, by.run, int(by.at), by.by, deadlines)


@checked
def _left(raw: Any) -> tuple[tuple[LeftTask, ...] | None, ...]:
    return tuple(left_of(each) for each in raw)


@checked
def _large(raw: Any) -> tuple[int, tuple[LeftTask, ...]]:
    cursor, found = part(raw)
    return cursor, tuple(LeftTask(tid, blob) for tid, blob in pairs(found).items())
