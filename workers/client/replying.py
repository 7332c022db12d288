"""How answers find their questions without the rest of the thread."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import Limit
from checkpoint_redis.readings import Askers, Header, Loaded
from checkpoint_redis.records import AnswerEntry
from distgraph.core.model import Interrupted, Question
from distgraph.core.resume import Reply, answer_to, is_by_id

from ..shared.wire import Wire
from .effects import Effect


@dataclass(frozen=True, slots=True)
class Replies:
    """Answers to questions, and the ``version`` of the graph that goes on, '' = the thread's.

    ``loaded`` is what was read of the thread, None where the questions alone were.
    """

    header: Header
    pairs: tuple[AnswerEntry, ...]
    version: str = ""
    loaded: Loaded | None = None


def pairs_of(wire: Wire, replies: tuple[Reply, ...]) -> tuple[AnswerEntry, ...]:
    """Return what is stored of answers."""
    return tuple(
        AnswerEntry("", reply.task, reply.answer.id, wire.answer(reply.answer)) for reply in replies
    )


def by_id(wire: Wire, thread: Thread, value: Any) -> Generator[Effect, Any, Replies | None]:
    """Return the answers of ``{interrupt id: value}``; reads nothing but the tasks that ask these.

    None where more has to be known: of a bare value, and of an id that does not wait.
    """
    if not is_by_id(value):
        return None
    asked: Askers | None = yield from _askers(thread, tuple(value))
    if asked is None or asked.waiting.keys() != value.keys():
        return None
    wire = wire.of(asked.header.graph)
    return Replies(asked.header, pairs_of(wire, tuple(_replies(wire, asked.waiting, value))))


def _askers(thread: Thread, iids: tuple[str, ...]) -> Generator[Effect, Any, Askers | None]:
    """Return who asks, as far as it is found: a script looks up some, and a reply holds some."""
    known: Askers | None = None
    while iids:
        asked: Askers | None = yield commands.asked(thread, iids[: Limit.looked_up])
        if asked is None or not asked.waiting:
            return known
        known = Askers(asked.header, {**(known.waiting if known else {}), **asked.waiting})
        iids = tuple(iid for iid in iids if iid not in asked.waiting)
    return known


def _replies(
    wire: Wire, waiting: Mapping[str, tuple[str, bytes]], value: Mapping[str, Any]
) -> Generator[Reply]:
    asked: dict[bytes, Mapping[str, Question]] = {}
    for iid, (task, blob) in waiting.items():
        if blob not in asked:
            asked[blob] = _asked_in(wire, blob)
        yield Reply(task, answer_to(asked[blob][iid], value[iid]))


def _asked_in(wire: Wire, blob: bytes) -> Mapping[str, Question]:
    """Return what a task asks, by the ids."""
    result = wire.read_result(blob)
    questions = result.questions if isinstance(result, Interrupted) else ()
    return {question.interrupt.id: question for question in questions}
