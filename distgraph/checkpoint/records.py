"""The core's values as plain lists that a serializer can write, and back.

A record is a list with fixed positions, of which the first is the number of its kind's form (see
``formats``; left out below); user values stand in it as they are. Whoever stores a record
encodes it with a serializer, which puts a version of its own first.

==========  =================================================================================
checkpoint  id, parent id or None, step, source, ts, {channel: reference}, [changed channels],
            {channel: as ``lines`` has it}, frontier (as ``targets`` has it), {join: [sources]},
            [deferred], [last], metadata, {ns: parent checkpoint}, and [authors] where they are
            others than the last
completed   0, [channel, value, channel, value, ...], [targets]
interrupted 1, [value, id, ns, slot, value, id, ns, slot, ...], and where some have deadlines
            [[number of the question from 0, place, within, at, fails, default], ...]; then, where
            the store does not know them, [when each was asked]
errored     2, kind, message, traceback, [args], [notes], and [shown, attributes as bytes of their
            own, [errored of each exception in a group], [number of the policy that takes it, of
            each node around]] where there is anything in it
escaped     3, command
answer      id, ns, slot, value; before the value [asked, given, by] where the store does not know
slot        [branch, n, digest, index], of a question
==========  =================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, assert_never

from distgraph._deadline import Deadline, is_time
from distgraph.checkpoint.failures import within
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.lines import pack_line, unpack_line
from distgraph.checkpoint.targets import pack_targets, unpack_targets
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core.deadlines import until
from distgraph.core.model import (
    DRAINS,
    Answer,
    Checkpoint,
    Completed,
    Errored,
    Escaped,
    GivenBy,
    Interrupted,
    Question,
    Result,
    Slot,
    Write,
)
from distgraph.types import Command, Interrupt

COMPLETED, INTERRUPTED, ERRORED, ESCAPED = range(4)
HANDLED, CACHED = "__handled__", "__cached__"
"""Mark, behind its writes, a task of which its error handler left them, or a cache had them."""
_MARKS = frozenset((HANDLED, CACHED))
V = TypeVar("V")


def pack_checkpoint(checkpoint: Checkpoint) -> list[Any]:
    """Return the record of a checkpoint; its values are stored apart, one by one."""
    return numbered(
        Kind.checkpoint,
        checkpoint.id,
        checkpoint.parent_id,
        checkpoint.step,
        checkpoint.source,
        checkpoint.ts,
        dict(checkpoint.versions),
        sorted(checkpoint.changed),
        {name: pack_line(line) for name, line in checkpoint.lines.items()},
        pack_targets(checkpoint.frontier),
        {join: sorted(sources) for join, sources in checkpoint.arrived.items()},
        sorted(checkpoint.deferred),
        list(checkpoint.last),
        dict(checkpoint.metadata),
        dict(checkpoint.parents),
        *([list(checkpoint.authors)] if checkpoint.authors != checkpoint.last else []),
    )


def unpack_checkpoint(packed: Any, values: Mapping[str, Any]) -> Checkpoint:
    """Return the checkpoint of a record and its values; CorruptRecord when it is not one."""
    match fields_of(Kind.checkpoint, packed):
        case [
            str(cid),
            None | str() as parent,
            int(step),
            "input" | "loop" | "update" | "fork" as source,
            str(ts),
            dict(versions),
            list(changed),
            dict(lines),
            list(frontier),
            dict(arrived),
            list(deferred),
            list(last),
            dict(metadata),
            dict(parents),
            *others,
        ] if len(others) < 2:  # noqa: PLR2004 the authors, or nothing
            return Checkpoint(
                id=cid,
                parent_id=parent,
                step=step,
                source=source,
                ts=ts,
                values=values,
                versions=_table(versions, _text),
                changed=_names(changed),
                lines=_table(lines, unpack_line),
                frontier=unpack_targets(frontier),
                arrived=_table(arrived, _names),
                deferred=_names(deferred),
                last=_texts(last),
                authors=_texts(others[0] if others else last),
                metadata=_table(metadata, _anything),
                parents=_table(parents, _text),
            )
        case _:
            raise corrupt(Kind.checkpoint, packed)


def pack_result(result: Result) -> list[Any]:
    """Return the record of what a task left; the live exception of a failure is not in it.

    Nor are its attributes, unless they are ``held``: who runs a graph gets the exception itself.
    """
    match result:
        case Completed(writes, goto, handled, drains, cached):
            marks = (*([HANDLED] if handled else []), *([CACHED] if cached else []))
            marked = (*writes, *((mark, None) for mark in marks))
            marked = (*marked, (DRAINS, [*drains])) if drains else marked
            pairs = [part for write in marked for part in write]
            return numbered(Kind.result, COMPLETED, pairs, pack_targets(goto))
        case Interrupted(questions):
            timed, asked = _pack_deadlines(questions), [each.asked for each in questions]
            rest = [timed, *([asked] if any(asked) else [])] if timed or any(asked) else []
            if schemas := _pack_schemas(questions):
                rest = [timed, asked, schemas]
            return numbered(Kind.result, INTERRUPTED, _pack_questions(questions), *rest)
        case Errored():
            texts = (result.kind, result.message, result.traceback)
            args, notes = list(result.args), list(result.notes)
            return numbered(Kind.result, ERRORED, *texts, args, notes, *_pack_more(result))
        case Escaped(command):
            return numbered(Kind.result, ESCAPED, command)
        case _:
            assert_never(result)


_MORE = 3


def _interrupted(asked: list[Any], more: list[Any]) -> Interrupted:
    """Return the questions of a record, of which ``more`` is deadlines, times, and schemas."""
    if not all(isinstance(each, list) for each in more):
        raise corrupt("list of questions", more)
    timed, times, schemas = [*more, None, None, None][:_MORE]
    known = _with_schemas(_questions(asked, times), schemas or [])
    return Interrupted(_with_deadlines(known, timed or []))


def bounded(packed: Any, dumps: Callable[[Any], bytes]) -> Any:
    """Return the record of what a task left with as much of a failure as is stored."""
    match packed:
        case [_, int(kind), *_] if kind == ERRORED:
            return pack_result(within(unpack_errored(packed), dumps))
        case _:
            return packed


def unpack_result(packed: Any) -> Result:
    """Return what a task left; CorruptRecord when ``packed`` is no record of it."""
    match fields_of(Kind.result, packed):
        case [int(kind), list(writes), list(goto)] if kind == COMPLETED:
            return _completed(writes, goto)
        case [int(kind), list(asked), *more] if kind == INTERRUPTED and len(more) <= _MORE:
            return _interrupted(asked, more)
        case [
            int(kind),
            str(name),
            str(message),
            str(traceback),
            list(args),
            list(notes),
            *more,
        ] if kind == ERRORED:
            known = _more(more)
            return Errored(name, message, traceback, tuple(args), _texts(notes), *known)
        case [int(kind), Command() as command] if kind == ESCAPED:
            return Escaped(command)
    raise corrupt(Kind.result, packed)


def _pack_more(error: Errored) -> list[Any]:
    if not (error.shown or error.held or error.inner or error.around):
        return []
    around = [[*error.around]] if error.around else []
    return [[error.shown, error.held, [pack_result(each) for each in error.inner], *around]]


def _more(packed: list[Any]) -> tuple[str, bytes, tuple[Errored, ...], tuple[int, ...]]:
    match packed:
        case []:
            return "", b"", (), ()
        case [[str(shown), bytes(held), list(inner)]]:
            return shown, held, tuple(map(unpack_errored, inner)), ()
        case [[str(shown), bytes(held), list(inner), list(around)]] if _are_numbers(around):
            return shown, held, tuple(map(unpack_errored, inner)), tuple(around)
        case _:
            raise corrupt("failure", packed)


def _are_numbers(packed: list[Any]) -> bool:
    return all(type(each) is int for each in packed)


def unpack_errored(packed: Any) -> Errored:
    """Return the failure of a record; CorruptRecord when it is anything else."""
    result = unpack_result(packed)
    if not isinstance(result, Errored):
        raise corrupt("failure", packed)
    return result


def unpack_completed(packed: Any) -> Completed:
    """Return the completed task of a record; CorruptRecord when it is anything else."""
    result = unpack_result(packed)
    if not isinstance(result, Completed):
        raise corrupt("completed task", packed)
    return result


def _completed(writes: list[Any], goto: list[Any]) -> Completed:
    if len(writes) % 2:
        raise corrupt("list of writes", writes)
    pairs = tuple(zip(_texts(writes[::2]), writes[1::2], strict=True))
    pairs, drains = _drains(pairs)
    marks = {name for name, _ in pairs[-len(_MARKS) :]} & _MARKS
    kept = pairs[: len(pairs) - len(marks)]
    return Completed(kept, unpack_targets(goto), HANDLED in marks, drains, CACHED in marks)


def _drains(pairs: tuple[Write, ...]) -> tuple[tuple[Write, ...], tuple[str, str] | None]:
    """Return the writes of a record, and which run its task has asked to stop."""
    match pairs:
        case [*writes, (name, [str(run), str(reason)])] if name == DRAINS:
            return tuple(writes), (run, reason)
        case _:
            return pairs, None


def pack_answer(answer: Answer) -> list[Any]:
    """Return the record of an answer."""
    told = answer.told
    known = [[told.asked, told.given, told.by]] if told.given else []
    return numbered(
        Kind.answer, answer.id, answer.ns, _pack_slot(answer.slot), *known, answer.value
    )


def unpack_answer(packed: Any) -> Answer:
    """Return the answer of a record; CorruptRecord when it is not one."""
    match fields_of(Kind.answer, packed):
        case [str(qid), str(ns), slot, value]:
            return Answer(qid, ns, value, _slot(slot))
        case [str(qid), str(ns), slot, told, value]:
            return Answer(qid, ns, value, _slot(slot), _told(told))
        case _:
            raise corrupt(Kind.answer, packed)


def _told(packed: Any) -> GivenBy:
    match packed:
        case [int(asked), int(given), str(by)] if is_time(given) and (not asked or is_time(asked)):
            return GivenBy(asked, given, by)
        case _:
            raise corrupt("what is told of an answer", packed)


def unpack_answers(packed: Any) -> tuple[Answer, ...]:
    """Return a task's answers; CorruptRecord when ``packed`` is no list of them."""
    if not isinstance(packed, list):
        raise corrupt("list of answers", packed)
    return tuple(map(unpack_answer, packed))


