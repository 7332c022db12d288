"""How answers find their questions without the rest of the thread."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import Limit
from checkpoint_redis.records import AnswerEntry
from checkpoint_redis.replies import Askers, Header
from distgraph.core.model import Answer, Interrupted
from distgraph.core.resume import Reply, is_by_id
from workers.client.effects import Effect
from workers.shared.served import Registry
from workers.shared.wire import Wire


@dataclass(frozen=True, slots=True)
class Replies:
    """Answers to questions, and the ``version`` of the graph that goes on, '' = the thread's."""

    header: Header
    pairs: tuple[AnswerEntry, ...]
    version: str = ""


def pairs_of(wire: Wire, replies: tuple[Reply, ...]) -> tuple[AnswerEntry, ...]:
    """Return what is stored of answers."""
    return tuple(
        AnswerEntry("", reply.task, reply.answer.id, wire.answer(reply.answer)) for reply in replies
    )


def by_id(registry: Registry, thread: Thread, value: Any) -> Generator[Effect, Any, Replies | None]:
    """Return the answers of ``{interrupt id: value}``; reads nothing but the tasks that ask these.

    None where more has to be known: a bare value, an id that does not wait, more ids than are
    looked up at once, another version of the graph at hand.
    """
    if not is_by_id(value) or len(value) > Limit.looked_up:
        return None
    asked: Askers | None = yield commands.asked(thread, tuple(value))
    if asked is None or asked.waiting.keys() != value.keys() or _is_other(registry, asked.header):
        return None
    wire = registry.common_wire()
    return Replies(asked.header, pairs_of(wire, tuple(_replies(wire, asked.waiting, value))))


def _is_other(registry: Registry, header: Header) -> bool:
    served = registry.get(header.graph)
    return served is not None and served.graph.fingerprint != header.fp


def _replies(
    wire: Wire, waiting: Mapping[str, tuple[str, bytes]], value: Mapping[str, Any]
) -> Generator[Reply]:
    for iid, (task, blob) in waiting.items():
        result = wire.read_result(blob)
        questions = result.questions if isinstance(result, Interrupted) else ()
        places = {question.interrupt.id: question.ns for question in questions}
        yield Reply(task, Answer(iid, places[iid], value[iid]))
