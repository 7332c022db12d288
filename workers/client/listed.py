"""What a list tells of a thread: its line, with the questions that wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from checkpoint_redis.layout import QuestionRow
from checkpoint_redis.readings import Listed, ListedQuestions
from distgraph.core.model import Interrupted
from distgraph.errors import DistGraphError
from distgraph.types import Interrupt

from ..shared.wire import Wire


@dataclass(frozen=True, slots=True)
class UnreadableValue:
    """Stands for the value of a question that this process cannot read: ``reason`` says why."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """One line of a list of threads; ``cursor`` is where the list goes on behind it.

    ``updated`` is when a run began or ended, or the state was written; ``metadata`` the scalars of
    the config of the last start that brought some.

    ``interrupts`` are the questions that wait, the oldest first: of 20 tasks, in 64 KB. ``more``
    tells that there are others, which ``backend.thread(id).interrupts`` has. A value of a class
    that this process does not know is an UnreadableValue. ``deadline`` is the first of theirs.

    ``version`` is the fingerprint of its graph, ``format`` the highest form that is stored of it.
    """

    id: str
    status: str
    graph: str
    run: str
    created: datetime
    updated: datetime
    metadata: Mapping[str, Any]
    cursor: str
    interrupts: tuple[Interrupt, ...]
    more: bool
    deadline: datetime | None
    version: str
    format: int


def info_of(wire: Wire, listed: Listed) -> ThreadInfo:
    """Return the line of a thread."""
    own = wire.of(listed.graph)
    rows = tuple(row for asked in listed.asked for row in asked.rows)
    values = {each.id: each for asked in listed.asked for each in _questions(own, asked)}
    return ThreadInfo(
        id=listed.thread_id,
        status=listed.st.value,
        graph=listed.graph,
        run=listed.run,
        created=moment(listed.created),
        updated=moment(listed.upd),
        metadata=listed.metadata,
        cursor=listed.place,
        interrupts=tuple(values[row.iid] for row in sorted(rows, key=_age) if row.iid in values),
        more=listed.more,
        deadline=_first_deadline(rows),
        version=listed.fp,
        format=listed.format,
    )


def _age(row: QuestionRow) -> tuple[int, str]:
    return row.asked, row.iid


def _first_deadline(rows: tuple[QuestionRow, ...]) -> datetime | None:
    named = [row.deadline for row in rows if row.deadline]
    return moment(min(named)) if named else None


def _questions(wire: Wire, asked: ListedQuestions) -> Iterator[Interrupt]:
    """Yield what a task asks; where that cannot be read, what is known of it."""
    try:
        result = wire.read_asked(asked.blob, ((row.iid, row.deadline) for row in asked.rows))
    except DistGraphError as error:
        yield from (_unreadable(row, str(error)) for row in asked.rows)
        return
    if isinstance(result, Interrupted):
        yield from (question.interrupt for question in result.questions)


def _unreadable(row: QuestionRow, reason: str) -> Interrupt:
    return Interrupt(UnreadableValue(reason), row.iid, _first_deadline((row,)))


def moment(ms: int) -> datetime:
    """Return a time of Redis as people have it."""
    return datetime.fromtimestamp(ms / 1000, UTC)
