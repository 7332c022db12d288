"""A thread's past: its last runs and who started them, its questions and who answered them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from checkpoint_redis import commands, loading
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import RunStatus
from checkpoint_redis.readings import LeftTask, Loaded, OpenTask, RunLine, RunRecord
from distgraph.core.model import Expired, Interrupted
from distgraph.types import Interrupt

from ..shared.wire import Wire
from .effects import Effect
from .listed import moment

CHUNK = 50


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One line of a thread's runs.

    ``kind`` is how it began: start, resume, reask or retry. ``checkpoint`` is the one that it ended
    at, ``ended`` is None while it is under way. ``by`` is who started it, '' when that was not
    said; of runs before the last only its first 14 bytes are kept.
    """

    id: str
    kind: str
    status: str
    checkpoint: str
    began: datetime
    ended: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class AnswerInfo:
    """A question that was answered, and by whom; '' when that was not said.

    ``expired``: nobody did before its deadline, so that the value is its default, or None where
    ``InterruptTimeout`` was raised instead.
    ``checkpoint`` is the one from which the task ran that asked. ``backend.run(thread, run)`` gives
    the run that the answer began or joined.
    """

    interrupt: Interrupt
    value: Any
    checkpoint: str
    asked: datetime
    answered: datetime
    run: str
    by: str
    expired: bool = False


def run_info(run: str, known: RunLine | RunRecord) -> RunInfo:
    """Return the line of ``run``, of which that is ``known``."""
    ended = None if known.status is RunStatus.pending else moment(known.ended)
    began = moment(known.began)
    return RunInfo(run, known.kind, known.status.value, known.cp, began, ended, known.by)


def answers(
    wire: Wire, thread: Thread, limit: int | None
) -> Generator[Effect, Any, list[AnswerInfo]]:
    """Return what was answered on ``thread``, newest first."""
    loaded: Loaded | None = yield from loading.load(thread)
    wire = wire if loaded is None else wire.of(loaded.header.graph)
    found = list(_answers(wire, loaded.header.cp, loaded.tasks)) if loaded else []
    before, more = "", loaded is not None
    while more and (limit is None or len(found) < limit):
        ids: tuple[str, ...] = yield commands.history(thread, "", before, CHUNK)
        found += yield from _left(wire, thread, ids)
        before, more = ids[-1] if ids else "", len(ids) == CHUNK
    return sorted(found, key=lambda each: each.answered, reverse=True)[:limit]


def _left(
    wire: Wire, thread: Thread, ids: tuple[str, ...]
) -> Generator[Effect, Any, list[AnswerInfo]]:
    """Return what was answered to the tasks that ran from these checkpoints."""
    left = yield from loading.values(partial(commands.left, thread, ""), ids)
    # A large superstep, of which nothing comes here, kept its results alone.
    return [each for cp in ids for each in _answers(wire, cp, left[cp] or ())]


def _answers(wire: Wire, cp: str, tasks: Iterable[OpenTask | LeftTask]) -> Iterator[AnswerInfo]:
    for task in tasks:
        yield from _answers_of(wire, cp, task)


def _answers_of(wire: Wire, cp: str, task: OpenTask | LeftTask) -> Iterator[AnswerInfo]:
    """Yield the questions of a task that were answered: others were asked beside them."""
    given = {answer.id: answer.value for answer in wire.read_answers(task.answers)}
    for each in task.asked:
        asking, times = wire.read_asked(each.blob, each.deadlines), dict(each.questions)
        for question in asking.questions if isinstance(asking, Interrupted) else ():
            asked = question.interrupt
            if each.run and asked.id in given and asked.id in times:
                when = moment(times[asked.id]), moment(each.at)
                value, expired = _given(given[asked.id])
                yield AnswerInfo(asked, value, cp, *when, each.run, each.by, expired)


def _given(value: Any) -> tuple[Any, bool]:
    return (value.default, True) if isinstance(value, Expired) else (value, False)
