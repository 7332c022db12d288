"""Deliver answers: each to exactly the question that it names, or to none."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from distgraph.core.begin import goes_on, without_results
from distgraph.core.model import (
    ROUND,
    Answer,
    Completed,
    Errored,
    Escaped,
    GivenBy,
    Interrupted,
    Question,
    Result,
    Slot,
    ThreadState,
)
from distgraph.errors import AmbiguousResume, NoSuchInterrupt, NothingToResume

How = Literal["resume", "reask", "retry", "continue"]
"""How a thread goes on: answered, asked again, tried again, or simply from where it stands."""
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way: ``task`` is the task of this frame that asks, or holds the asker."""

    task: str
    answer: Answer


def pending(state: ThreadState) -> dict[str, tuple[str, Question]]:
    """Return the questions that wait: interrupt id -> (task id, question)."""
    return {
        question.interrupt.id: (task, question)
        for task, result in state.results.items()
        if isinstance(result, Interrupted)
        for question in result.questions
    }


def is_by_id(value: Any) -> bool:
    """Whether a resume value is ``{interrupt id: answer}`` rather than a bare answer."""
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(key, str) and _ID.fullmatch(key) for key in value)


def bind(state: ThreadState, value: Any, late: Collection[str] = ()) -> tuple[Reply, ...]:
    """Return the replies that ``Command(resume=value)`` means at this moment.

    Questions whose ids are among ``late`` wait for no answer any more. Raises NothingToResume when
    nothing waits, NoSuchInterrupt for an id that is not pending, and AmbiguousResume for a bare
    value when several questions are pending. At a static breakpoint a bare value is an empty
    tuple: it only releases the breakpoint.
    """
    waiting = {iid: each for iid, each in pending(state).items() if iid not in late}
    if is_by_id(value):
        if unknown := [iid for iid in value if iid not in waiting]:
            raise NoSuchInterrupt(unknown, list(waiting))
        return tuple(_reply(waiting[iid], answer) for iid, answer in value.items())
    if len(waiting) > 1:
        what = (
            "When there are multiple pending interrupts, you must specify the interrupt id when "
            f"resuming. Pending now: {', '.join(waiting)}."
        )
        raise AmbiguousResume(what, "That is Command(resume={id: value}).")
    if not waiting and late:
        what = "The deadline of what this thread asked is over: an answer comes too late."
        raise NothingToResume(what, "Send None to go on with what happens without an answer.")
    if not waiting:
        if not _at_breakpoint(state):
            todo = "Send an input to start a new run, or None to continue or retry the last one."
            raise NothingToResume("An answer was sent to a thread that waits for nothing.", todo)
        return ()
    return tuple(_reply(asked, value) for asked in waiting.values())


def bind_again(state: ThreadState, value: Any, ns: str) -> tuple[Reply, ...] | None:
    """Return what an answer means at an older checkpoint whose questions all have answers.

    None where that is not so. What was asked there is given those; a bare value is for what the
    tasks ask next, as in LangGraph. ``ns`` is the frame.
    """
    if pending(state) or not any(state.answers.values()):
        return None
    if not is_by_id(value):
        return tuple(Reply(task, _next(given, value, ns)) for task, given in state.answers.items())
    known = {answer.id for given in state.answers.values() for answer in given}
    return () if value.keys() <= known else None


def _next(given: tuple[Answer, ...], value: Any, ns: str) -> Answer:
    """Return ``value`` as the answer to what a node asks itself next, after ``given`` ones."""
    n = sum(1 for answer in given if answer.ns == ns and answer.id)
    return Answer("", ns, value, Slot(n=n, index=n))


def as_first(answer: Answer, ns: str) -> Answer:
    """Return ``answer`` as the one to what a task of the frame ``ns`` asks first."""
    return Answer(answer.id, ns, answer.value, told=answer.told)


def _reply(asked: tuple[str, Question], value: Any) -> Reply:
    task, question = asked
    return Reply(task, answer_to(question, value))


def answer_to(question: Question, value: Any) -> Answer:
    """Return ``value`` as the answer to ``question``."""
    told = GivenBy(asked=question.asked)
    return Answer(question.interrupt.id, question.ns, value, question.slot, told)