def _pack_questions(questions: tuple[Question, ...]) -> list[Any]:
    return [
        part
        for q in questions
        for part in (q.interrupt.value, q.interrupt.id, q.ns, _pack_slot(q.slot))
    ]


def _questions(parts: list[Any], times: list[Any] | None = None) -> tuple[Question, ...]:
    """Return the questions of a record; ``times`` are when each was asked, None = not known."""
    if len(parts) % 4:
        raise corrupt("list of questions", parts)
    asked = [0] * (len(parts) // 4) if times is None else times
    if len(asked) * 4 != len(parts) or not all(each == 0 or is_time(each) for each in asked):
        raise corrupt("list of times", asked)
    rows = zip(
        parts[::4], _texts(parts[1::4]), _texts(parts[2::4]), parts[3::4], asked, strict=True
    )
    return tuple(
        Question(Interrupt(value, qid), ns, slot=_slot(slot), asked=at)
        for value, qid, ns, slot, at in rows
    )


def _pack_slot(slot: Slot) -> list[Any]:
    return [slot.branch, slot.n, slot.digest, slot.index]


_SLOT = [str, int, str, int]


def _slot(packed: Any) -> Slot:
    if isinstance(packed, list) and [type(part) for part in packed] == _SLOT:
        return Slot(*packed)
    raise corrupt("place of a question", packed)


def _pack_deadlines(questions: tuple[Question, ...]) -> list[Any]:
    return [
        [number, q.place, q.deadline.within, q.deadline.at, q.deadline.fails, q.deadline.default]
        for number, q in enumerate(questions)
        if q.deadline
    ]


def _with_deadlines(questions: tuple[Question, ...], packed: list[Any]) -> tuple[Question, ...]:
    timed = list(questions)
    for each in packed:
        match each:
            case [
                int(number),
                str(place),
                None | int() as within,
                None | int() as at,
                bool(fails),
                default,
            ] if 0 <= number < len(timed) and (at is None or is_time(at)):
                asked = replace(
                    timed[number], deadline=Deadline(within, at, fails, default), place=place
                )
                timed[number] = until(asked, at) if at else asked
            case _:
                raise corrupt("list of deadlines", each)
    return tuple(timed)


def _pack_schemas(questions: tuple[Question, ...]) -> list[Any]:
    schemas = ((number, q.interrupt.response_schema) for number, q in enumerate(questions))
    return [[number, schema] for number, schema in schemas if schema is not None]


def _with_schemas(questions: tuple[Question, ...], packed: list[Any]) -> tuple[Question, ...]:
    known = list(questions)
    for each in packed:
        match each:
            case [int(number), dict(schema)] if 0 <= number < len(known):
                asked = replace(known[number].interrupt, response_schema=schema)
                known[number] = replace(known[number], interrupt=asked)
            case _:
                raise corrupt("list of schemas", each)
    return tuple(known)


def _table(packed: Any, read: Callable[[Any], V]) -> dict[str, V]:
    if not isinstance(packed, dict) or not all(isinstance(key, str) for key in packed):
        raise corrupt("table", packed)
    return {key: read(value) for key, value in packed.items()}


def _names(items: Any) -> frozenset[str]:
    return frozenset(_texts(items))


def _texts(items: Any) -> tuple[str, ...]:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise corrupt("list of names", items)
    return tuple(items)


def _text(item: Any) -> str:
    if not isinstance(item, str):
        raise corrupt("text", item)
    return item


def _anything(item: Any) -> Any:
    return item
