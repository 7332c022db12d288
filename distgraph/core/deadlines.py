"""Deadlines of questions: when they end, which of them are over, and what is answered then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from distgraph._deadline import is_time, moment
from distgraph.core.model import Expired, Interrupted, Question, Result, ThreadState
from distgraph.core.resume import Reply, answer_to, pending
from distgraph.errors import CorruptRecord


def timed(result: Result, kept: Mapping[str, int], now: int) -> Result:
    """Return what a task left, with the times of its questions; ``now`` in ms since 1970.

    ``kept``: the times that those of its questions keep which were asked before, by their places.
    """
    if not isinstance(result, Interrupted):
        return result
    timed_ = tuple(_timed(each, kept, now) for each in result.questions)
    return Interrupted(timed_, result.refused)


def _timed(question: Question, kept: Mapping[str, int], now: int) -> Question:
    asked, deadline = question.interrupt, question.deadline
    question = Question(asked, question.ns, deadline, question.place, question.slot, now)
    if deadline is None:
        return question
    return until(question, kept.get(question.place) or deadline.at or now + (deadline.within or 0))


def until(question: Question, at: int) -> Question:
    """Return a question with a deadline whose time is known: ``at`` in ms since 1970."""
    if question.deadline is None:
        return question
    asked = replace(question.interrupt, deadline=moment(at))
    return replace(question, interrupt=asked, deadline=replace(question.deadline, at=at))


def told(result: Result, stored: Mapping[str, int]) -> Result:
    """Return what a task left, with the times that are ``stored`` of its questions by their ids."""
    if not isinstance(result, Interrupted) or not any(stored.values()):
        return result
    if not all(is_time(at) for at in stored.values() if at):
        raise CorruptRecord("The deadline of a question is no time.")
    known = ((each, stored.get(each.interrupt.id)) for each in result.questions)
    return Interrupted(tuple(until(each, at) if at else each for each, at in known))


def times(result: Result | None) -> dict[str, int]:
    """Return the times that are known of a task's questions, by their places."""
    if not isinstance(result, Interrupted):
        return {}
    return {
        question.place: question.deadline.at
        for question in result.questions
        if question.deadline and question.deadline.at
    }


def expired(state: ThreadState, now: int) -> tuple[Reply, ...]:
    """Return what the questions are answered whose deadlines are over."""
    return tuple(
        Reply(
            task, answer_to(question, Expired(question.deadline.fails, question.deadline.default))
        )
        for task, question in pending(state).values()
        if question.deadline and question.deadline.at and question.deadline.at <= now
    )
