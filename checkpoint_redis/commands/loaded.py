"""Reads what is stored of a frame at one moment: its header, its checkpoint, what it has open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count, takewhile
from typing import Any

from checkpoint_redis import about
from checkpoint_redis.commands.left import answered, left_of
from checkpoint_redis.commands.read import (
    blobs,
    channels,
    checked,
    frame_info,
    number,
    pairs,
    record,
    row,
    run_record,
    text,
)
from checkpoint_redis.layout import (
    FrameInfoRow,
    HeaderRow,
    LoadReply,
    OpenReply,
    QuestionRow,
    TaskField,
    TaskRow,
    TaskState,
    ThreadStatus,
    WriteMark,
)
from checkpoint_redis.readings import CallerWrites, Header, Loaded, OpenQuestions, OpenTask

_PAST_QUESTIONS = (TaskField.asked, TaskField.asked_again, TaskField.failed)


def read_header(raw: Any, frame: Any = None) -> Header:
    """Read a HeaderRow, and a FrameInfoRow where it is of a frame inside a task."""
    h = HeaderRow._make(raw)
    own = FrameInfoRow._make(frame) if frame else None
    return Header(
        thread_id=text(h.id),
        graph=text(h.graph),
        fp=text(h.fingerprint),
        queue=text(h.queue),
        st=ThreadStatus(text(h.status)),
        run=text(h.run),
        created=number(h.created),
        upd=number(h.updated),
        ep=text(h.epoch),
        cp=text(h.checkpoint),
        step=number(h.step),
        format=number(h.form),
        release=text(h.release),
        metadata=about.decode(h.about or b""),
        frame=frame_info(own, h.graph, h.fingerprint) if own else None,
    )


@checked
def read_loaded(raw: Any) -> Loaded | None:
    """Read a LoadReply; None where there is no thread."""
    if raw is None:
        return None
    found = LoadReply._make(raw)
    run = run_record(found.run)
    loaded = Loaded(
        header=read_header(found.header, found.frame),
        run=run,
        checkpoint=found.checkpoint,
        channels=channels(found.channels, found.lines),
        tasks=(),
        writes={},
        questions=(),
        caller_writes=marked(found.caller_writes),
        log=blobs(found.log),
        logged=number(found.logged),
        left=left_of(found.left),
        wide=bool(found.wide),
        failure=found.failure or b"",
    )
    if not found.open:
        return loaded
    opened = OpenReply._make(found.open)
    return with_open(loaded, pairs(opened.tasks), pairs(opened.writes), pairs(opened.questions))


@checked
def with_open(
    loaded: Loaded, s: Mapping[str, bytes], w: dict[str, bytes], u: Mapping[str, bytes]
) -> Loaded:
    """Return ``loaded`` with the superstep whose tasks, writes and questions are stored so."""
    error = loaded.run.error if loaded.run else b""
    tasks = (field.removeprefix(TaskField.record) for field in s if _is_task(field))
    return replace(
        loaded,
        tasks=tuple(_open_task(s, tid, error) for tid in tasks),
        writes=w,
        questions=tuple(_asked(u, s, tid) for tid in u),
        caller_writes=_open_writes(s) if s else loaded.caller_writes,
    )


def _is_task(field: str) -> bool:
    return field.startswith(TaskField.record)


def _open_writes(s: Mapping[str, bytes]) -> CallerWrites:
    names = takewhile(s.__contains__, (f"{TaskField.caller_write}{n}" for n in count()))
    return CallerWrites(tuple(s[name] for name in names))


def marked(raw: Sequence[bytes]) -> CallerWrites:
    """Read caller writes that stand beside a checkpoint, after their mark."""
    if not raw:
        return CallerWrites()
    mark, *written = raw
    return CallerWrites(blobs(written), WriteMark(text(mark)) is WriteMark.followed)


def _open_task(s: Mapping[str, bytes], tid: str, of_run: bytes) -> OpenTask:
    """Read a task; the error of the one that ended the run is the run's."""
    known = row(TaskRow, record(s[f"{TaskField.record}{tid}"]))
    error = s.get(f"{TaskField.error}{tid}")
    return OpenTask(
        tid=tid,
        st=TaskState(known.state),
        rnd=known.round,
        att=known.attempts,
        lost=known.lost,
        owner=known.owner,
        queue=known.queue,
        priority=known.priority,
        limit_ms=known.limit,
        batch=known.batch,
        packet=known.packet,
        blob=s[f"{TaskField.blob}{tid}"],
        answers=tuple(s[f"{TaskField.answer}{tid}|{n}"] for n in range(known.answers)),
        error=of_run if error == b"" else error,
        asked=answered(b"".join(s.get(f"{each}{tid}", b"") for each in _PAST_QUESTIONS)),
        risen=known.risen,
    )


def _asked(u: Mapping[str, bytes], s: Mapping[str, bytes], tid: str) -> OpenQuestions:
    rows = (row(QuestionRow, each) for each in record(u[tid]))
    questions = tuple((each.iid, int(each.deadline)) for each in rows)
    return OpenQuestions(tid, questions, s[f"{TaskField.question}{tid}"])
