"""Gives what takes the place of an answer to questions that nobody answered in time.

It is given as any answer is: where somebody was faster, or another sweep, nothing is changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence

from checkpoint_redis import commands
from checkpoint_redis.commands import Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import DueKind
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.records import AnswerEntry
from checkpoint_redis.replies import Answered, Due, OutboxEntry

from ..shared.supersteps import nonce


def expire(
    ledger: Ledger, namespace: str, found: Iterable[Due]
) -> Iterator[tuple[str, tuple[OutboxEntry, ...]]]:
    """Answer the questions whose deadlines were ``found`` to be over; return threads and hints.

    What is not accepted, since the thread is moved on at the moment, is found again.
    """
    asking = [
        (Thread.from_x(namespace, due.x), due.tid) for due in found if due.kind is DueKind.deadline
    ]
    read = ledger.together([commands.late(*each) for each in asking]) if asking else ()
    given = [(*each, late) for each, late in zip(asking, read, strict=True) if late]
    answers = [_answer(*each) for each in given]
    for (thread, _, _), answered in zip(given, _all(ledger, answers), strict=True):
        yield thread.x, answered.hints


def _all(ledger: Ledger, answers: Sequence[Script[Answered]]) -> Iterable[Answered]:
    return ledger.together(answers) if answers else ()


def _answer(thread: Thread, tid: str, late: tuple[tuple[str, bytes], ...]) -> Script[Answered]:
    pairs = tuple(AnswerEntry("", tid, iid, blob) for iid, blob in late)
    return commands.answer(thread, str(uuid.uuid4()), "resume", pairs, rnd=nonce(), late=True)
