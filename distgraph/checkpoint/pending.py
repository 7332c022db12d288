"""What tasks left, and what callers added, as the pending writes of a checkpoint; and back.

A task that asks, or whose failure others go on with, has its whole record in ``__result__``
besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, assert_never

from distgraph._brief import brief
from distgraph._deadline import is_time
from distgraph.checkpoint.base.types import (
    ANSWERED,
    CALLER_WRITES,
    DEADLINES,
    ERROR,
    ERROR_SOURCE,
    GAPS,
    INTERRUPT,
    NO_WRITES,
    RELEASED,
    RESULT,
    RESUME,
    TASKS,
    WRITES_IDX_MAP,
    PendingWrite,
)
from distgraph.checkpoint.records import (
    pack_answer,
    pack_result,
    unpack_answer,
    unpack_completed,
    unpack_result,
)
from distgraph.core.deadlines import times
from distgraph.core.model import (
    NULL_TASK,
    Answer,
    Checkpoint,
    Completed,
    Errored,
    Escaped,
    Interrupted,
    Result,
    Target,
    Task,
    ThreadState,
    Write,
)
from distgraph.errors import CorruptRecord
from distgraph.types import Interrupt, Send

V = TypeVar("V")
BRANCH = "branch:to:"
EMPTY: Mapping[str, int] = MappingProxyType({})
_UNKNOWN = "builtins.Exception"
"""What is known of the class of a failure that left its text alone."""
TaskWrites = tuple[str, list[Write]]
"""A task id and the writes that ``put_writes`` gets for it."""


def encode_result(task: Task, result: Result, kept: Mapping[str, int] = EMPTY) -> list[Write]:
    """Return the pending writes that say what ``task`` left.

    A failure that an error handler may take names the node too. ``kept``: the times of what it
    asked before, by place, which those of its questions come on top.
    """
    taken = isinstance(result, Errored) and not result.is_settled
    source = [(ERROR_SOURCE, task.node)] if taken else []
    known = times(result)
    timed = [(DEADLINES, {**kept, **known})] if known else []
    return [*encode_left(result), *source, *timed]


def encode_left(result: Result) -> list[Write]:
    """Return the pending writes that say what a task left; the text alone of a settled failure."""
    match result:
        case Completed(writes, goto):
            return [*writes, *map(_goto, goto)] or [(NO_WRITES, None)]
        case Interrupted(questions):
            asked = [question.interrupt for question in questions]
            return [(INTERRUPT, asked), (RESULT, pack_result(result))]
        case Errored(is_settled=True):
            return [(ERROR, str(result))]
        case Errored():
            return [(ERROR, str(result)), (RESULT, pack_result(result))]
        case Escaped():
            return [(RESULT, pack_result(result))]
        case _:
            assert_never(result)


def _goto(target: Target) -> Write:
    return (TASKS, target) if isinstance(target, Send) else (f"{BRANCH}{target}", None)


def encode_answers(answers: Iterable[Answer]) -> list[Write]:
    """Return the pending writes of a task with all its answers so far.

    They are LangGraph's list, in the order of the questions, unless one that was asked before
    another has no answer yet: then they stand in a record, and which belongs where beside it.
    """
    given = sorted(answers, key=lambda answer: answer.slot.index)
    whose = [pack_answer(answer)[:-1] for answer in given]
    values = [answer.value for answer in given]
    return [(RESUME, {GAPS: values} if _has_gaps(given) else values), (ANSWERED, whose)]


def _has_gaps(given: list[Answer]) -> bool:
    """Whether in some frame the answers are not those to its first questions."""
    asked: dict[str, list[int]] = {}
    for answer in given:
        asked.setdefault(answer.ns, []).append(answer.slot.index)
    return any(found != list(range(len(found))) for found in asked.values())


def encode_caller_writes(caller_writes: Iterable[Completed]) -> list[Write]:
    """Return the pending writes of the null task: all that callers added to the open superstep."""
    return [(CALLER_WRITES, [pack_result(written) for written in caller_writes])]


def encode_released(released: str) -> list[Write]:
    """Return the pending writes of the null task that release a static breakpoint."""
    return [(RELEASED, released)]


def encode_changes(before: ThreadState | None, after: ThreadState) -> list[TaskWrites]:
    """Return the ``put_writes`` calls that make what is stored of ``before`` into ``after``.

    Both stand at the same checkpoint; None means that nothing but the checkpoint is stored yet.
    A completed task cannot be taken back.
    """
    old = before or ThreadState(after.checkpoint)
    tasks = dict.fromkeys(
        task
        for state in (old, after)
        for t in (state.results, state.answers, state.deadlines)
        for task in t
    )
    calls = [(task, _task_changes(task, old, after)) for task in tasks]
    calls.append((NULL_TASK, _null_changes(old, after)))
    return [(task, writes) for task, writes in calls if writes]


def _task_changes(task: str, old: ThreadState, new: ThreadState) -> list[Write]:
    writes: list[Write] = []
    if (answers := new.answers.get(task, ())) != old.answers.get(task, ()):
        writes += encode_answers(answers)
    if (result := new.results.get(task)) != old.results.get(task):
        writes += [(RESULT, None)] if result is None else encode_left(result)
    if (times := new.deadlines.get(task, {})) != old.deadlines.get(task, {}):
        writes.append((DEADLINES, dict(times)))
    return writes


def _null_changes(old: ThreadState, new: ThreadState) -> list[Write]:
    same = new.caller_writes == old.caller_writes
    writes = [] if same else encode_caller_writes(new.caller_writes)
    return writes + encode_released(new.released) if new.released != old.released else writes


# --- and back ---------------------------------------------------------------------------------


class _Left(NamedTuple):
    """Everything that is stored about one task."""

    result: Result | None
    answers: tuple[Answer, ...]
    asked: tuple[Interrupt, ...] = ()
    failed: str = ""
    deadlines: Mapping[str, int] = EMPTY


def decode_writes(checkpoint: Checkpoint, stored: Iterable[PendingWrite]) -> ThreadState:
    """Return the state of the frame whose superstep from ``checkpoint`` left ``stored``."""
    writes: dict[str, list[Write]] = {}
    for task, channel, value in stored:
        writes.setdefault(task, []).append((channel, value))
    caller_writes = dict(writes.pop(NULL_TASK, ()))
    left = {task: _reopened(_decode_task(some)) for task, some in writes.items()}
    return ThreadState(
        checkpoint=checkpoint,
        results={task: t.result for task, t in left.items() if t.result is not None},
        answers={task: t.answers for task, t in left.items() if t.answers},
        caller_writes=tuple(map(unpack_completed, _stored(caller_writes, CALLER_WRITES, []))),
        released=_stored(caller_writes, RELEASED, ""),
        asked={task: t.asked for task, t in left.items() if t.asked},
        failed={task: t.failed for task, t in left.items() if t.failed},
        deadlines={task: t.deadlines for task, t in left.items() if t.deadlines},
    )


def _stored(writes: Mapping[str, Any], channel: str, default: V) -> V:
    """Return the write to a fixed channel, which must be of the default's type."""
    value = writes.get(channel, default)
    if not isinstance(value, type(default)):
        raise CorruptRecord(f"The pending write {channel!r} holds {brief(value)}.")
    return value


