"""Threads whose calls go on with more tasks than one script may: with more than none of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from checkpoint_redis import answers, commands
from checkpoint_redis.commands import Script
from checkpoint_redis.layout import QuestionId, TaskField, ThreadKey
from checkpoint_redis.records import AnswerEntry, QuestionEntry, ResultEntry, StagedAnswers
from checkpoint_redis.replies import Answered, Moved, Staged
from distgraph.effects import carry
from tests.support.bounded import bounded
from tests.support.thread_driver import LEASE, Driver

ROUND = "round"


@contextmanager
def narrow(moved: int = 1) -> Iterator[None]:
    """Have one script go on with no task at once, and with `moved` tasks in a slice."""
    with bounded(together=0, moved=moved, packed_fields=0):
        yield


def pair(tid: str, number: int = 1) -> AnswerEntry:
    return AnswerEntry("", tid, f"{tid}{number}", f"answer {tid}{number}".encode())


def asking(d: Driver, *tids: str) -> str:
    """Have tasks ask what is named after them."""
    ep = d.started(*tids)
    d.claim(ep, *tids)
    for tid in tids:
        d.ask(ep, tid, f"{tid}1")
    return ep


def ask_twice(d: Driver, ep: str, tid: str) -> None:
    """Have a task ask two questions at once."""
    asked = (QuestionEntry(f"{tid}1"), QuestionEntry(f"{tid}2"))
    asks = ResultEntry(tid, "", b"question", questions=asked)
    d.ledger.complete(d.thread, "", ep, (asks,), tok="t", tok2="adv", lease_ms=LEASE)


def stopped(d: Driver, *tids: str) -> str:
    """Leave the graphs that tasks call at breakpoints."""
    ep = d.started(*tids)
    d.claim(ep, *tids)
    for tid in tids:
        d.ask(ep, tid, QuestionId.stopped)
    return ep


def failed(d: Driver, *tids: str) -> str:
    """End the run with tasks that failed for good."""
    ep = d.started(*tids)
    d.claim(ep, *tids)
    for tid in tids:
        d.fail(ep, tid)
    return ep


def stage(d: Driver, *pairs: AnswerEntry, number: int = 0, rnd: str = ROUND) -> Staged:
    return d.ledger.call(commands.stage_answers(d.thread, rnd, number, pairs))


def begin(d: Driver, staged: StagedAnswers, run: str = "run-2", rnd: str = ROUND) -> Answered:
    """Give answers that were staged."""
    given = commands.answer(d.thread, run, "resume", rnd=rnd, staged=staged, by="ann")
    return d.ledger.call(given)


def give(d: Driver, *pairs: AnswerEntry, run: str = "run-2", rnd: str = ROUND) -> Answered:
    """Give answers as a client does, up to what moves them to their tasks."""

    def command(pairs: answers.Pairs, staged: StagedAnswers) -> Script[Answered]:
        return commands.answer(d.thread, run, "resume", pairs, rnd=rnd, staged=staged, by="ann")

    return carry(answers.give(d.thread, rnd, pairs, command), d.ledger.call)


def move(d: Driver) -> Moved:
    return d.ledger.call(commands.move(d.thread))


def moves(d: Driver) -> list[set[str]]:
    """Move all that is to be moved; return which tasks each slice queued."""
    told, moved = [], Moved(moves=True)
    while moved.moves:
        moved = move(d)
        told.append({hint.tid for hint in moved.hints})
    return told


def is_moving(d: Driver) -> bool:
    """Tell whether something waits to be moved."""
    return bool(d.client.hexists(f"{d.thread.prefix}{ThreadKey.tasks}", TaskField.move))


def active(d: Driver) -> set[bytes]:
    found: set[bytes] = d.client.smembers(f"{d.thread.prefix}{ThreadKey.active}")
    return found


def keys(d: Driver, *kinds: ThreadKey) -> set[str]:
    """Return which of some keys there are."""
    return {kind.value for kind in kinds} & d.stored()