def given_by(replies: tuple[Reply, ...], now: int, by: str = "") -> tuple[Reply, ...]:
    """Return ``replies`` with when they are given and by whom; 0 = the store notes that itself."""
    return tuple(_given_by(reply, now, by) for reply in replies) if now else replies


def _given_by(reply: Reply, now: int, by: str) -> Reply:
    old = reply.answer
    told = GivenBy(old.told.asked, now, by)
    return Reply(reply.task, Answer(old.id, old.ns, old.value, old.slot, told))


def _at_breakpoint(state: ThreadState) -> bool:
    """A static breakpoint is an open superstep of which nothing has run or failed.

    At one inside a task nothing failed either, and a graph that is called there has stopped.
    """
    results = state.results.values()
    if any(isinstance(result, Errored) for result in results):
        return False
    return any(map(_is_stopped, results)) or (bool(state.checkpoint.frontier) and not results)


def how_to_go_on(state: ThreadState, replies: tuple[Reply, ...]) -> How:
    """Return how ``state``, of which nothing is opened again yet, goes on with ``replies``.

    A superstep that failed, was cut short, or could not be reduced is tried again, also when some
    of its tasks ask. One of which nothing has run is continued: a static breakpoint is released.
    """
    if replies:
        return "resume"
    results = state.results.values()
    if any(isinstance(result, Errored) for result in results):
        return "retry"
    if any(isinstance(result, Interrupted) for result in results):
        return "reask"
    return "retry" if results else "continue"


def deliver(state: ThreadState, replies: tuple[Reply, ...], released: str) -> ThreadState:
    """Return ``state`` with the answered tasks to be run again, each with all its answers.

    So are those whose graph stopped at a breakpoint. ``released`` is the checkpoint whose
    breakpoint is.
    """
    answers = given_answers(state, replies)
    stopped = {tid for tid, result in state.results.items() if _is_stopped(result)}
    undone = stopped | {reply.task for reply in replies}
    kept = {tid: result for tid, result in state.results.items() if tid not in undone}
    return replace(state, results=kept, answers=answers, released=released)


def given_answers(
    state: ThreadState, replies: tuple[Reply, ...]
) -> Mapping[str, tuple[Answer, ...]]:
    """Return the answers of ``state`` with those of ``replies``; of what has no id the last."""
    answers = dict(state.answers)
    for reply in replies:
        before = answers.get(reply.task, ())
        kept = tuple(answer for answer in before if answer.id or reply.answer.id)
        answers[reply.task] = (*kept, reply.answer)
    return answers


def nested_replies(state: ThreadState, answers: tuple[Answer, ...]) -> tuple[Reply, ...]:
    """Return which of the answers of the task around a called graph its questions wait for."""
    waiting = pending(state)
    return tuple(Reply(waiting[answer.id][0], answer) for answer in answers if answer.id in waiting)


def rejoin(
    state: ThreadState,
    replies: tuple[Reply, ...],
    round_: str = "",
    in_hand: Collection[str] = (),
    *,
    asks_again: bool = False,
) -> ThreadState:
    """Return the ``state`` of a called graph for a call that goes on with it.

    Failed tasks run again, and a breakpoint here is released: but not where an attempt of the same
    round came to it, of whose stop nobody was told. So it is with what left the graph by a command:
    the same round takes it, a later one finds that the graph around could not. Where nothing is
    answered and the run ``asks_again``, tasks that ask do so too: a graph inside one may have been
    updated. The failures ``in_hand`` are those of error handlers.
    """
    here = state.checkpoint
    same = bool(round_) and here.metadata.get(ROUND) == round_
    undone: Any = Errored if same else Errored | Escaped
    undone = undone | Interrupted if asks_again and not replies else undone
    left = state.results.items()
    opened = without_results(
        state, {t for t, r in left if isinstance(r, undone) and t not in in_hand}
    )
    return deliver(opened, replies, released="" if same and not goes_on(here) else here.id)


def _is_stopped(result: Result) -> bool:
    """Whether a task waits only for the thread to go on: its graph is at a breakpoint."""
    return isinstance(result, Interrupted) and not result.questions


def add_caller_write(state: ThreadState, caller_write: Completed | None) -> ThreadState:
    """Return ``state`` with a caller's update and gotos added to its open superstep."""
    if caller_write is None:
        return state
    return replace(state, caller_writes=(*state.caller_writes, caller_write))