def _decode_task(writes: list[Write]) -> _Left:
    fixed, result = dict(writes), decode_left(writes)
    asked: list[Interrupt] = _stored(fixed, INTERRUPT, [])
    done = isinstance(result, Completed | Escaped)
    return _Left(
        result=result,
        answers=_answers(fixed),
        asked=tuple(asked) if done else (),
        failed=_stored(fixed, ERROR, "") if done else "",
        deadlines=_deadlines(fixed),
    )


def _deadlines(writes: Mapping[str, Any]) -> Mapping[str, int]:
    times: dict[str, int] = _stored(writes, DEADLINES, {})
    if not all(map(is_time, times.values())):
        raise CorruptRecord("The deadlines of what a task asked are no times.")
    return times


def _reopened(left: _Left) -> _Left:
    """A task whose question has an answer is to be run again."""
    if not left.answers or not isinstance(left.result, Interrupted):
        return left
    answered = {answer.id for answer in left.answers}
    if answered.isdisjoint(question.interrupt.id for question in left.result.questions):
        return left
    return left._replace(result=None)


def decode_left(writes: list[Write]) -> Result | None:
    """Return what a task left; one that completed has completed, whatever it left before."""
    ordinary = [write for write in writes if write[0] not in WRITES_IDX_MAP]
    if not ordinary:
        return _recorded(dict(writes))
    kept = [write for write in ordinary if write[0] != NO_WRITES]
    split = next((i for i, write in enumerate(kept) if _is_goto(write)), len(kept))
    return Completed(tuple(kept[:split]), tuple(map(_goto_target, kept[split:])))


def _recorded(writes: Mapping[str, Any]) -> Result | None:
    """Return what stands in a task's record; of a failure without one, which runs again, its text.

    A record of None says that the task is to run again.
    """
    if RESULT in writes:
        packed = writes[RESULT]
        return None if packed is None else unpack_result(packed)
    text = _stored(writes, ERROR, "")
    return Errored(_UNKNOWN, text, shown=text, is_settled=True) if text else None


def _is_goto(write: Write) -> bool:
    return write[0] == TASKS or write[0].startswith(BRANCH)


def _goto_target(write: Write) -> Target:
    channel, value = write
    if channel.startswith(BRANCH):
        return channel.removeprefix(BRANCH)
    if channel == TASKS and isinstance(value, Send):
        return value
    raise CorruptRecord(f"A task's gotos hold the write {channel!r}: {brief(value)}")


def _answers(writes: Mapping[str, Any]) -> tuple[Answer, ...]:
    whose: list[Any] = _stored(writes, ANSWERED, [])
    values = _values(writes)
    if len(values) != len(whose) or not all(isinstance(who, list) for who in whose):
        raise CorruptRecord("A task's answers do not go with the questions that they answer.")
    return tuple(unpack_answer([*who, value]) for who, value in zip(whose, values, strict=True))


def _values(writes: Mapping[str, Any]) -> list[Any]:
    stored = writes.get(RESUME)
    if not isinstance(stored, dict):
        return _stored(writes, RESUME, [])
    return _stored(stored if GAPS in stored else {GAPS: stored}, GAPS, [])
